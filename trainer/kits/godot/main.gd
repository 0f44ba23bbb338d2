extends Control
# The whole of it: a pad to draw on, and below it what is read.

var numbers := NumberReader.new()
var answer := "" # what is asked for; with checker.onnx, a drawing is checked against it
var pad := Pad.new()
var label := Label.new()


func _ready() -> void:
	pad.set_size(Vector2(640, 320))
	label.set_position(Vector2(0, 330))
	add_child(pad)
	add_child(label)
	pad.connect("drawn", Callable(self, "_on_drawn"))
	if numbers.reader == null: # a test brings its own
		numbers.reader = load("res://models.gd").open("res://reader.onnx", 1)
		numbers.checker = load("res://models.gd").open("res://checker.onnx", 2)


func _on_drawn() -> void:
	var picture := pad.picture()
	var canvas := Fit.fit(picture.data, picture.width, picture.height)
	var found := numbers.read(canvas)
	label.text = found.fault if found.fault != "" else "%s (%.2f)" % [found.text, found.confidence]
	if answer != "" and numbers.checker != null:
		label.text += ": " + numbers.check(canvas, answer).verdict
