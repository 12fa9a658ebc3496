"""HTML, read with lxml: headings, paragraphs, preformatted text, tables, MathML and LaTeX within the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from handgrad.audit.page.running import passages
from handgrad.audit.page.script import GAP, Block, Grid, Passage, Script
from handgrad.audit.page.tex import linear
from handgrad.errors import CaseError, MissingExtraError

DEEPEST = 200
_BLOCKS = {
    "p", "div", "li", "ul", "ol", "dl", "dt", "dd", "section", "article", "main", "header", "footer", "blockquote",
    "body", "html", "table", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "figure", "figcaption", "details", "summary",
    "form", "aside", "nav", "hr", "tr", "td", "th", "center", "fieldset", "address",
}  # fmt: skip
_PASSED_OVER = {
    "script",
    "style",
    "head",
    "template",
    "noscript",
    "svg",
    "button",
    "select",
    "textarea",
    "iframe",
}
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def blocks_of_html(text: str, first: int = 1) -> list[Block]:
    """The blocks of a page of HTML; its first line has the number `first`.

    Raises MissingExtraError without lxml, CaseError for what is no HTML.
    """
    try:
        from lxml import etree, html
    except ImportError as error:
        raise MissingExtraError("reading a page of HTML", "pages") from error
    try:
        parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError as error:
        if "empty" in str(error):  # as a block of Markdown is that is one closing tag
            return []
        raise CaseError(f"not HTML that can be read ({error})") from error
    except (etree.XMLSyntaxError, ValueError) as error:
        raise CaseError(f"not HTML that can be read ({error})") from error
    return list(_rejoined(_Reader(first).all(root)))


_NAME_ALONE = re.compile(r"\s*[^\s=≈:;,.!?]{1,60}\s*")
_GOES_ON = re.compile(r"\s*[=≈]")


def _rejoined(blocks: Iterable[Block]) -> Iterator[Block]:
    """Equations whose two sides stand in boxes of their own, so that a browser can break them, as one again."""
    above: Passage | None = None
    for block in blocks:
        text = isinstance(block, Passage) and block.kind == "text"
        if above is not None and isinstance(block, Passage) and text and _GOES_ON.match(block.script.text):
            yield Passage("math", Script.joined((above.script, block.script)))
            above = None
            continue
        if above is not None:
            yield above
        above = (
            block
            if isinstance(block, Passage) and text and _NAME_ALONE.fullmatch(block.script.text)
            else None
        )
        if above is None:
            yield block
    if above is not None:
        yield above


class _Reader:
    """A tree of elements on its way to blocks: text is gathered until an element ends it."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.run: list[Script] = []
        self.line = first

    def all(self, root: Any) -> Iterator[Block]:
        """Every block in its order."""
        yield from self._element(root, 0)
        yield from self._gathered()

    def _gathered(self) -> Iterator[Block]:
        script, self.run = Script.joined(self.run), []
        if script.text.strip():
            yield from passages(script)

    def _say(self, text: str | None, verbatim: bool = False) -> None:
        """Text after what was read: its line follows from the ends of lines before it."""
        if not text:
            return
        made = Script.of(text, self.line)
        self.line += text.count("\n")
        if not verbatim:
            made = Script(text.replace("\n", " "), made.lines)
        self.run.append(made)

    def _mark(self, text: str) -> None:
        self.run.append(Script.on(text, self.line))

    def _element(self, element: Any, depth: int) -> Iterator[Block]:
        if not isinstance(element.tag, str):
            self._say(element.tail)
            return
        if depth > DEEPEST:
            raise CaseError(
                f"line {self.line}: elements are nested more than {DEEPEST} deep; write it flatter"
            )
        if element.sourceline:
            self.line = max(self.line, self.first + element.sourceline - 1)
        tag = element.tag.lower()
        if tag in _BLOCKS:
            yield from self._gathered()
        rule = (
            getattr(self, f"_{tag}", None)
            if tag in ("pre", "table", "math", "script", "br", "sub", "sup")
            else None
        )
        if rule is not None:
            yield from rule(element, depth)
        elif tag in _HEADINGS:
            heading = _words(element)
            yield Passage("heading", Script.on(heading, self.line), int(tag[1]))
        elif tag not in _PASSED_OVER and "katex-html" not in (element.get("class") or ""):
            yield from self._inside(element, depth)
        if tag in _BLOCKS:
            yield from self._gathered()
        self._say(element.tail)

    def _inside(self, element: Any, depth: int) -> Iterator[Block]:
        code = element.tag == "code"
        self._mark(GAP if code else "")
        self._say(element.text)
        for child in element:
            yield from self._element(child, depth + 1)
        self._mark(GAP if code else "")

    def _br(self, element: Any, depth: int) -> Iterator[Block]:
        self._mark("\n")
        yield from ()

    def _sub(self, element: Any, depth: int) -> Iterator[Block]:
        self._mark("_{")
        yield from self._inside(element, depth)
        self._mark("}")

    def _sup(self, element: Any, depth: int) -> Iterator[Block]:
        self._mark("^{")
        yield from self._inside(element, depth)
        self._mark("}")

    def _script(self, element: Any, depth: int) -> Iterator[Block]:
        kind = element.get("type") or ""
        if kind.startswith("math/tex") and element.text:
            if "display" in kind:
                yield from self._gathered()
                yield Passage("math", linear(element.text, self.line))
            else:
                self.run += [
                    Script.on(GAP, self.line), linear(element.text, self.line), Script.on(GAP, self.line)
                ]  # fmt: skip

    def _pre(self, element: Any, depth: int) -> Iterator[Block]:
        self._preformatted(element)
        script, self.run = Script.joined(self.run), []
        if script.text.strip():
            yield Passage("code", script)

    def _preformatted(self, element: Any) -> None:
        marks = {"sub": ("_{", "}"), "sup": ("^{", "}"), "br": ("\n", "")}.get(element.tag, ("", ""))
        self._mark(marks[0])
        self._say(element.text, verbatim=True)
        for child in element:
            self._preformatted(child)
            self._say(child.tail, verbatim=True)
        self._mark(marks[1])

    def _table(self, element: Any, depth: int) -> Iterator[Block]:
        rows: list[tuple[bool, list[Script]]] = []
        first = self.line
        for row in element.iter("tr"):
            cells = [cell for cell in row if isinstance(cell.tag, str) and cell.tag in ("td", "th")]
            read = [self._cell(cell, depth) for cell in cells]
            rows.append((all(cell.tag == "th" for cell in cells), read))
        if not rows:
            return
        headed = rows[0][0] and len(rows) > 1
        header = rows[0][1] if headed else []
        yield Grid(tuple(header), tuple(tuple(cells) for _, cells in rows[headed:]), first)

    def _cell(self, cell: Any, depth: int) -> Script:
        outer, self.run = self.run, []
        if cell.sourceline:
            self.line = max(self.line, self.first + cell.sourceline - 1)
        for _ in self._inside(cell, depth + 2):
            pass
        read, self.run = Script.joined(self.run), outer
        parts = [part.script for part in passages(read)]
        return Script.joined(parts)

    def _math(self, element: Any, depth: int) -> Iterator[Block]:
        from handgrad.audit.page.mathml import linear_mathml

        source = next((note for note in element.iter("{*}annotation", "annotation") if note.text), None)
        if source is not None and "tex" in (source.get("encoding") or ""):
            made = linear(source.text, self.line)
        else:
            made = Script.on(linear_mathml(element), self.line)
        if element.get("display") == "block":
            yield from self._gathered()
            yield Passage("math", made)
        else:
            self.run += [Script.on(GAP, self.line), made, Script.on(GAP, self.line)]


def _words(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())
