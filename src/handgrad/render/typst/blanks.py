"""Places to write into as boxes with a mark; `render.typst.form` puts a field of a form where each mark stands."""

from __future__ import annotations

from typing import Protocol

from handgrad.render.document import Blanks
from handgrad.writing.phrasebook import Spans

MARK = "handgrad-field:"
"""Each box links to this and the number of its field, counted from 0 in the order of the document."""
_EM = 0.62
"""Width of a digit that somebody writes, in em."""

PREAMBLE = """\
#let field-box(number, width) = link("handgrad-field:" + str(number), box(
  width: width, height: 1.55em, stroke: 0.5pt + luma(120), radius: 2pt, fill: luma(252)))
#let field-matrix(target, width, columns, first, count, remark) = {
  let places = range(count).map(k => field-box(first + k, width))
  let body = if count == 1 { places.first() } else {
    math.equation(math.mat(delim: "[", gap: 5pt, ..places.map(math.display).chunks(columns)))
  }
  block(breakable: false, above: 1.5em, below: 1.5em, grid(
    columns: 3, column-gutter: 0.5em, align: horizon, target, body,
    if remark != none { pad(left: 0.4em, text(size: 9pt, fill: luma(70), remark)) }))
}"""


class Words(Protocol):
    """Writes running text; `fields` counts the fields that were written."""

    fields: int

    def spans(self, spans: Spans) -> str: ...


def blanks(writer: Words, block: Blanks) -> str:
    """target = a matrix of boxes, or one; nothing for hidden fields, which are counted."""
    count, first = sum(map(len, block.rows)), writer.fields
    writer.fields += count
    if not block.shown:
        return ""
    remark = f"[{writer.spans(block.remark)}]" if block.remark else "none"
    width = f"{_EM * block.digits + 0.8:.2f}em"
    return f"#field-matrix([{writer.spans(block.target)}], {width}, {len(block.rows[0])}, {first}, {count}, {remark})"
