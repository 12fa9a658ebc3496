"""The same document in every medium of text shows the same numbers and the same labels."""

from __future__ import annotations

import html as entities
import json
import re
import unicodedata
from collections import Counter

import pytest

from handgrad.render.document import Document
from handgrad.render.html import page as html
from handgrad.render.latex import article as tex
from handgrad.render.markdown import markdown, notebook
from tests.render.everything import document, labels, literals

DECIMAL = re.compile(r"\d+\.\d+")


def of_html(sheet: Document) -> str:
    page = re.sub(r"(?s)<(style|script|svg).*?</\1>", "", html.write(sheet).decode())
    return entities.unescape(re.sub(r"<[^>]*>", " ", page))


def of_markdown(sheet: Document) -> str:
    text = re.sub(r"!\[[^]]*\]\([^)]*\)", "", markdown.write(sheet).decode())
    return entities.unescape(re.sub(r"\\hspace\{[^}]*\}|\\(?=[_*#`~\[\]!])", "", text))


def of_notebook(sheet: Document) -> str:
    cells = json.loads(notebook.write(sheet))["cells"]
    text = re.sub(r"!\[[^]]*\]\([^)]*\)", "", "\n".join(cell["source"] for cell in cells))
    return entities.unescape(re.sub(r"\\hspace\{[^}]*\}|\\(?=[_*#`~\[\]!])", "", text))


def of_tex(sheet: Document) -> str:
    text = tex.write(sheet).decode().split(r"\begin{document}")[1]
    text = re.sub(r"(?s)\\begin\{tikzpicture\}.*?\\end\{tikzpicture\}", "", text)
    return re.sub(r"\\hspace\{[^}]*\}|p\{[^}]*\}|\\(?=[_&#%$])", "", text)


MEDIA = {"html": of_html, "markdown": of_markdown, "notebook": of_notebook, "tex": of_tex}


@pytest.mark.parametrize("language", ["en", "bn"])
@pytest.mark.parametrize("medium", MEDIA)
def test_every_number_and_label_shows_as_often_as_it_should(medium: str, language: str):
    sheet = document(language)
    shown = unicodedata.normalize("NFKC", MEDIA[medium](sheet))
    expected = Counter(number for text in literals(sheet) for number in DECIMAL.findall(text))
    assert len(expected) > 20
    assert Counter(DECIMAL.findall(shown)) == expected
    for label in labels(sheet):
        assert label in shown
    assert "128" in shown
    assert "784" in shown
