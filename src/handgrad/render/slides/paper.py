"""A document as slides in a PDF, set by Typst: each frame a page, what it is about strong in the figure."""

from __future__ import annotations

from handgrad.diagram.shapes import Scene
from handgrad.render.document import Document
from handgrad.render.slides.frames import Frame, frames, lit_scene, network_of
from handgrad.render.typst.figure import figure_source
from handgrad.render.typst.page import PageSource
from handgrad.render.typst.pdf import compiled

_MOST_WIDTH, _MOST_HEIGHT = 310.0, 165.0
"""The figure in the corner, in points."""
_SLIDES = """\
#set page(paper: "presentation-16-9", margin: (x: 1.3cm, top: 1cm, bottom: 1.1cm))
#set text(size: 14.7pt)
#show heading: set text(size: 22pt)
#let frame(trail, headed, words, figure, body) = {
  grid(columns: (1fr, auto), column-gutter: 1.5em, [
    #text(size: 12pt, fill: luma(90), trail)
    #heading(level: 1, headed)
    #words
  ], figure)
  v(1.2em, weak: true)
  body
}
"""


def write(document: Document) -> bytes:
    """The slides as a PDF file; the same document gives the same bytes.

    Raises MissingExtraError without the typst package, RenderError where no font has the document's letters.
    """
    page, network = PageSource(document), network_of(document)
    body = "\n#pagebreak(weak: true)\n".join(_frame(page, frame, network) for frame in frames(document))
    return compiled(f"{page.head()}\n{_SLIDES}\n{body}\n", document.title)


def _frame(page: PageSource, frame: Frame, network: Scene | None) -> str:
    *trail, last = (page.spans(spans) for spans in frame.headings) if frame.headings else ("",)
    led = tuple(block for block in frame.blocks if type(block).__name__ == "Paragraph")
    rest = tuple(block for block in frame.blocks if block not in led)
    figure = "none"
    if network is not None:
        figure = figure_source(lit_scene(network, frame.lit), network.description, _MOST_WIDTH, _MOST_HEIGHT)
    words = "\n".join(map(page.block, led))
    return f"#frame([{' · '.join(trail[1:])}], [{last}], [{words}], {figure}, [{page.blocks(rest)}])"
