"""Run an ONNX file for a script of Godot 3, which has no wrapper of onnxruntime: MODEL NUMBERS."""

import sys

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1])
numbers, inputs = np.array(sys.argv[2].split(","), np.float32), {}
for wanted in session.get_inputs():
    size = int(np.prod(wanted.shape))
    inputs[wanted.name] = numbers[:size].reshape(wanted.shape)
    numbers = numbers[size:]
print(*(float(value) for value in session.run(None, inputs)[0].ravel()), sep=",")
