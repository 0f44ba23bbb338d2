"""The baseline: one number at a time with Pillow, in the reference project's steps.

Written to be as fast as Pillow allows: digits are Pillow images in memory, the centre crop or pad
and the offset are one `crop`, and only the pixels under a digit are combined.
"""

import random

import numpy as np
from PIL import Image, ImageChops

from generator.bank import Bank
from shards.canvas import HEIGHT, WIDTH
from shards.labels import MAX_DIGITS

SIDE = 28  # px of MNIST's frame
INK_HEIGHT = HEIGHT - 2  # 1 px of margin above and below
PER_DIGIT = 1000  # the reference takes at most so many of each class

Digits = list[list[Image.Image]]


def load_digits(bank: Bank, split: str) -> Digits:
    """Up to 1,000 digits of each class of a split, 28x28, as Pillow images."""
    rows = np.concatenate([np.arange(w.first, w.stop) for w in bank.writers if w.split == split])
    digits: Digits = []
    for digit in range(10):
        mine = rows[bank.labels[rows] == digit]
        some = mine[np.unique(np.linspace(0, len(mine) - 1, PER_DIGIT).astype(int))]
        small = bank.images[some].reshape(-1, SIDE, 2, SIDE, 2).mean(axis=(2, 4))
        digits.append([Image.fromarray(image) for image in small.astype(np.uint8)])
    return digits


def render(digits: Digits, seed: int, count: int) -> tuple[np.ndarray, list[str]]:
    """Render `count` numbers: images uint8 (count, 32, 128), and their labels."""
    rng = random.Random(seed)
    images = np.empty((count, HEIGHT, WIDTH), np.uint8)
    labels = []
    for image in images:
        number, label = draw_number(digits, rng)
        image[...] = np.asarray(number)
        labels.append(label)
    return images, labels


def draw_number(digits: Digits, rng: random.Random) -> tuple[Image.Image, str]:
    """One number of 1 to 5 digits on 32x128, and its label.

    A number that is too wide loses ink on the left, as the reference's does.
    """
    label = [rng.randrange(10) for _ in range(rng.randint(1, MAX_DIGITS))]
    tops = [rng.randint(-5, 5) for _ in label]
    lefts = [0]
    for _ in label[1:]:
        lefts.append(lefts[-1] + SIDE + rng.randint(-12, 10))
    highest = min(tops)
    strip = Image.new("L", (lefts[-1] + SIDE, max(tops) - highest + SIDE))
    for digit, left, top in zip(label, lefts, tops, strict=True):
        y = top - highest
        box = (left, y, left + SIDE, y + SIDE)
        drawn = draw_digit(rng.choice(digits[digit]), rng)
        strip.paste(ImageChops.lighter(strip.crop(box), drawn), box)
    width = max(1, round(strip.width * INK_HEIGHT / strip.height))
    canvas = Image.new("L", (WIDTH, HEIGHT))
    canvas.paste(strip.resize((width, INK_HEIGHT), Image.Resampling.LANCZOS), (WIDTH - width, 1))
    return canvas, "".join(map(str, label))


def draw_digit(image: Image.Image, rng: random.Random) -> Image.Image:
    """Rotate by up to 10 degrees, scale by 0.9 to 1.1, offset by up to 4 px; 28x28 again."""
    side = round(SIDE * rng.uniform(0.9, 1.1))
    turned = image.rotate(rng.uniform(-10, 10), Image.Resampling.BILINEAR)
    scaled = turned.resize((side, side), Image.Resampling.LANCZOS)
    x = (side - SIDE) // 2 + rng.randint(-4, 4)
    y = (side - SIDE) // 2 + rng.randint(-4, 4)
    return scaled.crop((x, y, x + SIDE, y + SIDE))
