"""A network that is none: the pixels, in order, are the logits."""

import numpy as np
import onnx
from onnx import helper

from trainer.graph import OPSET

_SPREAD, _LEAST = np.float32(100), np.float32(-50)


def bare_network(steps: int) -> onnx.ModelProto:
    """A logits graph whose logits [batch, steps, 11] are `logits_of` its image."""
    text = f"""
    <ir_version: 10, opset_import: ["" : {OPSET}]>
    bare (float[batch, 1, 32, 128] image) => (float[batch, {steps}, 11] logits)
    <float spread = {{100}}, float least = {{-50}}, int64[1] zero = {{0}}, int64[1] one = {{1}},
     int64[1] size = {{{11 * steps}}}, int64[3] shape = {{-1, {steps}, 11}}>
    {{
      flat = Flatten (image)
      part = Slice (flat, zero, size, one)
      steps = Reshape (part, shape)
      spread_out = Mul (steps, spread)
      logits = Add (spread_out, least)
    }}
    """
    model = onnx.parser.parse_model(text)
    helper.set_model_props(model, {})
    return model


def image_of(logits: np.ndarray) -> np.ndarray:
    """float32 (1, 1, 32, 128) whose logits are nearly `logits`, (T, 11), of -50 to 50."""
    image = np.zeros(32 * 128, np.float32)
    image[: logits.size] = (logits.ravel() - _LEAST) / _SPREAD
    return image.reshape(1, 1, 32, 128)


def logits_of(image: np.ndarray, steps: int) -> np.ndarray:
    """float32 (1, T, 11), the very logits of an image."""
    return image.reshape(1, -1)[:, : 11 * steps].reshape(1, steps, 11) * _SPREAD + _LEAST
