r"""A document as a LaTeX article that compiles by itself.

Text of Latin letters is for pdflatex; with letters of another script (Bengali) the file asks for lualatex or
xelatex, and the letters are set in the first font found of those that have their conjuncts. Figures are TikZ.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from handgrad.diagram.palette import PALETTE
from handgrad.errors import RenderError
from handgrad.render.document import (
    Blanks,
    Block,
    Bullets,
    Code,
    Document,
    Figure,
    Fold,
    Formula,
    Heading,
    Paragraph,
    Table,
    fields_of,
)
from handgrad.render.latex.blanks import COMMANDS as BLANK_COMMANDS
from handgrad.render.latex.blanks import blanks
from handgrad.render.latex.math import TEX, Dialect, box_latex, escape, formula_latex
from handgrad.render.latex.tikz import tikz
from handgrad.render.links import with_links
from handgrad.render.math.boxes import width
from handgrad.render.math.columns import Room
from handgrad.render.math.tables import rooms_of
from handgrad.render.math.typeset import Style, typeset
from handgrad.worked.expressions import Symbol
from handgrad.writing.letters import plain
from handgrad.writing.phrasebook import Phrasebook, Spans

_BENGALI = re.compile(
    r"[\u0980-\u09ff\u0964\u0965\u200c\u200d]+(?:[ ,:;.!?()-]*[\u0980-\u09ff\u0964\u0965\u200c\u200d]+)*"
)
_BENGALI_FONTS = ("Noto Serif Bengali", "Noto Sans Bengali", "Lohit Bengali", "Nirmala UI", "Kohinoor Bangla")
_PAGE_WIDTH = 42.0  # em of text on a line
_SLACK = 2.0  # em by which widths may be estimated too small
_LONG_CELL = 14.0  # em from which a column of words is set as a paragraph

_MOST_CONTENTS = 60  # parts of parts from which on the contents list the parts only

_PREAMBLE = r"""\usepackage[a4paper,margin=24mm]{geometry}
\usepackage{amsmath,amssymb,graphicx,xcolor,array,longtable,booktabs}
"""
_COLOURS = "".join(
    f"\\definecolor{{q{kind}}}{{HTML}}{{{shade.light[1:].upper()}}}\n"
    f"\\newcommand{{\\q{kind}}}[1]{{{{\\color{{q{kind}}}#1}}}}\n"
    for kind, shade in PALETTE.items()
)
_COMMANDS = r"""\usepackage[hidelinks]{hyperref}
\setcounter{secnumdepth}{0}
\setcounter{tocdepth}{DEPTH}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.5\baselineskip}
\setlength{\jot}{5pt}
\setlength{\emergencystretch}{3em}
\setlength{\LTleft}{0pt}
\setcounter{MaxMatrixCols}{64}
% A formula, made smaller only where the line is too short for it or the page too low.
\newsavebox{\formulabox}
\newcommand{\formula}[1]{\sbox{\formulabox}{$\displaystyle #1$}\par\smallskip
  \ifdim\dimexpr\ht\formulabox+\dp\formulabox>0.96\textheight
    \sbox{\formulabox}{\resizebox*{!}{0.96\textheight}{\usebox{\formulabox}}}\fi
  \ifdim\wd\formulabox>\linewidth\resizebox{\linewidth}{!}{\usebox{\formulabox}}%
  \else\usebox{\formulabox}\fi\par\smallskip}
\newcommand{\tablerows}{\renewcommand{\arraystretch}{1.4}}
\newcommand{\shapeline}[1]{{\vspace{-0.4\baselineskip}\footnotesize\color{black!60}#1\par}}
\newcommand{\sourceline}[1]{{\small\color{black!65}\raggedright #1\par}}
\newcommand{\settings}[1]{{\footnotesize\color{black!70}#1\par}}
\newcommand{\note}[1]{{\itshape #1\par}}
\newcommand{\codeline}[1]{{\small\ttfamily\frenchspacing\raggedright\mbox{}#1\par}\vspace{-0.45\baselineskip}}
\newcommand{\observation}[1]{\begin{quote}#1\end{quote}}
\makeatletter
\newenvironment{fold}[1]{\par\medskip\textbf{#1}\par\nobreak\@beginparpenalty10000
  \begin{list}{}{\leftmargin1.2em\rightmargin0pt\parsep\parskip}\item\relax}{\end{list}}
\makeatother
"""


def write(document: Document) -> bytes:
    """The document as a LaTeX file, UTF-8.

    Raises RenderError for a kind of block, node or box without a rule.
    """
    return _Article(document).text().encode()


class _Article:
    """One file in the making: the document, its words and its notation."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.style = Style(document.notation, document.language, quantities=True)
        self.words = Phrasebook(document.language)
        self.dialect = Dialect(TEX.new_row, TEX.less, TEX.greater, self.escape)

    def text(self) -> str:
        body = self._body()
        depth = "1" if body.count(r"\subsection{") > _MOST_CONTENTS else "2"
        title, contents = self.escape(self.document.title), self.escape(self.words.text("contents"))
        form = any(fields_of(self.document.blocks))
        if form:
            body = f"\\begin{{Form}}\n{body}\n\\end{{Form}}"
        # pdflatex has no font for these letters
        bengali = any(r"{\bengali " in text for text in (body, title, contents))
        return "".join(
            [
                f"% !TeX program = {'lualatex' if bengali else 'pdflatex'}\n",
                "\\documentclass[11pt]{article}\n",
                _PREAMBLE,
                "\\usepackage{tikz}\n" if r"\begin{tikzpicture}" in body else "",
                self._fonts(bengali),
                _COLOURS,
                _COMMANDS.replace("DEPTH", depth),
                BLANK_COMMANDS if form else "",
                f"\\hypersetup{{pdftitle={{{title}}}}}\n",
                f"\\renewcommand{{\\contentsname}}{{{contents}}}\n",
                f"\\begin{{document}}\n{body}\n\\end{{document}}\n",
            ]
        )

    @staticmethod
    def _fonts(bengali: bool) -> str:
        if not bengali:
            # letters of eight bits, from fonts that scale where they are installed
            return "\\usepackage[T1]{fontenc}\n\\IfFileExists{lmodern.sty}{\\usepackage{lmodern}}{}\n"
        chosen = (
            r"\PackageError{handgrad}{No font with Bengali letters was found}"
            r"{Install Noto Serif Bengali (Debian: fonts-noto-core) or Lohit Bengali "
            r"(Debian: fonts-lohit-beng-bengali)}"
        )
        for name in reversed(_BENGALI_FONTS):
            chosen = f"\\IfFontExistsTF{{{name}}}{{\\bengalifont{{{name}}}}}\n  {{{chosen}}}"
        return (
            "\\usepackage{fontspec}\n\\ifdefined\\directlua\n"
            "  \\newcommand{\\bengalifont}[1]{%\n"
            "    \\newfontfamily\\bengali{#1}[Script=Bengali,Renderer=HarfBuzz]}\n"
            "\\else\n  \\newcommand{\\bengalifont}[1]{\\newfontfamily\\bengali{#1}[Script=Bengali]}\n\\fi\n"
            f"{chosen}\n"
        )

    def escape(self, text: str) -> str:
        """Text for LaTeX, runs of Bengali in their own font."""
        parts, end = [], 0
        for run in _BENGALI.finditer(text):
            parts += [escape(text[end : run.start()]), f"{{\\bengali {run[0]}}}"]
            end = run.end()
        return "".join([*parts, escape(text[end:])])

    def _body(self) -> str:
        parts: list[str] = []
        listed = not self.document.contents
        for block in self.document.blocks:
            if not listed and isinstance(block, Heading) and block.level > 1:
                parts.append("\\tableofcontents\n\\bigskip")
                listed = True
            parts.append(self.block(block))
        return "\n\n".join(parts)

    def block(self, block: Block) -> str:
        rule = RULES.get(type(block))
        if rule is None:
            raise RenderError(
                f"no rule to write {type(block).__name__} as LaTeX; add one to RULES in render/latex/article.py"
            )
        return rule(self, block)

    def spans(self, spans: Spans) -> str:
        return "".join(
            with_links(span, self.escape, _address)
            if isinstance(span, str)
            else f"${box_latex(typeset(span, self.style), self.dialect)}$"
            for span in spans
        )

    def cell(self, spans: Spans, room: Room) -> str:
        """What stands in a cell, and room behind it where its column needs some."""
        behind = "".join(f"${box_latex(box, self.dialect)}$" for box in room.boxes())
        return self.spans(spans) + behind

    def plain(self, spans: Spans) -> str:
        """The spans without mathematics, for bookmarks."""
        texts = (
            span
            if isinstance(span, str)
            else plain(span, self.style.notation)
            if isinstance(span, Symbol)
            else ""
            for span in spans
        )
        return escape("".join(c for text in texts for c in text if c.isascii() or c.isalpha()))

    def span_width(self, spans: Spans) -> float:
        """Roughly how wide the spans are set, in em."""
        return sum(
            0.48 * len(span) if isinstance(span, str) else width(typeset(span, self.style)) for span in spans
        )


def _address(address: str) -> str:
    """An address that may break after its signs."""
    return re.sub(r"(?<=[-/.=?])(?=.)", r"\\allowbreak{}", escape(address))


_SECTIONS = {2: "section", 3: "subsection", 4: "subsubsection"}


def _heading(article: _Article, heading: Heading) -> str:
    text = article.spans(heading.spans)
    if heading.level == 1:
        return f"{{\\LARGE\\bfseries\\raggedright {text}\\par}}"
    label = f"\\label{{{heading.anchor}}}" if heading.anchor else ""
    if any(not isinstance(span, str) for span in heading.spans):
        text = f"\\texorpdfstring{{{text}}}{{{article.plain(heading.spans)}}}"
    return f"\\{_SECTIONS[heading.level]}{{{text}}}{label}"


_ROLES = {
    "source": r"\sourceline",
    "settings": r"\settings",
    "note": r"\note",
    "observation": r"\observation",
}


def _paragraph(article: _Article, paragraph: Paragraph) -> str:
    text = article.spans(paragraph.spans)
    command = _ROLES.get(paragraph.role)
    return text if command is None else f"{command}{{{text}}}"


def _formula(article: _Article, formula: Formula) -> str:
    shapes = f"\n\\shapeline{{{article.spans(formula.shapes)}}}" if formula.shapes else ""
    return f"\\formula{{{formula_latex(formula, article.style, article.dialect)}}}{shapes}"


def _bullets(article: _Article, bullets: Bullets) -> str:
    items = "\n".join(f"\\item {article.spans(item)}" for item in bullets.items)
    return f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}" if bullets.items else ""


def _columns(article: _Article, table: Table) -> str:
    """The columns by their sides; long words get a column of paragraphs."""
    widths = [max(map(article.span_width, column)) for column in zip(table.header, *table.rows, strict=True)]
    if sum(widths) + 1.1 * len(widths) <= _PAGE_WIDTH - _SLACK:
        return table.align
    long = [size for size in widths if size > _LONG_CELL]
    room = max(
        _PAGE_WIDTH - _SLACK - sum(size + 1.1 for size in widths if size <= _LONG_CELL) - 1.1 * len(long),
        10.0,
    )
    sides = {"l": r"\raggedright", "c": r"\centering", "r": r"\raggedleft"}
    return "".join(
        side
        if size <= _LONG_CELL
        else f">{{{sides[side]}\\arraybackslash}}p{{{room * size / sum(long) / _PAGE_WIDTH:.3f}\\linewidth}}"
        for side, size in zip(table.align, widths, strict=True)
    )


def _table(article: _Article, table: Table) -> str:
    header = " & ".join(f"\\textbf{{{article.spans(cell)}}}" for cell in table.header)
    rows = "\n".join(
        " & ".join(map(article.cell, row, rooms)) + r" \\"
        for row, rooms in zip(table.rows, rooms_of(table, article.style), strict=True)
    )
    caption = ""
    if table.caption:
        caption = (
            f"\\multicolumn{{{len(table.header)}}}{{l}}{{\\small {article.spans(table.caption)}}} \\\\[2pt]\n"
        )
    return (
        f"{{\\tablerows\n\\begin{{longtable}}{{{_columns(article, table)}}}\n{caption}\\toprule\n"
        f"{header} \\\\\n\\midrule\n\\endhead\n{rows}\n\\bottomrule\n\\end{{longtable}}}}"
    )


def _figure(article: _Article, figure: Figure) -> str:
    drawn = tikz(figure.scene, article.escape)
    caption = f"\\\\[4pt]\n{{\\small {article.spans(figure.caption)}}}" if figure.caption else ""
    description = "\n".join(f"% {line}" for line in figure.scene.description.splitlines())
    return f"{description}\n\\begin{{center}}\n{drawn}{caption}\n\\end{{center}}"


def _code(article: _Article, code: Code) -> str:
    """Line by line, so that letters of every script may stand in it; spaces stay."""
    written = []
    for line in code.lines:
        inner = line.lstrip(" ")
        blanks = "~" * (len(line) - len(inner))
        written.append(f"\\codeline{{{blanks}{article.escape(inner)}}}")
    return "\n".join(written) + "\n\\par\\medskip"


def _fold(article: _Article, fold: Fold) -> str:
    blocks = "\n\n".join(article.block(block) for block in fold.blocks)
    return f"\\begin{{fold}}{{{article.spans(fold.title)}}}\n{blocks}\n\\end{{fold}}"


RULES: dict[type, Callable[[_Article, Any], str]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Formula: _formula,
    Bullets: _bullets,
    Table: _table,
    Figure: _figure,
    Code: _code,
    Fold: _fold,
    Blanks: blanks,
}
"""How each kind of block is written."""
