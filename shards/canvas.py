"""The canvas, the reader's one input, and `fit`, which brings any drawing onto it."""

HEIGHT, WIDTH = 32, 128
INK_HEIGHT, INK_WIDTH = 28, 124
RIGHT_MARGIN = 2
