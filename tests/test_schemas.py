"""The published schemas are those that the program reads and writes by."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

import handgrad as hg
from handgrad.cases.schema import CaseKeys
from handgrad.worksheets.json import WorksheetValues

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(("name", "kind"), [("case", CaseKeys), ("worksheet", WorksheetValues)])
def test_the_published_schema_is_the_one_in_use(name, kind):
    published = json.loads((ROOT / "docs" / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert published == msgspec.json.schema(kind)


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.toml")), ids=lambda path: path.stem)
def test_every_worksheet_is_of_the_published_form(example):
    sheet = hg.explain(example, step=1)
    values = msgspec.json.decode(sheet.to("json"), type=WorksheetValues)
    assert [step.step for step in values.steps] == [1]
    assert list(values.steps[0].quantities) == list(sheet.quantities())
