"""A scene as a PNG or a PDF of its own size, drawn by Typst."""

from __future__ import annotations

import zlib

from handgrad.diagram.shapes import Scene
from handgrad.errors import RenderError
from handgrad.render.typst.figure import POINTS, figure_source
from handgrad.render.typst.math import string
from handgrad.writing.scripts import families_for, typst_module

FORMATS = ("png", "pdf")


def picture(scene: Scene, form: str, title: str = "", scale: float = 2.0) -> bytes:
    """The scene as a `png` or `pdf` file, on a transparent ground.

    `scale`: pixels of the PNG for one of the scene. The same picture gives the same bytes.

    Raises MissingExtraError without the typst package, RenderError for another format.
    """
    if form not in FORMATS:
        raise RenderError(f"a picture is written as {' or '.join(FORMATS)}, got {form!r}")
    typst = typst_module()
    families, fonts = families_for(scene.svg())
    names = "".join(f"{string(name)}, " for name in families)
    width, height = (f"{side * POINTS:.2f}pt" for side in (scene.width, scene.height))
    source = (
        f'#set document(title: {string(title)}, keywords: "handgrad", date: none)\n'
        f"#set page(width: {width}, height: {height}, margin: 0pt, fill: none)\n"
        f"#set text(font: ({names}))\n"
        f"#{figure_source(scene, title)}\n"
    )
    try:
        drawn: bytes = typst.compile(
            source.encode(), format=form, ppi=72 / POINTS * scale, font_paths=fonts, timestamp=0
        )
    except typst.TypstError as error:
        raise RenderError(f"Typst could not draw the picture {title!r}: {error}") from error
    return _marked(drawn) if form == "png" else drawn


def _marked(png: bytes) -> bytes:
    """The picture with the name of its software in a text chunk, after the header chunk of 25 bytes.

    Source: PNG specification, third edition, 11.3.3.2 tEXt.
    """
    text = b"tEXtSoftware\0handgrad"
    chunk = (len(text) - 4).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
    return png[:33] + chunk + png[33:]
