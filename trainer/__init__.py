"""Shards in, reader.onnx out: trains, evaluates, quantizes and exports number readers."""
