"""Examines a folder of digits before it spoils a model: what is wrong, with which file, and why."""

from generator.doctor.examine import Report, examine
from generator.doctor.report import as_html, as_json, as_text

__all__ = ["Report", "as_html", "as_json", "as_text", "examine"]
