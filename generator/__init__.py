"""Digits in, shards out: turns single handwritten digits into labelled images of numbers."""
