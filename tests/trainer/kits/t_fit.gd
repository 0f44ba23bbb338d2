extends SceneTree
# Fits each drawing of a JSON file (see scripts/golden.py) and inks its strokes; then inputs that
# are no pictures. Of Godot 3: -s fit.gd DRAWINGS.

var fit = load("res://fit.gd")


func _init():
	var arguments = OS.get_cmdline_args()
	var file = File.new()
	file.open(arguments[arguments.size() - 1], File.READ)
	for each in parse_json(file.get_as_text()):
		var width = int(each.width)
		var height = int(each.height)
		var packed = Marshalls.base64_to_raw(each.pixels)
		var pixels = packed.decompress(width * height * int(each.channels), File.COMPRESSION_DEFLATE)
		_say("canvas", Marshalls.raw_to_base64(fit.fit(pixels, width, height)))
		if each.has("strokes"):
			_say("ink", Marshalls.raw_to_base64(_ink(each, width, height)))
	var image = Image.new()
	image.create_from_data(3, 1, false, Image.FORMAT_L8, PoolByteArray([0, 200, 90]))
	_say("image", Marshalls.raw_to_base64(fit.fit_image(image)))
	for bad in [[0, 3, 3], [9, 0, 9], [9, -3, -3], [8, 3, 3], [45, 3, 3], [9, 3, 3]]:
		var bytes = PoolByteArray()
		for _i in range(bad[0]):
			bytes.append(40)
		_say("bad", fit.fit(bytes, bad[1], bad[2]).size())
	quit()


func _ink(each, width, height):
	var lines = []
	for stroke in each.strokes:
		var line = []
		for i in range(0, stroke.size(), 2):
			line.append(Vector2(stroke[i], stroke[i + 1]))
		lines.append(line)
	return load("res://pad.gd").ink(lines, each.pen, width, height)


func _say(name, what):
	print(to_json([name, what]))
