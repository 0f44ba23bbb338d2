"""The pen model: digits and numbers by model hands, with no data behind them but the shapes."""

from generator.pen.digits import PenDigit, draw_digits, save_digits
from generator.pen.style import Style, draw_style
from generator.pen.write import write_digit

__all__ = ["PenDigit", "Style", "draw_digits", "draw_style", "save_digits", "write_digit"]
