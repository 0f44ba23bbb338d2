"""Data sets that others made: checked, and converted."""
