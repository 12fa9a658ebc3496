"""Markdown: read as Markdown, text shows as it was and no mathematics is touched."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from handgrad.errors import RenderError
from handgrad.render.document import Document, Heading, Paragraph
from handgrad.render.markdown import markdown
from handgrad.writing.letter_parts import Notation
from tests.render.everything import BENGALI, HOSTILE, document

markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")


class Shown(HTMLParser):
    """The text of a page, and the elements in it."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.elements: list[str] = []
        self.columns: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        if tag == "tr":
            self.columns.append(0)
        if tag in ("td", "th"):
            self.columns[-1] += 1

    def handle_data(self, data: str) -> None:
        self.text += data


def read(source: str) -> Shown:
    shown = Shown()
    shown.feed(markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(source))
    return shown


def source(**changes) -> str:
    return markdown.write(document(**changes)).decode()


NOTATIONS = [Notation(), Notation(layer="subscript", first=0), Notation(layer="superscript", names="xyz")]


@pytest.mark.parametrize("notation", NOTATIONS)
def test_mathematics_survives_being_read_as_markdown(notation: Notation):
    text = source(notation=notation)
    shown = read(text).text
    displays = re.findall(r"\$\$\n.*?\n\$\$", text, re.DOTALL)
    assert len(displays) > 25
    for display in displays:
        assert display in shown
    inline = re.findall(r"(?<!\$)\$[^$\n]+\$(?!\$)", text)
    assert len(inline) > 8
    for formula in inline:
        assert formula in shown
        assert not re.search(r"\\[^A-Za-z]", formula), formula
    assert not re.search(r"\\[^A-Za-z]", "".join(displays))


def test_text_shows_as_it_was():
    shown = read(source())
    assert shown.text.count(HOSTILE) == 3
    assert BENGALI in shown.text
    assert "script" not in shown.elements
    assert "em" not in shown.elements


def test_an_address_is_a_link():
    assert "<https://example.org/a_b/c-d?e=1&f=%20#g>." in source()
    anchor = '<a id="title"></a>'  # by which the file is known again
    assert read(source(contents=False).removeprefix(anchor)).elements.count("a") == 1


def test_a_table_is_a_table_with_its_columns():
    assert read(source()).columns == [3, 3, 3]


@pytest.mark.parametrize(
    "words", ["- not a list", "1. not a list", "+ not a list", "# no heading", "> no quote"]
)
def test_a_paragraph_cannot_begin_something_else(words: str):
    shown = read(markdown.write(Document("t", "en", (Paragraph((words,)),), Notation())).decode())
    assert shown.elements == ["p"]
    assert shown.text.strip() == words


def test_contents_lead_to_their_anchors():
    text = source()
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert links == ["problem", "forward", "layer-1", "changes"]
    assert all(f'<a id="{link}"></a>' in text for link in links)
    assert "](#" not in source(contents=False)


def test_figures_stand_in_the_text_or_beside_it():
    beside = markdown.figures(document(), "net")
    assert list(beside) == ["net-figure-1.svg"]
    assert beside["net-figure-1.svg"].startswith(b"<svg")
    assert "(net-figure-1.svg)" in markdown.write(document(), beside="net").decode()
    assert "(data:image/svg+xml;base64,PHN2Z" in source()


def test_two_runs_give_the_same_bytes_and_unknown_blocks_are_refused():
    assert markdown.write(document()) == markdown.write(document())
    with pytest.raises(RenderError, match="str"):
        markdown.write(Document("t", "en", ("text",), Notation()))  # type: ignore[arg-type]


def test_a_heading_keeps_its_level():
    blocks = tuple(Heading(level, (f"h{level}",)) for level in (1, 2, 3, 4))
    assert read(markdown.write(Document("t", "en", blocks, Notation())).decode()).elements == [
        "h1",
        "h2",
        "h3",
        "h4",
    ]
