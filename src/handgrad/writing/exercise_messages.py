"""The sentences of exercises: sheets with places to write into, answer keys, comments, results of a class."""

from __future__ import annotations

EXERCISES: dict[str, str] = {
    "save_answers": "Save the answers",
}

EXERCISE_PLURALS: dict[str, tuple[str, str]] = {}
