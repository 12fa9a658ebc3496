"""The published schemas are those that the program reads and writes by."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

import handgrad as hg
from handgrad.cases.schema import published_schema
from handgrad.worksheets.json import WorksheetValues

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("name", "schema"),
    [("case", published_schema()), ("worksheet", msgspec.json.schema(WorksheetValues))],
    ids=["case", "worksheet"],
)
def test_the_published_schema_is_the_one_in_use(name, schema):
    published = json.loads((ROOT / "docs" / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert published == schema


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.toml")), ids=lambda path: path.stem)
def test_every_worksheet_is_of_the_published_form(example):
    sheet = hg.explain(example, step=1)
    values = msgspec.json.decode(sheet.to("json"), type=WorksheetValues)
    assert [step.step for step in values.steps] == [1]
    assert list(values.steps[0].quantities) == list(sheet.quantities())
