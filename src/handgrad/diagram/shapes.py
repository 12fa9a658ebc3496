"""A picture as a list of simple shapes, and that list as SVG.

Only lines, broken lines, circles, rectangles and text, in absolute coordinates: whatever draws a scene in another
medium needs to know no more than these five. `of` names the quantity that a shape stands for ("W1 0,1").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from xml.sax.saxutils import escape, quoteattr

from handgrad.writing.scripts import SCRIPTS

WORDS = "Helvetica, Arial, 'Noto Sans', 'Libertinus Serif', sans-serif"
MATHEMATICS = "'New Computer Modern', 'Latin Modern Roman', 'Times New Roman', 'Libertinus Serif', serif"


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    stroke: str
    width: float
    of: str = ""

    def svg(self) -> str:
        """The shape as an SVG element."""
        return (
            f'<line x1="{number(self.x1)}" y1="{number(self.y1)}" '
            f'x2="{number(self.x2)}" y2="{number(self.y2)}" '
            f'stroke="{self.stroke}" stroke-width="{number(self.width)}"{_of(self.of)}/>'
        )


@dataclass(frozen=True, slots=True)
class Polyline:
    """Straight lines from point to point."""

    points: tuple[tuple[float, float], ...]
    stroke: str
    width: float
    dashed: bool = False

    def svg(self) -> str:
        """The shape as an SVG element."""
        points = " ".join(f"{number(x)},{number(y)}" for x, y in self.points)
        dash = ' stroke-dasharray="6 3"' if self.dashed else ""
        return (
            f'<polyline points="{points}" fill="none" stroke="{self.stroke}" '
            f'stroke-width="{number(self.width)}"{dash}/>'
        )


@dataclass(frozen=True, slots=True)
class Circle:
    """A filled circle, with a border where `width` is not 0."""

    cx: float
    cy: float
    r: float
    fill: str
    stroke: str = "none"
    width: float = 0.0
    of: str = ""

    def svg(self) -> str:
        """The shape as an SVG element."""
        return (
            f'<circle cx="{number(self.cx)}" cy="{number(self.cy)}" r="{number(self.r)}" fill="{self.fill}" '
            f'stroke="{self.stroke}" stroke-width="{number(self.width)}"{_of(self.of)}/>'
        )


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle with round corners of radius `r`."""

    x: float
    y: float
    width: float
    height: float
    r: float
    fill: str
    stroke: str
    of: str = ""

    def svg(self) -> str:
        """The shape as an SVG element."""
        return (
            f'<rect x="{number(self.x)}" y="{number(self.y)}" width="{number(self.width)}" '
            f'height="{number(self.height)}" rx="{number(self.r)}" '
            f'fill="{self.fill}" stroke="{self.stroke}"{_of(self.of)}/>'
        )


@dataclass(frozen=True, slots=True)
class Text:
    """Words on their baseline (x, y); `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    anchor: str = "middle"
    bold: bool = False
    italic: bool = False
    family: str = WORDS

    def svg(self) -> str:
        """The shape as an SVG element."""
        weight = ' font-weight="bold"' if self.bold else ""
        slant = ' font-style="italic"' if self.italic else ""
        return (
            f'<text x="{number(self.x)}" y="{number(self.y)}" font-family={quoteattr(self._families())} '
            f'font-size="{number(self.size)}"{weight}{slant} text-anchor="{self.anchor}" fill="{self.fill}">'
            f"{escape(self.text)}</text>"
        )

    def _families(self) -> str:
        """The family, behind those of the script that the text is in: not all viewers look for a letter in
        another font once the words have begun in one."""
        scripts = [script for script in SCRIPTS if script.occurs_in(self.text)]
        return ", ".join([*(f"'{name}'" for script in scripts for name in script.families[:3]), self.family])


Shape: TypeAlias = Line | Polyline | Circle | Box | Text


@dataclass(frozen=True, slots=True)
class Scene:
    """Shapes from back to front on a transparent ground, with what they show in words."""

    width: float
    height: float
    title: str
    description: str
    shapes: tuple[Shape, ...]

    def svg(self) -> str:
        """The picture as SVG text; the same scene gives the same text.

        >>> print(Scene(10, 10, "dot", "one dot", (Circle(5, 5, 2, "#000"),)).svg().splitlines()[1])
        <title>dot</title>
        """
        size = f'width="{number(self.width)}" height="{number(self.height)}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
                f'viewBox="0 0 {number(self.width)} {number(self.height)}" role="img">',
                f"<title>{escape(self.title)}</title>",
                f"<desc>{escape(self.description)}</desc>",
                *(shape.svg() for shape in self.shapes),
                "</svg>\n",
            ]
        )


def _of(quantity: str) -> str:
    """Which quantity the shape stands for: "W1 0,1" by its public name and its entry, or nothing."""
    if not quantity:
        return ""
    name, _, entry = quantity.partition(" ")
    return f" data-q={quoteattr(name)}" + (f" data-entry={quoteattr(entry)}" if entry else "")


def number(value: float) -> str:
    """Two decimals at most, no trailing zeros: 3.10 is 3.1, -0.00 is 0."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def text_width(text: str, size: float) -> float:
    """About how wide `text` comes out: fonts differ, so this is a mean over common ones."""
    return sum(size * (0.28 if letter in " .,:;'|ijl()[]" else 0.56) for letter in text)


def inside(shapes: Sequence[Shape], width: float, height: float) -> bool:
    """Whether all shapes lie within the picture."""
    for shape in shapes:
        match shape:
            case Line(x1, y1, x2, y2):
                corners = [(x1, y1), (x2, y2)]
            case Polyline(points):
                corners = list(points)
            case Circle(cx, cy, r):
                corners = [(cx - r, cy - r), (cx + r, cy + r)]
            case Box(x, y, w, h):
                corners = [(x, y), (x + w, y + h)]
            case Text(x, y):
                corners = [(x, y)]
        if any(not (0 <= x <= width and 0 <= y <= height) for x, y in corners):
            return False
    return True
