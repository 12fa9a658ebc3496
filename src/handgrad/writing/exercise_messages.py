"""The sentences of exercises: sheets with places to write into, answer keys, comments, results of a class."""

from __future__ import annotations

EXERCISES: dict[str, str] = {
    "save_answers": "Save the answers",
    "exercise_title": "Exercise: {title}",
    "exercise_key": "Answer key: {title}",
    "exercise_name": "Name",
    "exercise_for": "For {name}",
    "exercise_variant": "Variant {number} of {count}",
    "exercise_task": (
        "Work out each number below and write it to {digits}. Work with the numbers that you wrote down before: an "
        "error that is only carried forward costs nothing."
    ),
    "exercise_given": "Given as well:",
    "exercise_answers": "Your answers",
    "exercise_right": "The answers",
    "exercise_calculation": "The calculation",
    "exercise_entry": "{quantity}, row {row}, column {column}",
    "exercise_in_step": "{quantity}, step {number}",
    "exercise_more": "Other quantities",
}

EXERCISE_PLURALS: dict[str, tuple[str, str]] = {
    "exercise_marks": ("{count} mark in all.", "{count} marks in all."),
}
