"""An SVG as a PNG or a PDF of its own size, drawn by Typst."""

from __future__ import annotations

from handgrad.errors import RenderError
from handgrad.render.typst.figure import POINTS, figure_source
from handgrad.render.typst.math import string
from handgrad.writing.scripts import families_for, typst_module

FORMATS = ("png", "pdf")


def picture(svg: str, size: tuple[float, float], form: str, title: str = "", scale: float = 2.0) -> bytes:
    """The SVG of `size` (width, height in pixels) as a `png` or `pdf` file, on a transparent ground.

    `scale`: pixels of the PNG for one of the SVG. The same picture gives the same bytes.

    Raises MissingExtraError without the typst package, RenderError for another format.
    """
    if form not in FORMATS:
        raise RenderError(f"a picture is written as {' or '.join(FORMATS)}, got {form!r}")
    typst = typst_module()
    families, fonts = families_for(svg)
    names = "".join(f"{string(name)}, " for name in families)
    width, height = (f"{side * POINTS:.2f}pt" for side in size)
    source = (
        f"#set document(title: {string(title)}, date: none)\n"
        f"#set page(width: {width}, height: {height}, margin: 0pt, fill: none)\n"
        f"#set text(font: ({names}))\n"
        f"#{figure_source(svg, size, title)}\n"
    )
    try:
        drawn: bytes = typst.compile(
            source.encode(), format=form, ppi=72 / POINTS * scale, font_paths=fonts, timestamp=0
        )
    except typst.TypstError as error:
        raise RenderError(f"Typst could not draw the picture {title!r}: {error}") from error
    return drawn
