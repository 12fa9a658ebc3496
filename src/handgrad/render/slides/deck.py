"""A document as one HTML deck: arrow keys, one equation a frame, no network.

Without a script all frames stand one below the other; printed, each is a page.
"""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path

from handgrad.diagram.shapes import Scene
from handgrad.render.document import Document
from handgrad.render.html.page import PageWriter, stylesheet
from handgrad.render.slides.frames import Frame, frames, network_of


def write(document: Document) -> bytes:
    """The document as a deck of HTML, UTF-8.

    Raises RenderError for a kind of block, node or box without a rule.
    """
    page, network = PageWriter(document), network_of(document)
    made = frames(document)
    words = {key: escape(page.words.text(f"slides_{key}")) for key in ("back", "on", "progress", "page")}
    written = "\n".join(_frame(page, frame, network) for frame in made)
    bar = (
        f'<nav class="bar" aria-label="{words["page"]}">\n'
        f'<button type="button" aria-label="{words["back"]}">←</button>\n'
        f'<progress max="{len(made)}" value="1" aria-label="{words["progress"]}"></progress>\n'
        f'<output aria-live="polite">1 / {len(made)}</output>\n'
        f'<button type="button" aria-label="{words["on"]}">→</button>\n</nav>'
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(document.language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="generator" content="handgrad">\n'
        f"<title>{escape(document.title)}</title>\n<style>\n{stylesheet()}\n{_part('deck.css')}</style>\n</head>\n"
        f"<body>\n<main>\n{written}\n</main>\n{bar}\n<script>\n{{\n{_part('deck.js')}}}\n</script>\n</body>\n</html>\n"
    ).encode()


@cache
def _part(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _frame(page: PageWriter, frame: Frame, network: Scene | None) -> str:
    *trail, last = (page.spans(spans) for spans in frame.headings) if frame.headings else ("",)
    where = "" if network is None else f'<figure class="where">\n{network.svg().strip()}\n</figure>'
    led = [block for block in frame.blocks if type(block).__name__ == "Paragraph"]
    rest = tuple(block for block in frame.blocks if block not in led)
    headed = f'<p class="trail">{" · ".join(trail[1:])}</p>' if trail[1:] else ""
    words = "\n".join(map(page.block, led))
    return (
        f'<section class="frame" data-lit="{" ".join(sorted(frame.lit))}">\n<div class="said">\n'
        f'<div class="words">\n{headed}<h2>{last}</h2>\n{words}\n</div>\n{where}\n</div>\n'
        f"{page.blocks(rest)}\n</section>"
    )
