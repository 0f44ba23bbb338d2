extends SceneTree
# Fits each drawing of a JSON file (see scripts/golden.py), of Godot 3: -s fit.gd DRAWINGS.


func _init():
	var Fit = load("res://fit.gd")
	var file = File.new()
	file.open(OS.get_cmdline_args()[OS.get_cmdline_args().size() - 1], File.READ)
	for each in parse_json(file.get_as_text()):
		var channels = int(each.channels)
		var size = int(each.width) * int(each.height) * channels
		var packed = Marshalls.base64_to_raw(each.pixels)
		var pixels = packed.decompress(size, File.COMPRESSION_DEFLATE)
		print(Marshalls.raw_to_base64(Fit.fit(pixels, int(each.width), int(each.height))))
	quit()
