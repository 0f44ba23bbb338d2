"""Names of the files that `trainer export`, `quantize` and `ship` write."""

READER, LOGITS, CHECKER, CARD = "reader.onnx", "logits.onnx", "checker.onnx", "reader.json"
INT8_READER, INT8_LOGITS, INT8_CHECKER, INT8_CARD = (
    "reader.int8.onnx",
    "logits.int8.onnx",
    "checker.int8.onnx",
    "reader.int8.json",
)
INT8 = INT8_READER, INT8_LOGITS, INT8_CHECKER, INT8_CARD
