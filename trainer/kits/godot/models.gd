class_name Models
extends RefCounted
# Opens ONNX files in what this project has for that: the GDExtension godot-onnx-loader (its class
# OnnxLoader, one input and one output, so that it runs reader.onnx alone), or OnnxRunner.cs.


# Returns an object that runs the model, or null where there is no such file or nothing to run it.
static func open(path: String, inputs: int) -> Object:
	if not FileAccess.file_exists(path):
		return null
	var runner: Object = null
	if ResourceLoader.exists("res://OnnxRunner.cs") and ClassDB.class_exists("CSharpScript"):
		runner = load("res://OnnxRunner.cs").new()
	elif ClassDB.class_exists("OnnxLoader") and inputs == 1:
		runner = ClassDB.instantiate("OnnxLoader")
	if runner == null or not runner.load_model(_on_disk(path)):
		push_error("%s cannot be opened: see the README of this kit" % path)
		return null
	return runner


# A game that is exported keeps res:// inside its package, where onnxruntime finds no file.
static func _on_disk(path: String) -> String:
	var copy := "user://" + path.get_file()
	var file := FileAccess.open(copy, FileAccess.WRITE)
	file.store_buffer(FileAccess.get_file_as_bytes(path))
	file.close()
	return ProjectSettings.globalize_path(copy)
