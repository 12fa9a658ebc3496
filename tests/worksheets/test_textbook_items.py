"""docs/textbook.md, line by line: what each item says stands in the document that its test opens."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from handgrad.render.media import write
from handgrad.render.settings import PARTS, TEXTBOOK
from handgrad.worksheets.matrix import MatrixSheet
from handgrad.worksheets.worksheet import explain
from tests.worksheets.textbook_items import CALCULATIONS, ITEMS, SHEETS

ROOT = Path(__file__).resolve().parents[2]


@cache
def text(name: str) -> str:
    """A document as Markdown on one line, letters without their weight, braces and labels plain."""
    if name in CALCULATIONS:
        source = write("md", MatrixSheet.of(CALCULATIONS[name]).document(language="en")).decode()
    else:
        what, choices = SHEETS[name]
        source = explain(what, language="en", parts=(*PARTS, *TEXTBOOK), **choices).to("md").decode()
    plain = re.sub(r"\\(?:boldsymbol|mathrm|text)\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1", source)
    plain = plain.replace(" _ ", "_").replace("&= ", "= ").replace("\\cr\n", "\n")
    return re.sub(r"\s+", " ", plain)


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_stands_in_its_document(item: str) -> None:
    name, needles = ITEMS[item]
    for needle in needles:
        assert needle in text(name), needle


# --- the list itself ------------------------------------------------------------------------------------------

TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:\[([\w-]+)\])?`")


def lines() -> list[str]:
    page = (ROOT / "docs" / "textbook.md").read_text(encoding="utf-8")
    return [line for line in page.splitlines() if line.startswith("- ")]


@pytest.mark.parametrize("line", lines())
def test_a_line_of_the_list_names_a_test_that_there_is(line: str) -> None:
    named = TEST.findall(line)
    assert named, "no test is named"
    for path, function, parameter in named:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert function in functions, f"{path} has no {function}"
        if function == "test_an_item_stands_in_its_document":
            assert parameter in ITEMS


def test_each_item_has_one_line_of_the_list() -> None:
    named = Counter(parameter for line in lines() for _, _, parameter in TEST.findall(line) if parameter)
    assert {item: named[item] for item in ITEMS} == dict.fromkeys(ITEMS, 1)
