"""A figure as TikZ: one rule for each kind of shape that a scene is made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from handgrad.diagram.shapes import Box, Circle, Line, Polyline, Scene, Shape, Text
from handgrad.errors import RenderError

_POINT = 0.75  # one pixel of SVG is three quarters of a point
_LINE_HEIGHT = 1.2
_ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}


def tikz(scene: Scene, text: Callable[[str], str]) -> str:
    r"""The picture as a `tikzpicture`; `text` writes words for LaTeX.

    >>> print(tikz(Scene(9, 9, "dot", "one dot", (Circle(1, 2, 3, "#ff0000"),)), str))
    \begin{tikzpicture}[x=0.75pt,y=-0.75pt]
    \definecolor{figure-ff0000}{HTML}{FF0000}
    \path[fill=figure-ff0000] (1,2) circle[radius=2.25pt];
    \end{tikzpicture}

    Raises RenderError for a kind of shape that has no rule here, and for a colour that is not written #rrggbb.
    """
    shapes = [_drawn(shape, text) for shape in scene.shapes]
    colours = sorted(set(re.findall(r"figure-([0-9a-f]{6})", " ".join(shapes))))
    defined = [f"\\definecolor{{figure-{colour}}}{{HTML}}{{{colour.upper()}}}" for colour in colours]
    start = f"\\begin{{tikzpicture}}[x={_POINT}pt,y=-{_POINT}pt]"
    return "\n".join([start, *defined, *shapes, r"\end{tikzpicture}"])


def _drawn(shape: Shape, text: Callable[[str], str]) -> str:
    if isinstance(shape, Text):
        return _text(shape, text)
    rule = RULES.get(type(shape))
    if rule is None:
        raise RenderError(f"no rule to draw a {type(shape).__name__} with TikZ; add one to RULES")
    return rule(shape)


def _colour(value: str) -> str:
    """The name of a colour of the picture; '' for none."""
    if value == "none":
        return ""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise RenderError(f"a colour of a figure is written #rrggbb, got {value!r}")
    return f"figure-{value[1:].lower()}"


def _path(
    drawn: str, fill: str = "none", stroke: str = "none", width: float = 1.0, dashed: bool = False
) -> str:
    options = [f"fill={_colour(fill)}"] if _colour(fill) else []
    if _colour(stroke) and width:
        options += [f"draw={_colour(stroke)}", f"line width={width * _POINT:g}pt"]
        options += ["dashed"] if dashed else []
    return f"\\path[{','.join(options)}] {drawn};"


def _points(points: tuple[tuple[float, float], ...]) -> str:
    return " -- ".join(f"({_short(x)},{_short(y)})" for x, y in points)


def _short(value: float) -> str:
    return f"{round(value, 2):g}"


def _line(line: Line) -> str:
    return _path(_points(((line.x1, line.y1), (line.x2, line.y2))), stroke=line.stroke, width=line.width)


def _polyline(line: Polyline) -> str:
    return _path(_points(line.points), stroke=line.stroke, width=line.width, dashed=line.dashed)


def _circle(circle: Circle) -> str:
    drawn = f"({_short(circle.cx)},{_short(circle.cy)}) circle[radius={circle.r * _POINT:g}pt]"
    return _path(drawn, circle.fill, circle.stroke, circle.width)


def _box(box: Box) -> str:
    corners = f"[rounded corners={box.r * _POINT:g}pt] " if box.r else ""
    start, end = _points(((box.x, box.y),)), _points(((box.x + box.width, box.y + box.height),))
    return _path(f"{corners}{start} rectangle {end}", box.fill, box.stroke)


def _text(words: Text, text: Callable[[str], str]) -> str:
    size = words.size * _POINT
    family = r"\sffamily" if "sans-serif" in words.family else r"\rmfamily"
    shape = (r"\bfseries" if words.bold else "") + (r"\itshape" if words.italic else "")
    font = f"\\fontsize{{{size:g}pt}}{{{size * _LINE_HEIGHT:g}pt}}\\selectfont{family}{shape}"
    colour = _colour(words.fill) or "black"
    return (
        f"\\node[anchor={_ANCHORS[words.anchor]},inner sep=0pt,outer sep=0pt,text={colour},font={{{font}}}] "
        f"at {_points(((words.x, words.y),))} {{\\strut {text(' '.join(words.text.split()))}}};"
    )


RULES: dict[type, Callable[[Any], str]] = {Line: _line, Polyline: _polyline, Circle: _circle, Box: _box}
"""How each kind of shape is drawn; text has a form of its own."""
