"""An SVG in Typst source, its words in other scripts set by Typst itself.

Typst's reader of SVG shapes Latin words well, but loses letters of scripts whose letters join and change
places, so those words are taken out of the SVG and placed over it.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from handgrad.errors import RenderError
from handgrad.render.typst.math import string
from handgrad.writing.scripts import SCRIPTS

POINTS = 0.75
"""One pixel of SVG is three quarters of a point."""

_SVG = "{http://www.w3.org/2000/svg}"
_COLOUR = re.compile(r"#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?")
# share of the width of a text that lies before its anchor
_BEFORE = {"start": 0.0, "middle": 0.5, "end": 1.0}


def figure_source(
    svg: str, size: tuple[float, float], description: str, most_width: float | None = None
) -> str:
    """Typst content for the SVG of `size` (width, height in pixels), at most `most_width` points wide.

    Raises RenderError for text that is no SVG.
    """
    width, height = (side * POINTS for side in size)
    scale = 1.0 if most_width is None else min(1.0, most_width / width)
    words: list[str] = []
    if any(script.occurs_in(svg) for script in SCRIPTS):
        svg, words = _words_apart(svg, scale)
    picture = (
        f'image(bytes({string(svg)}), format: "svg", width: {width * scale:.2f}pt, '
        f"height: {height * scale:.2f}pt, alt: {string(description)})"
    )
    if not words:
        return picture
    sides = f"width: {width * scale:.2f}pt, height: {height * scale:.2f}pt"
    return f"box({sides}, {{ {picture}; {'; '.join(words)} }})"


def _words_apart(svg: str, scale: float) -> tuple[str, list[str]]:
    """The SVG without the texts in other scripts, and those texts as Typst."""
    try:
        root = ET.fromstring(svg)
    except ET.ParseError as error:
        raise RenderError(f"a figure is not SVG: {error}") from error
    words = []
    for parent in list(root.iter()):
        for element in list(parent):
            text = "".join(element.itertext())
            own_place = "transform" not in element.attrib and "x" in element.attrib
            if element.tag == f"{_SVG}text" and own_place and any(s.occurs_in(text) for s in SCRIPTS):
                parent.remove(element)
                words.append(_word(element, text, scale))
    ET.register_namespace("", _SVG[1:-1])
    return ET.tostring(root, encoding="unicode"), words


def _word(element: ET.Element, text: str, scale: float) -> str:
    """One text on its baseline, where its anchor says."""
    points = POINTS * scale
    x, y, size = (float(element.get(name, "0")) * points for name in ("x", "y", "font-size"))
    before = _BEFORE.get(element.get("text-anchor", "start"), 0.0)
    fill = element.get("fill", "#000000")
    colour = fill if _COLOUR.fullmatch(fill) else "#000000"
    weight = "bold" if element.get("font-weight") == "bold" else "regular"
    style = f'size: {size:.2f}pt, weight: "{weight}", fill: rgb("{colour}")'
    written = f'text({style}, top-edge: "baseline", bottom-edge: "baseline", {string(text.strip())})'
    return (
        f"context {{ let word = {written}; "
        f"place(top + left, dx: {x:.2f}pt - {before} * measure(word).width, dy: {y:.2f}pt, word) }}"
    )
