"""A scene in Typst source: the shapes as an SVG, the words of other scripts set by Typst itself.

Typst's reader of SVG shapes Latin words well, but loses letters of scripts whose letters join and change
places, so those words are no part of the SVG and are placed over it.
"""

from __future__ import annotations

from dataclasses import replace

from handgrad.diagram.shapes import Scene, Text
from handgrad.render.typst.math import string
from handgrad.writing.scripts import SCRIPTS

POINTS = 0.75
"""One pixel of SVG is three quarters of a point."""

# share of the width of a text that lies before its anchor
_BEFORE = {"start": 0.0, "middle": 0.5, "end": 1.0}


def figure_source(
    scene: Scene, description: str, most_width: float | None = None, most_height: float | None = None
) -> str:
    """Typst content for the scene, at most `most_width` points wide and `most_height` high."""
    width, height = scene.width * POINTS, scene.height * POINTS
    scale = min(1.0, (most_width or width) / width, (most_height or height) / height)
    words = [shape for shape in scene.shapes if isinstance(shape, Text) and _of_another_script(shape.text)]
    drawn = replace(scene, shapes=tuple(shape for shape in scene.shapes if shape not in words))
    sides = f"width: {width * scale:.2f}pt, height: {height * scale:.2f}pt"
    svg = string(drawn.svg())
    picture = f'image(bytes({svg}), format: "svg", {sides}, alt: {string(description)})'
    if not words:
        return picture
    placed = "; ".join(_word(word, POINTS * scale) for word in words)
    return f"box({sides}, {{ {picture}; {placed} }})"


def _of_another_script(text: str) -> bool:
    return any(script.occurs_in(text) for script in SCRIPTS)


def _word(word: Text, points: float) -> str:
    """One text on its baseline, where its anchor says."""
    weight = "bold" if word.bold else "regular"
    style = f'size: {word.size * points:.2f}pt, weight: "{weight}", fill: rgb("{word.fill}")'
    written = f'text({style}, top-edge: "baseline", bottom-edge: "baseline", {string(word.text.strip())})'
    x, before = word.x * points, _BEFORE[word.anchor]
    return (
        f"context {{ let word = {written}; "
        f"place(top + left, dx: {x:.2f}pt - {before} * measure(word).width, dy: {word.y * points:.2f}pt, word) }}"
    )
