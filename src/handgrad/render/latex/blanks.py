r"""Places to write into as form fields of hyperref: the PDF that LaTeX makes of them can be filled in."""

from __future__ import annotations

from typing import Protocol

from handgrad.render.document import Blanks, Field
from handgrad.writing.phrasebook import Spans

_EM = 0.62
"""Width of a digit that somebody writes, in em."""


class Words(Protocol):
    """Writes running text, and plain text with its signs escaped."""

    def spans(self, spans: Spans) -> str: ...
    def escape(self, text: str) -> str: ...


def blanks(article: Words, block: Blanks) -> str:
    """target = a matrix of text fields, or one; of hidden ones a comment."""
    rows = [[field for field in row if not field.hidden] for row in block.rows]
    rows = [row for row in rows if row]
    comments = "".join(
        f"% {field.name} = {field.value}\n" for row in block.rows for field in row if field.hidden
    )
    if not rows:
        return comments.rstrip("\n")
    width = _EM * block.digits + 1.0
    places = r" \\[3pt] ".join(" & ".join(_field(field, width, article) for field in row) for row in rows)
    if len(rows) > 1 or len(rows[0]) > 1:
        columns = "c" * len(rows[0])
        places = rf"$\left[\begin{{array}}{{{columns}}}{places}\end{{array}}\right]$"
    remark = rf"\quad{{\footnotesize {article.spans(block.remark)}}}" if block.remark else ""
    return f"{comments}\\blankline{{{article.spans(block.target)} {places}{remark}}}"


COMMANDS = r"""\newcommand{\blankline}[1]{\sbox{\formulabox}{#1}\par\smallskip
  \ifdim\wd\formulabox>\linewidth\resizebox{\linewidth}{!}{\usebox{\formulabox}}%
  \else\usebox{\formulabox}\fi\par\smallskip}
"""


def _field(field: Field, width: float, article: Words) -> str:
    value = f",value={{{article.escape(field.value)}}}" if field.value else ""
    return (
        rf"\TextField[name={{{_plain(field.name)}}},width={width:.1f}em,height=1.1em,charsize=10pt,"
        rf"bordercolor=0.6 0.6 0.6{value}]{{}}"
    )


def _plain(name: str) -> str:
    """The name of a field without what divides keys, and without dots, which PDF takes for parts of a tree."""
    return name.replace(".", "-")
