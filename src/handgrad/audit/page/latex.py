"""A LaTeX document, walked with pylatexenc: sections, paragraphs, mathematics, tables, verbatim text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from handgrad.audit.page.script import GAP, Block, Grid, Passage, Script
from handgrad.audit.page.tex import MATH_ENVIRONMENTS, Linear, plainer, walker

_SECTIONS = {
    "part": 1,
    "chapter": 1,
    "section": 2,
    "subsection": 3,
    "subsubsection": 4,
    "paragraph": 5,
    "title": 1,
}
_EQUATION = re.compile(r"=|\\approx")
_MARKED = re.compile(r"[_^]\s*[{\w]|\\frac|\\begin\{\w*matrix")
_DRAWN = ("tikzpicture", "picture", "pspicture", "forest")
_VERBATIM = ("verbatim", "lstlisting", "minted", "Verbatim", "alltt")
_TABLES = ("tabular", "tabularx", "longtable", "tabular*", "array")
_WITH_ARGUMENT = {"tabularx": 2, "tabular*": 2, "tabular": 1, "longtable": 1}
_SILENT = {
    "documentclass", "usepackage", "newcommand", "renewcommand", "label", "ref", "cite", "includegraphics", "input",
    "bibliography", "bibliographystyle", "maketitle", "author", "date", "vspace", "hspace", "setlength", "eqref",
    "tableofcontents", "newpage", "pagestyle", "geometry", "href", "url", "footnotemark", "definecolor", "tag",
    "hline", "toprule", "midrule", "bottomrule", "centering", "small", "large", "noindent", "caption", "cline",
}  # fmt: skip


def blocks_of_latex(text: str, first: int = 1) -> list[Block]:
    """The blocks of a LaTeX document; its first line has the number `first`.

    Raises MissingExtraError without pylatexenc, CaseError for what is nested too deep.
    """
    text = plainer(text)
    nodes, _, _ = walker(text, first).get_latex_nodes()
    return list(_Document(text, first).all(nodes))


class _Document:
    """Nodes on their way to blocks: text is gathered until mathematics or a paragraph's end."""

    def __init__(self, text: str, first: int) -> None:
        self.linear = Linear(text, first)
        self.text = text
        self.run: list[Script] = []

    def all(self, nodes: Sequence[Any]) -> Iterator[Block]:
        """Every block in its order."""
        for node in nodes:
            yield from self._node(node)
        yield from self._gathered()

    def _gathered(self) -> Iterator[Block]:
        script, self.run = Script.joined(self.run), []
        if script.text.strip():
            yield Passage("text", script)

    def _node(self, node: Any) -> Iterator[Block]:
        rule = _NODES.get(type(node).__name__)
        if rule is not None:
            yield from rule(self, node)

    def _chars(self, node: Any) -> Iterator[Block]:
        script = Script.of(node.chars, self.linear.line(node.pos))
        place = 0
        while (end := script.text.find("\n\n", place)) >= 0:
            self.run.append(script.cut(place, end))
            yield from self._gathered()
            place = end + 2
        self.run.append(script.cut(place))

    def _group(self, node: Any) -> Iterator[Block]:
        inside = self.text[node.pos : node.pos + node.len]
        if "$" not in inside and _EQUATION.search(inside) and _MARKED.search(inside):
            yield from self._gathered()  # an author's own macro for a display of mathematics
            yield Passage("math", self.linear.all(node.nodelist))
            return
        for inner in node.nodelist:
            yield from self._node(inner)

    def _specials(self, node: Any) -> Iterator[Block]:
        if node.specials_chars == "\n\n":
            yield from self._gathered()
        else:
            self.run.append(self.linear.one(node))

    def _macro(self, node: Any) -> Iterator[Block]:
        name = node.macroname
        if name in _SECTIONS:
            yield from self._gathered()
            heading = self.linear.argument(node, -1)
            yield Passage("heading", heading, _SECTIONS[name])
        elif name == "verb":
            found = getattr(node.nodeargd, "verbatim_text", "")
            self.run.append(Script.on(f"{GAP}{found}{GAP}", self.linear.line(node.pos)))
        elif name in ("\\", "newline", "par", "item"):
            self.run.append(Script.on("\n", self.linear.line(node.pos)))
        elif name not in _SILENT:
            self.run.append(self.linear.one(node))

    def _math(self, node: Any) -> Iterator[Block]:
        made = self.linear.all(node.nodelist)
        if node.displaytype == "display":
            yield from self._gathered()
            yield Passage("math", made)
        else:
            gap = Script.on(GAP, self.linear.line(node.pos))
            self.run += [gap, made, gap]

    def _environment(self, node: Any) -> Iterator[Block]:
        name = node.environmentname
        if name.rstrip("*") in MATH_ENVIRONMENTS:
            yield from self._gathered()
            yield Passage("math", self.linear.all(node.nodelist))
        elif name in _VERBATIM:
            yield from self._gathered()
            yield self._verbatim(node)
        elif name in _TABLES:
            yield from self._gathered()
            yield self._table(node)
        elif name in _DRAWN:
            return  # the labels of a picture say what it shows, in no order
        else:
            for inner in node.nodelist:
                yield from self._node(inner)
            yield from self._gathered()

    def _verbatim(self, node: Any) -> Passage:
        inside = self.text[node.pos : node.pos + node.len]
        begin = inside.index("}") + 1
        end = inside.rfind("\\end")
        return Passage("code", Script.of(inside, self.linear.line(node.pos)).cut(begin, end))

    def _table(self, node: Any) -> Grid:
        rows: list[list[list[Any]]] = [[[]]]
        for inner in _body(node):
            kind = type(inner).__name__
            if kind == "LatexMacroNode" and inner.macroname in ("\\", "tabularnewline", "cr"):
                rows.append([[]])
            elif kind == "LatexSpecialsNode" and inner.specials_chars == "&":
                rows[-1].append([])
            elif kind != "LatexMacroNode" or inner.macroname not in _SILENT:
                rows[-1][-1].append(inner)
        read = [tuple(self.linear.all(cell) for cell in row) for row in rows]
        kept = [row for row in read if any(cell.text.strip() for cell in row)]
        line = self.linear.line(node.pos)
        return Grid(kept[0] if kept else (), tuple(kept[1:]), line)


def _body(node: Any) -> list[Any]:
    """The nodes of a table without the columns' description, where the walker has left it there."""
    nodes = list(node.nodelist)
    described = [] if node.nodeargd is None else list(node.nodeargd.argnlist or ())
    if any(argument is not None for argument in described):
        return nodes
    drop = _WITH_ARGUMENT.get(node.environmentname, 0)
    while drop and nodes and type(nodes[0]).__name__ == "LatexGroupNode":
        nodes.pop(0)
        drop -= 1
    return nodes


_NODES: dict[str, Callable[[_Document, Any], Iterator[Block]]] = {
    "LatexCharsNode": _Document._chars,
    "LatexGroupNode": _Document._group,
    "LatexSpecialsNode": _Document._specials,
    "LatexMacroNode": _Document._macro,
    "LatexMathNode": _Document._math,
    "LatexEnvironmentNode": _Document._environment,
}
