"""Markdown, read with markdown-it: headings, paragraphs, fences, tables, mathematics between dollars."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from handgrad.audit.page.running import passages
from handgrad.audit.page.script import GAP, Block, Grid, Passage, Script
from handgrad.audit.page.tex import linear
from handgrad.errors import MissingExtraError

_ESCAPED_ONCE_MORE = re.compile(r"^\\#|\\\\\\\[", re.MULTILINE)
_ESCAPE = re.compile(r"\\([\\\[\]#*_&.()>+{}|-])")
_BRACKETS = re.compile(r"\\\[|\\\]|\\\(|\\\)")
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")
_TEX = ("latex", "tex", "math", "katex")
_MARKS = {
    "<sub>": "_{",
    "</sub>": "}",
    "<sup>": "^{",
    "</sup>": "}",
    "<br>": "\n",
    "<br/>": "\n",
    "<br />": "\n",
}


def blocks_of_markdown(text: str, first: int = 1) -> list[Block]:
    """The blocks of a page of Markdown; its first line has the number `first`.

    Raises MissingExtraError without markdown-it and its plugin for mathematics.
    """
    try:
        from markdown_it import MarkdownIt
        from mdit_py_plugins.amsmath import amsmath_plugin
        from mdit_py_plugins.dollarmath import dollarmath_plugin
    except ImportError as error:
        raise MissingExtraError("reading a page of Markdown", "pages") from error
    if _ESCAPED_ONCE_MORE.search(text):
        text = _ESCAPE.sub(r"\1", text)
    parser = MarkdownIt("commonmark", {"maxNesting": 40}).enable("table")
    parser.use(dollarmath_plugin, double_inline=True).use(amsmath_plugin)
    found = parser.parse(_with_dollars(text))
    return list(_Blocks(found, first).all())


def _with_dollars(text: str) -> str:
    r"""`\[ \]` and `\( \)` outside fences as dollars, which Markdown does not take for escapes."""
    rows, fenced = [], ""
    for row in text.split("\n"):
        fence = _FENCE.match(row)
        if fence and (not fenced or fence[1] == fenced):
            fenced = "" if fenced else fence[1]
        rows.append(
            row if fenced or fence else _BRACKETS.sub(lambda m: "$$" if m[0][1] in "[]" else "$", row)
        )
    return "\n".join(rows)


class _Blocks:
    """The tokens of a page on their way to blocks."""

    def __init__(self, tokens: Sequence[Any], first: int) -> None:
        self.tokens, self.first = list(tokens), first
        self.place = 0

    def all(self) -> Iterator[Block]:
        """Every block in its order."""
        while self.place < len(self.tokens):
            token = self.tokens[self.place]
            self.place += 1
            if token.type == "table_open":
                yield self._table(token)
            elif token.type == "heading_open":
                inline = self.tokens[self.place]
                yield Passage("heading", _inline(inline, self._line(token)), int(token.tag[1:]))
                self.place += 2
            else:
                yield from self._block(token)

    def _line(self, token: Any) -> int:
        return self.first + (token.map[0] if token.map else 0)

    def _block(self, token: Any) -> Iterator[Block]:
        line = self._line(token)
        if token.type == "fence":
            if token.info.strip().lower().split(" ")[0] in _TEX:
                yield Passage("math", linear(_undollared(token.content), line + 1))
            else:
                yield Passage("code", Script.of(token.content.rstrip("\n"), line + 1))
        elif token.type == "code_block":
            yield Passage("code", Script.of(token.content.rstrip("\n"), line))
        elif token.type in ("math_block", "math_block_label", "amsmath"):
            opened = token.type != "amsmath" and token.content.startswith("\n")
            yield Passage("math", linear(token.content[opened:], line + opened))
        elif token.type == "html_block":
            from handgrad.audit.page.html import blocks_of_html

            yield from blocks_of_html(token.content, line)
        elif token.type == "inline" and token.content.strip():
            yield from self._paragraph(token, line)

    def _paragraph(self, token: Any, line: int) -> Iterator[Block]:
        """Running text; what stands between two dollars in it is a passage of its own."""
        run: list[Any] = []
        for child in token.children or ():
            if child.type == "math_inline_double":
                yield from _text(run, line)
                line += sum(part.type in ("softbreak", "hardbreak") for part in run)
                yield Passage("math", linear(child.content, line))
                line += child.content.count("\n")
                run = []
            else:
                run.append(child)
        yield from _text(run, line)

    def _table(self, opening: Any) -> Grid:
        rows: list[list[Script]] = []
        heads = 0
        line = self._line(opening)
        while (token := self.tokens[self.place]).type != "table_close":
            self.place += 1
            if token.type == "tr_open":
                rows.append([])
                line = self._line(token)
            elif token.type == "thead_close":
                heads = len(rows)
            elif token.type == "inline":
                rows[-1].append(_inline(token, line))
        self.place += 1
        header = rows[0] if heads else []
        return Grid(tuple(header), tuple(tuple(row) for row in rows[heads:]), self._line(opening))


def _undollared(content: str) -> str:
    return re.sub(r"\$\$|\\\[|\\\]|(?<!\\)\$", lambda found: " " * len(found[0]), content)


def _text(children: list[Any], line: int) -> Iterator[Block]:
    script = _joined(children, line)
    if script.text.strip():
        yield Passage("text", script)


def _inline(token: Any, line: int) -> Script:
    return _joined(token.children or (), line)


def _joined(children: Sequence[Any], line: int) -> Script:
    """The children of a paragraph as text; emphasis within a product was its sign."""
    made: list[Script] = []
    starred: list[bool] = []
    for child in children:
        before = made[-1].text[-1:] if made and made[-1].text else ""
        if child.type in ("softbreak", "hardbreak"):
            made.append(Script.on("\n", line))
            line += 1
        elif child.type == "code_inline":
            made.append(Script.on(f"{GAP}{child.content}{GAP}", line))
        elif child.type == "math_inline":
            inner = linear(child.content, line)
            made += [Script.on(GAP, line), inner, Script.on(GAP, line)]
            line += child.content.count("\n")
        elif child.type in ("em_open", "strong_open"):
            starred.append(child.markup in ("*", "**") and (before.isalnum() or before in (")", "]")))
            made.append(Script.on("*" if starred[-1] else "", line))
        elif child.type in ("em_close", "strong_close"):
            made.append(Script.on("*" if starred and starred.pop() else "", line))
        elif child.type == "html_inline":
            made.append(Script.on(_MARKS.get(child.content.lower(), ""), line))
        elif child.type != "image":
            made.append(Script.on(child.content, line))
    return Script.joined(made)


def blocks_of_text(text: str, first: int = 1) -> list[Block]:
    """Plain text that has no marks of Markdown: its paragraphs, and what is indented as code."""
    return [Passage(part.kind, part.script) for part in passages(Script.of(text, first))]
