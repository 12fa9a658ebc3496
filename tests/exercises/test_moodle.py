"""Moodle XML: its structure, and fields that give all marks where they should and half where they should."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from handgrad.exercises.exercise import Wishes, make, variants
from handgrad.exercises.moodle import moodle_xml
from handgrad.exercises.recipe import Recipe
from tests.exercises.by_hand import exercise, worked

FIELD = re.compile(r"\{(\d+):NUMERICAL:=(-?[\d.]+):([\d.]+)~%(\d+)%(-?[\d.]+):([\d.]+)\}")


def questions(raw: bytes) -> list[ElementTree.Element]:
    quiz = ElementTree.fromstring(raw)
    assert quiz.tag == "quiz"
    return list(quiz)


def text(question: ElementTree.Element, name: str) -> str:
    found = question.find(f"{name}/text")
    assert found is not None
    assert found.text
    return found.text


def test_structure() -> None:
    made = variants(Recipe(difficulty="easy", seed=2), names=["Ann <&>", "Ben"])
    found = questions(moodle_xml(made))
    assert [question.get("type") for question in found] == ["cloze", "cloze"]
    assert "Ann <&>" in text(found[0], "name")
    assert {question.find("questiontext").get("format") for question in found} == {"html"}  # type: ignore[union-attr]
    assert len({question.findtext("idnumber") for question in found}) == 2
    for question, one in zip(found, made, strict=True):
        body = text(question, "questiontext")
        fields = FIELD.findall(body)
        assert len(fields) == len(one.fields)
        assert body.count("{") == body.count("}") == len(fields)
        assert "costs nothing" not in body  # Moodle does not know what follows
        assert one.code not in body
        assert len(text(question, "generalfeedback")) > 1000


def test_fields_accept_what_is_right_to_the_digits_asked_for() -> None:
    made = exercise()
    right = [
        float(worked()[asked.quantity][index] if index else worked()[asked.quantity])
        for asked, index in made.fields.values()
    ]
    fields = FIELD.findall(text(questions(moodle_xml([made]))[0], "questiontext"))
    assert len(fields) == len(right)
    for exact, (weight, value, tolerance, percent, wide_value, wide) in zip(right, fields, strict=True):
        assert weight == "1"
        assert float(value) == pytest.approx(exact, abs=1e-8)
        assert value == wide_value
        assert percent == "50"
        assert 0.00005 < float(tolerance) < 0.00026
        assert abs(round(exact, 4) - float(value)) <= float(tolerance)
        assert float(wide) == pytest.approx(float(tolerance) + 0.000101)
        assert abs(exact + 0.01 - float(value)) > float(wide)


def test_results_rounded_on_the_way_are_within_the_tolerance() -> None:
    values: dict[str, np.ndarray] = {}
    for name in worked():
        values[name] = np.round(worked(values)[name], 2)
    made = exercise(digits=2)
    fields = FIELD.findall(text(questions(moodle_xml([made]))[0], "questiontext"))
    for (asked, index), (_, value, tolerance, *_) in zip(made.fields.values(), fields, strict=True):
        carried = float(values[asked.quantity][index] if index else values[asked.quantity])
        assert abs(carried - float(value)) <= float(tolerance), asked.quantity


def test_weights_are_whole_numbers_in_the_ratio_of_the_marks() -> None:
    made = make(Recipe(difficulty="easy", seed=2), Wishes(marks={"loss": 3.0, "z1": 1.0}))
    fields = FIELD.findall(text(questions(moodle_xml([made]))[0], "questiontext"))
    weights = dict(zip(made.fields, (int(weight) for weight, *_ in fields), strict=True))
    assert weights["loss"] == 6 * weights["z1[0,0]"]
    assert weights["yhat[0,0]"] == 2 * weights["z1[0,0]"]
