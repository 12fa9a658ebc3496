"""Bengali digits: every digit that a sheet shows, in every medium, and none that an address needs."""

from __future__ import annotations

import re

import pytest

from handgrad.errors import RenderError
from handgrad.render.document import Document, Formula, Literal, Paragraph
from handgrad.render.layout.numerals import in_numerals
from handgrad.render.markdown import markdown
from handgrad.render.settings import PARTS
from handgrad.worked.expressions import Symbol
from handgrad.worksheets.worksheet import explain
from handgrad.writing.letter_parts import Notation
from tests.render.test_html import Outline
from tests.render.test_lengths import EXAMPLES

CASE = EXAMPLES / "relu-sigmoid-2-2-1.toml"
TO_LATIN = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")


def test_the_page_has_the_same_numbers_in_bengali_digits() -> None:
    latin, bengali = (
        Outline(explain(CASE, language="bn", parts=PARTS, numerals=numerals).to("html").decode()).text
        for numerals in ("latin", "bengali")
    )
    assert not re.search("[0-9]", bengali)
    assert bengali.translate(TO_LATIN) == latin.translate(TO_LATIN)


@pytest.mark.parametrize("medium", ["md", "tex", "slides"])
def test_the_numbers_of_other_media_are_bengali_too(medium: str) -> None:
    text = explain(CASE, language="bn", numerals="bengali").to(medium).decode()
    assert "০.৬১৯৪" in text
    assert "0.6194" not in text


def test_the_terminal_has_them_but_for_small_raised_and_lowered_digits() -> None:
    text = explain(CASE, language="bn", numerals="bengali").text()
    assert not re.search("[0-9]", text)
    assert "০.৬১৯৪" in text
    latin = explain(CASE, language="bn").text()
    assert text.translate(TO_LATIN) == latin


def test_an_address_keeps_its_digits() -> None:
    blocks = (
        Paragraph(("See 2 at https://example.org/a1b2",)),
        Formula(Symbol("z", 1), (("=", Literal("-0.5")),)),
    )
    made = markdown.write(in_numerals(Document("3 steps", "bn", blocks, Notation()), "bengali")).decode()
    assert "https://example.org/a1b2" in made
    assert "See ২ at" in made
    assert "০.৫" in made


def test_other_numerals_are_refused() -> None:
    with pytest.raises(RenderError, match="latin, bengali, got 'roman'"):
        explain(CASE, numerals="roman")
