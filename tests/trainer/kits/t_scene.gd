extends SceneTree
# Draws strokes on the scene of the kit, as a mouse would, and says what its label says.
# Godot 3: -s scene.gd STROKES PYTHON PREDICT; the reader runs in a process of Python.


class Runner:
	var command := []

	func predict(image):
		return predict_pair(image, PoolRealArray())

	func predict_pair(image, expected):
		var numbers := PoolStringArray()
		for number in image:
			numbers.append(str(stepify(number, 0.0001)))
		for number in expected:
			numbers.append(str(number))
		var output := []
		OS.execute(command[0], [command[1], command[2], numbers.join(",")], true, output)
		var found := PoolRealArray()
		for number in output[0].strip_edges().split(","):
			found.append(float(number))
		return found


func _init():
	call_deferred("_test")


func _test():
	var arguments = OS.get_cmdline_args()
	var count = arguments.size()
	var file = File.new()
	file.open(arguments[count - 3], File.READ)
	var plan = parse_json(file.get_as_text())
	var main = load("res://main.gd").new()
	main.numbers.reader = _runner(arguments, "reader.onnx")
	main.numbers.checker = _runner(arguments, "checker.onnx")
	root.add_child(main)
	yield(self, "idle_frame")
	for stroke in plan.strokes:
		main.answer = plan.answer if stroke == plan.strokes.back() else ""
		_draw(stroke)
	_say("label", main.label.text)
	var picture = main.pad.picture()
	var canvas = load("res://fit.gd").fit(picture.data, picture.width, picture.height)
	_say("reading", main.numbers.read(canvas))
	_say("strokes", main.pad.strokes.size())
	for answer in plan.answers:
		_say("check", main.numbers.check(canvas, answer))
	_say("read nothing", main.numbers.read(PoolByteArray()))
	_say("check nothing", main.numbers.check(PoolByteArray(), "7"))
	main.pad.clear()
	picture = main.pad.picture()
	_say("cleared", load("res://fit.gd").fit(picture.data, picture.width, picture.height).size())
	main.numbers.reader = Fixed.new()
	_say("many digits", main.numbers.read(canvas))
	main.numbers.reader.out = [1.0]
	_say("no reader", main.numbers.read(canvas))
	main.numbers.reader = null
	main.numbers.checker = null
	_say("closed", [main.numbers.read(canvas).fault, main.numbers.check(canvas, "7").fault])
	quit()


class Fixed:
	var out := [-1.0, 0.0, 7.0, -1.0, -1.0, -1.0, -1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0]

	func predict(_image):
		return out


func _runner(arguments, name):
	var runner = Runner.new()
	runner.command = [arguments[arguments.size() - 2], arguments[arguments.size() - 1], ProjectSettings.globalize_path("res://" + name)]
	return runner


func _draw(stroke):
	for i in range(0, stroke.size(), 2):
		var at = Vector2(stroke[i], stroke[i + 1])
		if i == 0:
			_press(at, true)
		var motion = InputEventMouseMotion.new()
		motion.position = at
		motion.global_position = at
		motion.button_mask = 1
		Input.parse_input_event(motion)
	_press(Vector2(stroke[-2], stroke[-1]), false)


func _press(at, pressed):
	var click = InputEventMouseButton.new()
	click.button_index = 1
	click.pressed = pressed
	click.position = at
	click.global_position = at
	Input.parse_input_event(click)


func _say(name, what):
	print(to_json([name, what]))
