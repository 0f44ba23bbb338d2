class_name Fit
extends RefCounted
# Brings any drawing onto the reader's canvas, 32 x 128 bytes, white ink on black: the rule of
# digit-readers (shards/canvas.py), step by step and to the last bit, where Vector2 is of 32-bit
# floats, as in Godot's own builds. For Godot 4; the README says what differs in Godot 3.

const HEIGHT := 32
const WIDTH := 128
const INK_HEIGHT := 28.0
const INK_WIDTH := 124.0
const RIGHT_MARGIN := 2
const FAINT := 32.0 # of 255: a contrast under this is paper, not ink
const GRAINS := 2.0 # so many times as far from the paper as its grain is ink


# Fits bytes: 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) a pixel. Dark on light, light on dark,
# or ink on a transparent ground. Returns 32 * 128 bytes, row by row, or none where nothing is drawn
# or the bytes are no picture.
static func fit(pixels: PackedByteArray, width: int, height: int) -> PackedByteArray:
	if width < 1 or height < 1 or pixels.size() % (width * height) != 0:
		return PackedByteArray()
	var channels := pixels.size() / (width * height)
	if channels < 1 or channels > 4:
		return PackedByteArray()
	var ink := _crop_ink(_level(_grey(pixels, width, height, channels)))
	if ink.empty:
		return PackedByteArray()
	var scale: float = _low(INK_HEIGHT / ink.height, INK_WIDTH / ink.width)
	var out_height: int = max(1, int(ink.height * scale + 0.5))
	var out_width: int = max(1, int(ink.width * scale + 0.5))
	return _place(_box_means(_box_means(ink, out_height), out_width))


static func fit_image(image: Image) -> PackedByteArray:
	var copy: Image = image.duplicate()
	copy.convert(Image.FORMAT_RGBA8)
	copy.clear_mipmaps()
	return fit(copy.get_data(), copy.get_width(), copy.get_height())


# A number as a 32-bit float: the rule counts in these.
static func f32(value: float) -> float:
	return Vector2(value, 0.0).x


# min() and max() of Godot 3 round to 32 bits.
static func _low(a: float, b: float) -> float:
	return a if a < b else b


static func _high(a: float, b: float) -> float:
	return a if a > b else b


# Pictures below are {data, width, height, whole}; `whole` says that greys are whole numbers.
static func _picture(data, width: int, height: int, whole: bool) -> Dictionary:
	return {"data": data, "width": width, "height": height, "whole": whole, "empty": false}


static func _grey(pixels: PackedByteArray, width: int, height: int, channels: int) -> Dictionary:
	if channels == 1:
		return _picture(pixels, width, height, true)
	var grey := PackedFloat32Array()
	var alpha := PackedByteArray()
	grey.resize(width * height)
	alpha.resize(width * height)
	var low := 256.0
	var high := -1.0
	for i in range(width * height):
		var j: int = i * channels
		if channels < 3:
			grey[i] = pixels[j]
		else:
			grey[i] = 0.299 * pixels[j] + 0.587 * pixels[j + 1] + 0.114 * pixels[j + 2]
		if channels % 2 == 0:
			alpha[i] = pixels[j + channels - 1]
			if alpha[i] >= 128:
				low = _low(low, grey[i])
				high = _high(high, grey[i])
	if channels == 3:
		return _picture(grey, width, height, false)
	# On a transparent ground one colour of ink is read from its alpha; any other is laid on white.
	if _median(_border(_picture(alpha, width, height, true))) < 128 and high - low < 32:
		return _picture(alpha, width, height, true)
	for i in range(width * height):
		grey[i] = 255 + f32(f32(grey[i] - 255) * f32(alpha[i] / 255.0))
	return _picture(grey, width, height, false)


# Step 2: takes a slope of the light out.
static func _level(grey: Dictionary) -> Dictionary:
	var data = grey.data
	var sides := _sides(grey)
	var down: float = _median(sides[1]) - _median(sides[0])
	var across: float = _median(sides[3]) - _median(sides[2])
	if down == 0 and across == 0:
		return grey
	var middle := _median(_border(grey))
	var ends := _ends(data)
	var contrast: float = _high(middle - ends[0], ends[1] - middle)
	var ramp_down := _ramp(down if 2 * down <= contrast and -2 * down <= contrast else 0.0, grey.height)
	var ramp_across := _ramp(across if 2 * across <= contrast and -2 * across <= contrast else 0.0, grey.width)
	var flat := PackedFloat32Array()
	flat.resize(data.size())
	var i := 0
	for y in range(grey.height):
		var lift: float = ramp_down[y]
		for x in range(grey.width):
			flat[i] = f32(data[i] - lift) - ramp_across[x]
			i += 1
	return _picture(flat, grey.width, grey.height, false)


static func _ramp(slope: float, side: int) -> PackedFloat32Array:
	var ramp := PackedFloat32Array()
	for i in range(side):
		ramp.append(f32(slope) * f32(f32((i + 0.5) / side) - 0.5))
	return ramp


# Steps 3 and 4: separates the ink from its background and crops to it.
static func _crop_ink(grey: Dictionary) -> Dictionary:
	var data = grey.data
	var width: int = grey.width
	var border := _border(grey)
	var background := _median(border)
	var ends := _ends(data)
	var peak: float = _high(background - ends[0], ends[1] - background)
	if peak < FAINT:
		return {"empty": true}
	var faint: float = _high(FAINT * peak / 255, GRAINS * _grain(border, background, peak))
	var way := 1.0 if ends[1] - background >= background - ends[0] else -1.0
	var least: float = background + way * faint
	least = way * (least if grey.whole else f32(least))
	var top: int = grey.height
	var bottom := 0
	var left := width
	var right := 0
	var i := 0
	for y in range(grey.height):
		for x in range(width):
			if way * data[i] >= least:
				top = y if y < top else top
				bottom = y
				left = x if x < left else left
				right = x if x > right else right
			i += 1
	var ink := PackedFloat32Array()
	ink.resize((right - left + 1) * (bottom - top + 1))
	var paper := f32(background)
	var scale := f32(255 / peak)
	var k := 0
	for y in range(top, bottom + 1):
		for at in range(y * width + left, y * width + right + 1):
			var value: float = data[at]
			ink[k] = f32(abs(f32(value - paper))) * scale if way * value >= least else 0.0
			k += 1
	return _picture(ink, right - left + 1, bottom - top + 1, false)


# Step 5, twice: resamples to `out` rows, each the mean over a box around its centre, and turns rows
# to columns.
static func _box_means(ink: Dictionary, out: int) -> Dictionary:
	var data: PackedFloat32Array = ink.data
	var width: int = ink.width
	var height: int = ink.height
	var step := float(height) / out
	var half: float = _high(step, 1.0) / 2
	var scale := f32(2 * half)
	var rows := PackedFloat32Array() # of the edges of the boxes, lower and upper by turns
	var parts := PackedFloat32Array() # of that row are before the edge
	for i in range(2 * out):
		var edge: float = (i / 2 + 0.5) * step + (half if i % 2 else -half)
		edge = _low(_high(edge, 0.0), height)
		rows.append(min(int(edge), height - 1))
		parts.append(edge - rows[i])
	var sums := PackedFloat32Array()
	sums.resize(height + 1)
	sums[0] = 0.0
	var before := PackedFloat32Array()
	before.resize(2 * out)
	var means := PackedFloat32Array()
	means.resize(width * out)
	for x in range(width):
		var at := x
		for y in range(height):
			sums[y + 1] = sums[y] + data[at]
			at += width
		for i in range(2 * out):
			var row := int(rows[i])
			before[i] = f32(data[row * width + x] * parts[i]) + sums[row]
		for i in range(out):
			means[x * out + i] = f32(before[2 * i + 1] - before[2 * i]) / scale
	return _picture(means, out, width, false)


# Step 6: scales to a peak of 255 and puts the ink in its place.
static func _place(ink: Dictionary) -> PackedByteArray:
	var data: PackedFloat32Array = ink.data
	var canvas := PackedByteArray()
	canvas.resize(HEIGHT * WIDTH)
	for i in range(canvas.size()):
		canvas[i] = 0
	var left: int = WIDTH - RIGHT_MARGIN - ink.width
	var top: int = (HEIGHT - ink.height) / 2
	var scale := f32(255 / _ends(data)[1])
	for y in range(ink.height):
		for x in range(ink.width):
			canvas[(top + y) * WIDTH + left + x] = int(f32(f32(data[y * ink.width + x] * scale) + 0.5))
	return canvas


# The top, bottom, left and right side.
static func _sides(grey: Dictionary) -> Array:
	var data = grey.data
	var sides := [[], [], [], []]
	for x in range(grey.width):
		sides[0].append(data[x])
		sides[1].append(data[data.size() - grey.width + x])
	for y in range(grey.height):
		sides[2].append(data[y * grey.width])
		sides[3].append(data[(y + 1) * grey.width - 1])
	return sides


static func _border(grey: Dictionary) -> Array:
	var sides := _sides(grey)
	return sides[0] + sides[1] + sides[2] + sides[3]


static func _median(values: Array) -> float:
	var ordered := values.duplicate()
	ordered.sort()
	return (ordered[(ordered.size() - 1) / 2] + ordered[ordered.size() / 2]) / 2.0


# How far the paper at the border is from the background, at most a quarter of the peak.
static func _grain(border: Array, background: float, peak: float) -> float:
	var near := []
	for value in border:
		var distance := f32(abs(value - f32(background)))
		if distance < f32(peak / 2):
			near.append(distance)
	near.sort()
	return 0.0 if near.size() == 0 else _low(near[near.size() * 9 / 10], peak / (2 * GRAINS))


# The lowest and the highest value.
static func _ends(values) -> Array:
	var low: float = values[0]
	var high: float = values[0]
	for value in values:
		low = value if value < low else low
		high = value if value > high else high
	return [low, high]
