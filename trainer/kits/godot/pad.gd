class_name Pad
extends Control
# Captures strokes of a finger, a pen or a mouse, and inks them: white on black, by a round pen.

signal drawn # whenever the pen is lifted

const FINE := Vector2(496, 112) # px of a picture: four times what the reader sees

var pen := 12.0 # px wide
var strokes := [] # arrays of Vector2

var _down := false


func clear() -> void:
	strokes = []
	_down = false
	queue_redraw()


# Touches come as a mouse, too, unless the project turns emulate_mouse_from_touch off.
func _gui_input(event: InputEvent) -> void:
	if event is InputEventMouseButton and event.button_index == 1:
		if event.pressed:
			strokes.append([event.position])
		elif _down:
			emit_signal("drawn")
		_down = event.pressed
	elif event is InputEventMouseMotion and _down:
		strokes.back().append(event.position)
	queue_redraw()


func _draw() -> void:
	draw_rect(Rect2(Vector2(), get_size()), Color(1, 1, 1))
	for stroke in strokes:
		if stroke.size() > 1:
			draw_polyline(PackedVector2Array(stroke), Color(0, 0, 0), pen)
		for point in stroke:
			draw_circle(point, pen / 2, Color(0, 0, 0))


# The drawing as {data, width, height} for Fit, cropped, and scaled down where it is large, so that
# even GDScript is quick. Of no stroke it is one black pixel, in which Fit finds nothing drawn.
func picture() -> Dictionary:
	if strokes.size() == 0:
		return {"data": PackedByteArray([0]), "width": 1, "height": 1}
	var low: Vector2 = strokes[0][0]
	var high := low
	for stroke in strokes:
		for point in stroke:
			low = Vector2(min(low.x, point.x), min(low.y, point.y))
			high = Vector2(max(high.x, point.x), max(high.y, point.y))
	low -= Vector2(pen, pen)
	var room := high + Vector2(pen, pen) - low
	var factor: float = min(1.0, min(FINE.x / room.x, FINE.y / room.y))
	var lines := []
	for stroke in strokes:
		var line := []
		for point in stroke:
			line.append((point - low) * factor)
		lines.append(line)
	var width := int(ceil(room.x * factor))
	var height := int(ceil(room.y * factor))
	return {"data": ink(lines, pen * factor, width, height), "width": width, "height": height}


# Inks strokes, arrays of Vector2, by a round pen: a pixel gets half the pen plus half a pixel less
# the distance of its centre from the stroke, 0 to 1. A stroke of one point is a dot.
static func ink(lines: Array, pen_width: float, width: int, height: int) -> PackedByteArray:
	var pixels := PackedByteArray()
	pixels.resize(width * height)
	for i in range(pixels.size()):
		pixels[i] = 0
	var reach: float = pen_width / 2 + 0.5
	for line in lines:
		for k in range(max(1, line.size() - 1)):
			var a: Vector2 = line[k]
			var way: Vector2 = line[min(k + 1, line.size() - 1)] - a
			var length: float = max(way.length_squared(), 1e-9)
			var left: int = max(0, int(floor(a.x + min(way.x, 0) - reach)))
			var right: int = min(width, int(ceil(a.x + max(way.x, 0) + reach)))
			var top: int = max(0, int(floor(a.y + min(way.y, 0) - reach)))
			var bottom: int = min(height, int(ceil(a.y + max(way.y, 0) + reach)))
			for y in range(top, bottom):
				for x in range(left, right):
					var from_a := Vector2(x + 0.5, y + 0.5) - a
					var along: float = clamp(from_a.dot(way) / length, 0.0, 1.0)
					var cover: float = reach - (from_a - way * along).length()
					if cover > 0:
						var grey := int(min(cover, 1.0) * 255 + 0.5)
						if grey > pixels[y * width + x]:
							pixels[y * width + x] = grey
	return pixels
