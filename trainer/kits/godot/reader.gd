class_name NumberReader
extends RefCounted
# Reads numbers of 1 to 5 digits with reader.onnx, and checks answers with checker.onnx. Both run in
# an object that can run ONNX files; models.gd makes these. They have
#   predict(PackedFloat32Array) -> PackedFloat32Array, of reader.onnx, and
#   predict_pair(PackedFloat32Array, PackedFloat32Array) -> PackedFloat32Array, of checker.onnx.

const PIXELS := 32 * 128
const MAX_DIGITS := 5

var reader # runs reader.onnx
var checker # runs checker.onnx, or null where the kit has none


# Reads a canvas, 32 * 128 bytes as Fit makes it. Returns text (leading zeros are kept), value,
# confidence (that all of it is right, 0 to 1), count (digits that are seen), digit_confidences and
# fault: "", or why there is no number; then text is "", value -1 and confidence 0.
func read(canvas: PackedByteArray) -> Dictionary:
	if canvas.size() != PIXELS:
		return _nothing("nothing is drawn")
	if reader == null:
		return _nothing("no reader.onnx is open")
	var out = reader.predict(_image(canvas))
	if out.size() != 3 + 2 * MAX_DIGITS:
		return _nothing("the model is no reader.onnx")
	var found := _nothing("")
	found.value = int(out[0])
	found.confidence = out[1]
	found.count = int(out[2])
	if found.count < 1 or found.count > MAX_DIGITS:
		found.fault = "no digit is seen" if found.count < 1 else "more than 5 digits are seen"
		return found
	for i in range(found.count):
		found.text += str(int(out[3 + i]))
		found.digit_confidences.append(out[3 + MAX_DIGITS + i])
	return found


# Says whether a canvas shows `answer`, text of 1 to 5 digits. Returns verdict ("right", "wrong" or
# "ask again"), probability (that it shows exactly the answer), reading_probability and value (of
# what is read, or -1) and fault: "", or why nothing was checked; then the verdict is "ask again".
func check(canvas: PackedByteArray, answer: String) -> Dictionary:
	var found := {"verdict": "ask again", "probability": 0.0, "reading_probability": 0.0, "value": -1, "fault": ""}
	if not is_answer(answer):
		found.fault = "the expected answer must be 1 to 5 digits, not '%s'" % answer
	elif canvas.size() != PIXELS:
		found.fault = "nothing is drawn"
	elif checker == null:
		found.fault = "no checker.onnx is open"
	if found.fault != "":
		return found
	var expected := PackedFloat32Array()
	for i in range(MAX_DIGITS):
		expected.append(float(answer.substr(i, 1)) if i < answer.length() else -1.0)
	var out = checker.predict_pair(_image(canvas), expected)
	if out.size() != 4:
		found.fault = "the model is no checker.onnx"
		return found
	found.verdict = ["wrong", "ask again", "right"][int(out[0]) + 1]
	found.probability = out[1]
	found.reading_probability = out[2]
	found.value = int(out[3])
	return found


static func is_answer(answer: String) -> bool:
	for i in range(answer.length()):
		if "0123456789".find(answer.substr(i, 1)) < 0:
			return false
	return answer.length() >= 1 and answer.length() <= MAX_DIGITS


func _image(canvas: PackedByteArray) -> PackedFloat32Array:
	var image := PackedFloat32Array()
	for value in canvas:
		image.append(value / 255.0)
	return image


func _nothing(fault: String) -> Dictionary:
	return {"text": "", "value": -1, "confidence": 0.0, "count": 0, "digit_confidences": [], "fault": fault}
