"""A figure as TikZ: the simple shapes that handgrad's own pictures are made of, read from their SVG."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

from handgrad.errors import RenderError

_POINT = 0.75  # one pixel of SVG is three quarters of a point
_LINE_HEIGHT = 1.2
_ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}
_DECORATIVE = ("title", "desc", "metadata")
_NAMED = {"black": "000000", "white": "ffffff", "gray": "808080", "grey": "808080"}
_COMMAND = re.compile(r"([MLHVZmlhvz])|(-?\d+(?:\.\d+)?)")


def tikz(svg: str, text: Callable[[str], str]) -> str:
    r"""The picture as a `tikzpicture`; `text` writes words for LaTeX.

    >>> print(tikz('<svg><circle cx="1" cy="2" r="3" fill="#ff0000"/></svg>', str))
    \begin{tikzpicture}[x=0.75pt,y=-0.75pt]
    \definecolor{figure-ff0000}{HTML}{FF0000}
    \path[fill=figure-ff0000] (1,2) circle[radius=2.25pt];
    \end{tikzpicture}

    Raises RenderError for what is not SVG, and for a kind of shape that has no rule here.
    """
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise RenderError(f"the figure is not SVG: {error}") from error
    shapes = list(_shapes(root, {}, text))
    colours = sorted(set(re.findall(r"figure-([0-9a-f]{6})", " ".join(shapes))))
    defined = [f"\\definecolor{{figure-{colour}}}{{HTML}}{{{colour.upper()}}}" for colour in colours]
    start = f"\\begin{{tikzpicture}}[x={_POINT}pt,y=-{_POINT}pt]"
    return "\n".join([start, *defined, *shapes, r"\end{tikzpicture}"])


def _shapes(
    element: ElementTree.Element, inherited: dict[str, str], text: Callable[[str], str]
) -> Iterator[str]:
    for child in element:
        kind = str(child.tag).rpartition("}")[2]
        given = {**inherited, **child.attrib}
        if "transform" in child.attrib:
            raise RenderError(f"a figure for LaTeX cannot have transformed shapes, got a {kind} with one")
        if kind in ("g", "svg"):
            yield from _shapes(child, given, text)
        elif kind == "text":
            yield _text("".join(child.itertext()), given, text)
        elif kind in RULES:
            yield f"\\path[{_paint(given)}] {RULES[kind](given)};"
        elif kind not in _DECORATIVE:
            raise RenderError(f"no rule to draw <{kind}> with TikZ; add one to RULES in render/tikz.py")


def _number(given: dict[str, str], name: str) -> str:
    return f"{float(given.get(name, '0')):g}"


def _colour(value: str) -> str:
    """The name of a colour of the picture; '' for none."""
    value = _NAMED.get(value, value).lstrip("#").lower()
    if value in ("none", "transparent"):
        return ""
    if re.fullmatch(r"[0-9a-f]{3}", value):
        value = "".join(2 * digit for digit in value)
    if not re.fullmatch(r"[0-9a-f]{6}", value):
        raise RenderError(f"a colour of a figure is written #rrggbb, got {value!r}")
    return f"figure-{value}"


def _paint(given: dict[str, str]) -> str:
    fill, stroke = _colour(given.get("fill", "#000000")), _colour(given.get("stroke", "none"))
    width = float(given.get("stroke-width", "1")) * _POINT
    options = [f"fill={fill}"] if fill else []
    if stroke and width:
        options += [f"draw={stroke}", f"line width={width:g}pt"]
        if given.get("stroke-dasharray", "none") != "none":
            options.append("dashed")
    opacity = given.get("opacity")
    return ",".join([*options, *([f"opacity={opacity}"] if opacity else [])])


def _line(given: dict[str, str]) -> str:
    x1, y1, x2, y2 = (_number(given, name) for name in ("x1", "y1", "x2", "y2"))
    return f"({x1},{y1}) -- ({x2},{y2})"


def _circle(given: dict[str, str]) -> str:
    radius = float(given["r"]) * _POINT
    return f"({_number(given, 'cx')},{_number(given, 'cy')}) circle[radius={radius:g}pt]"


def _rectangle(given: dict[str, str]) -> str:
    x, y = float(given.get("x", "0")), float(given.get("y", "0"))
    corner = f"({x + float(given['width']):g},{y + float(given['height']):g})"
    rounded = float(given.get("rx", "0")) * _POINT
    corners = f"[rounded corners={rounded:g}pt] " if rounded else ""
    return f"{corners}({x:g},{y:g}) rectangle {corner}"


def _points(given: dict[str, str]) -> list[str]:
    numbers = re.findall(r"-?\d+(?:\.\d+)?", given["points"])
    return [f"({x},{y})" for x, y in zip(numbers[::2], numbers[1::2], strict=True)]


def _path(given: dict[str, str]) -> str:
    """A path of straight lines."""
    drawn, command, numbers = "", "", list[float]()
    x = y = 0.0
    if re.sub(r"[\s,]", "", _COMMAND.sub("", given["d"])):
        raise RenderError(f"a path of a figure for LaTeX has straight lines only, got {given['d']!r}")
    for letter, number in _COMMAND.findall(given["d"]):
        if letter in ("Z", "z"):
            drawn += " -- cycle"
        elif letter:
            command, numbers = letter, []
        else:
            numbers.append(float(number))
            if len(numbers) < (1 if command in "HhVv" else 2):
                continue
            base_x, base_y = (x, y) if command.islower() else (0.0, 0.0)
            if command in "Hh":
                x = base_x + numbers[0]
            elif command in "Vv":
                y = base_y + numbers[0]
            else:
                x, y = base_x + numbers[0], base_y + numbers[1]
            join = (" " if drawn else "") if command in "Mm" else " -- "
            drawn += f"{join}({x:g},{y:g})"
            command, numbers = {"M": "L", "m": "l"}.get(command, command), []
    return drawn


def _text(words: str, given: dict[str, str], text: Callable[[str], str]) -> str:
    size = float(re.sub(r"[^\d.]", "", given.get("font-size", "16"))) * _POINT
    family = r"\rmfamily" if "sans" not in given.get("font-family", "sans") else r"\sffamily"
    shape = r"\itshape" if given.get("font-style") == "italic" else ""
    weight = r"\bfseries" if given.get("font-weight") in ("bold", "600", "700") else ""
    font = f"\\fontsize{{{size:g}pt}}{{{size * _LINE_HEIGHT:g}pt}}\\selectfont{family}{weight}{shape}"
    colour = _colour(given.get("fill", "#000000")) or "black"
    place = f"({_number(given, 'x')},{_number(given, 'y')})"
    anchor = _ANCHORS[given.get("text-anchor", "start")]
    return (
        f"\\node[anchor={anchor},inner sep=0pt,outer sep=0pt,text={colour},font={{{font}}}] at {place} "
        f"{{\\strut {text(' '.join(words.split()))}}};"
    )


RULES: dict[str, Callable[[dict[str, str]], str]] = {
    "line": _line,
    "circle": _circle,
    "rect": _rectangle,
    "polyline": lambda given: " -- ".join(_points(given)),
    "polygon": lambda given: " -- ".join([*_points(given), "cycle"]),
    "path": _path,
}
"""How each kind of shape is drawn; text has a form of its own."""
