"""The graph of checker.onnx: how probable an expected answer is, and what to say to it.

The likelihood of CTC needs T steps, one after the other. Each is a product with an 11 x 11 matrix
(what may follow what, times what the step emits), and products may be taken in any grouping: all
even ones with the odd ones behind them, and so on. Hence log2(T) small batched products in place
of T times four operators: nano's 64 steps cost 6.
"""

from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, TensorProto, helper

from shards.labels import MAX_DIGITS
from trainer.graph import attach, decoded, strip

ANSWER = 4  # verdict, probability, probability of the reading, its value
RIGHT, ASK_AGAIN, WRONG = 1, 0, -1
LEGIBLE = 0.5  # below it a drawing may be anything, and no answer is called wrong
_STATES = 2 * MAX_DIGITS + 1  # a blank before each digit and after the last

_CHECK = """
<ir_version: {ir}, opset_import: ["" : {opset}]>
check (float[1, 5] expected, float[1, 13] reading, float[1, {steps}, 11] softmax, float sound)
  => (float[1, 4] answer)
<
  float[1, 1] zero = {{0}}, float[1, 1] one = {{1}}, float[1, 1] none = {{-1}},
  float[1, 1] least = {{-1.5}}, float[1, 1] absent = {{-0.5}}, float[1, 1] most = {{9.5}},
  float[1, 1] right_from = {{{right_from}}}, float[1, 1] wrong_to = {{{wrong_to}}},
  float[1, 1] legible = {{{legible}}},
  int64[1] at_0 = {{0}}, int64[1] at_1 = {{1}}, int64[1] at_2 = {{2}}, int64[1] at_3 = {{3}},
  int64[1] at_8 = {{8}}, int64[3] as_column = {{0, 1, 11}}, int64[4] as_columns = {{0, 0, 1, 11}},
  int64[1] end = {{9999}}, int64[1] last = {{-1}}, int64 start = {{0}},
  float[5, 11] places = {{{places}}}, float[5, 11] places_after = {{{places_after}}},
  float[11, 11] one_on = {{{one_on}}}, float[11, 11] two_on = {{{two_on}}},
  float[6, 11] ends_of = {{{ends_of}}}
>
{{
  number = Cast <to = 7> (expected)
  again = Cast <to = 1> (number)
  is_integer = Equal (again, expected)
  is_least = Greater (expected, least)
  is_most = Less (expected, most)
  is_between = And (is_least, is_most)
  is_digit = And (is_integer, is_between)
  begun = Greater (expected, absent)
  here = Cast <to = 1> (begun)
  but_last = Slice (here, at_0, last, at_1)
  before = Concat <axis = 1> (one, but_last)
  is_hole = Greater (here, before)
  is_joined = Not (is_hole)
  is_good = And (is_digit, is_joined)
  good = Cast <to = 1> (is_good)
  all_good = ReduceProd <keepdims = 1> (good, at_1)
  first = Slice (here, at_0, at_1, at_1)
  some = Mul (all_good, first)
  asked = Mul (some, sound)
  is_asked = Greater (asked, zero)

  label = Where (is_asked, expected, none)
  read = Slice (reading, at_3, at_8, at_1)
  labels = Concat <axis = 0> (label, read)
  has = Greater (labels, absent)
  has_float = Cast <to = 1> (has)
  length_float = ReduceSum <keepdims = 0> (has_float, at_1)
  length = Cast <to = 7> (length_float)
  class = Add (labels, one)
  state_class = MatMul (class, places)
  earlier_class = MatMul (class, places_after)
  is_same = Equal (state_class, earlier_class)
  is_other = Not (is_same)
  other = Cast <to = 1> (is_other)
  other_column = Reshape (other, as_column)
  leaps = Mul (other_column, two_on)
  moves = Add (leaps, one_on)

  probabilities = Squeeze (softmax, at_0)
  state = Cast <to = 7> (state_class)
  emitted = Gather <axis = 1> (probabilities, state)
  emitted_column = Reshape (emitted, as_columns)
  product_0 = Mul (emitted_column, moves)
{products}
  from_begin = Gather <axis = 2> ({product}, start)
  ends = Gather <axis = 0> (ends_of, length)
  arrived = Mul (from_begin, ends)
  sums = ReduceSum <keepdims = 0> (arrived, at_2)
  chances = Min (sums, one)
  chance = Slice (chances, at_0, at_1, at_1)
  chance_read = Slice (chances, at_1, at_2, at_1)

  value = Slice (reading, at_0, at_1, at_1)
  is_read = Greater (value, absent)
  best = Where (is_read, chance_read, zero)
  probability = Where (is_asked, chance, none)
  is_unlike = Less (chance, right_from)
  is_possible = Greater (chance, wrong_to)
  is_legible = Less (legible, best)
  low = Where (is_possible, zero, none)
  wrong = Where (is_legible, low, zero)
  decided = Where (is_unlike, wrong, one)
  verdict = Where (is_asked, decided, zero)
  answer = Concat <axis = 1> (verdict, probability, best, value)
}}
"""


@dataclass(frozen=True)
class Thresholds:
    """The probabilities, 0..1, that decide.

    An answer is right from `right_from` on, and wrong up to `wrong_to` if the drawing is legible;
    else one has to ask again.
    """

    right_from: float
    wrong_to: float


def with_check(logits: ModelProto, thresholds: Thresholds) -> ModelProto:
    """Turn a logits graph into a checker of answers: batch 1, the likelihood of CTC inside.

    Its inputs are `image`, float32 [1, 1, 32, 128], 0..1, and `expected`, float32 [1, 5]: the
    digits of the answer from the left, -1 where absent. Its only output is `answer`, float32
    [1, 4]: verdict (1 right, 0 ask again, -1 wrong), probability that the drawing shows exactly
    that answer, probability of what is read, and its value (as a reader's: -1, and the probability
    0, unless 1 to 5 digits are read). With a pixel that is NaN or outside 0..1, and for an answer
    that is none (NaN, no whole number of -1 to 9, a hole, no digit) the verdict is 0 and the
    probability -1. Float or quantized graphs alike.
    """
    checker = decoded(logits)
    steps = logits.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    lines, product = _products(steps)
    names = ("expected", "reading", "answer")
    attach(
        checker,
        _CHECK,
        "check_",
        dict(zip(names, names, strict=True)) | {"softmax": "read_softmax", "sound": "gate_sound"},
        steps=steps,
        products="\n".join(lines),
        product=product,
        right_from=thresholds.right_from,
        wrong_to=thresholds.wrong_to,
        legible=LEGIBLE,
        **{name: _listed(matrix) for name, matrix in _matrices().items()},
    )
    value = helper.make_tensor_value_info
    checker.graph.input.append(value("expected", TensorProto.FLOAT, [1, MAX_DIGITS]))
    checker.graph.output.append(value("answer", TensorProto.FLOAT, [1, ANSWER]))
    return strip(checker)


def _matrices() -> dict[str, np.ndarray]:
    """What moves between digits (5), states (11) and lengths (6); 1 where one leads to another."""
    state, digit, length = np.arange(_STATES), np.arange(MAX_DIGITS), np.arange(MAX_DIGITS + 1)
    to_digit = np.where(state % 2, state, -1)
    return {
        "places": state == 2 * digit[:, None] + 1,
        "places_after": state == 2 * digit[:, None] + 3,
        "one_on": (state == state[:, None]) | (state == state[:, None] + 1),
        "two_on": to_digit == state[:, None] + 2,
        "ends_of": (state == 2 * length[:, None]) | (state == 2 * length[:, None] - 1),
    }


def _listed(matrix: np.ndarray) -> str:
    return ", ".join(str(int(value)) for value in matrix.ravel())


def _products(count: int) -> tuple[list[str], str]:
    """Multiply `product_0`, float32 [count, 2, 11, 11], along its first axis, in order.

    Returns lines of text and the name of the product, [1, 2, 11, 11].
    """
    lines, name, level = [], "product_0", 0
    while count > 1:
        level += 1
        pairs, rest = divmod(count, 2)
        stop = "last" if rest else "end"
        new = f"product_{level}"
        lines += [
            f"  even_{level} = Slice ({name}, at_0, {stop}, at_0, at_2)",
            f"  odd_{level} = Slice ({name}, at_1, end, at_0, at_2)",
            f"  {'pairs' if rest else 'product'}_{level} = MatMul (even_{level}, odd_{level})",
        ]
        if rest:
            lines.append(f"  rest_{level} = Slice ({name}, last, end, at_0)")
            lines.append(f"  {new} = Concat <axis = 0> (pairs_{level}, rest_{level})")
        name, count = new, pairs + rest
    return lines, name
