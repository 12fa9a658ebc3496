"""Chains of equations off the passages of a page: `z = 0.05 + 0.06 + 0.1 = 0.21 ≈ 0.2`, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handgrad.audit.page.formula_trees import Name, Tree, literal, names_in, numbers_in
from handgrad.audit.page.grammar import FUNCTIONS, Grammar
from handgrad.audit.page.matrices import flattened
from handgrad.audit.page.script import Passage, Script
from handgrad.audit.page.tokens import Token, tokens

_OPEN, _CLOSED = ("[", "{"), ("]", "}")
_GOES_ON = ("+", "-", "×", "·", "*", "/", "⊙", "⊗", "=", "≈", ",", "(", "[")
_BEGINS = ("+", "×", "·", "*", "⊙", "⊗", "/", "-")
_MOST_JOINED = 40
_REACH = 60
"""Words before an equals sign among which its left side is looked for."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page as it is read: matrices in one piece, what goes on below joined to it."""

    number: int
    block: int
    kind: str
    script: Script
    words: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One side of an equals sign: its tree (None where it could not be read), and where it stands."""

    relation: str
    """What stands before it: '' for the first, = or ≈ or : for the others."""
    tree: Tree | None
    text: str
    line: int
    row: int
    """The number of its `Line`."""


@dataclass(slots=True)
class Chain:
    """Parts that are said to be equal. `words` is the running text before the first."""

    parts: list[Part]
    words: str
    kind: str
    block: int
    bare: bool = False
    """True for a lone formula that is said to equal nothing."""


def lines_of(passage: Passage, block: int, first: int) -> list[Line]:
    """The lines of a passage; `first` is the number of the first."""
    script = passage.script.plain()
    rows = flattened(script) if passage.kind == "code" else script.rows()
    made: list[Script] = []
    for row in rows:
        if made and row.text.strip() and _joins(made[-1].text, row.text, passage.kind):
            made[-1] = Script.joined((made[-1], Script.on(" ", row.line_at(0)), row))
        else:
            made.append(row)
    kept = [row for row in made if row.text.strip()]
    return [Line(first + k, block, passage.kind, row, tuple(tokens(row))) for k, row in enumerate(kept)]


def _joins(above: str, row: str, kind: str) -> bool:
    """True where a line goes on in the next."""
    above = above.rstrip()
    if not above or len(above) > 200 * _MOST_JOINED:
        return False
    unclosed = sum(above.count(sign) for sign in _OPEN) - sum(above.count(sign) for sign in _CLOSED)
    if unclosed > 0 and kind != "text":
        return True
    if kind == "text":
        return above.endswith(("=", "≈")) and not above.endswith("==")
    if above.endswith(_GOES_ON) and any(sign in above for sign in "=≈"):
        return True
    return row.strip().startswith(_BEGINS) and row.startswith("  ") and any(sign in above for sign in "=≈")


def chains_of(lines: Sequence[Line], before: Chain | None = None) -> list[Chain]:
    """The chains of a passage; one that begins with a relation goes on from the chain before it."""
    found: list[Chain] = []
    for line in lines:
        for chain in _chains(line):
            last = found[-1] if found else before
            if chain.parts[0].tree is None and not chain.words.strip(" |>*-&") and last is not None:
                if chain.kind == "text" and last.kind != "text":
                    continue
                last.parts += chain.parts[1:]
            elif len(chain.parts) > 1 or chain.bare:
                found.append(chain)
    return found


def _chains(line: Line) -> Iterator[Chain]:
    """The chains of one line."""
    cuts = _relations(line.words)
    if not cuts:
        yield from _bare(line)
        return
    ends = [*cuts, len(line.words)]
    parts: list[Part] = []
    tree, start = _left_side(line, 0, cuts[0])
    words = _text(line.words[:start])
    parts.append(_part(line, "", tree, start, cuts[0]))
    for number, cut in enumerate(cuts):
        begin, end = cut + 1, ends[number + 1]
        relation = (
            ":"
            if line.words[cut].text == ":"
            else "≈"
            if line.words[cut].text in "≈~=" and (line.words[cut].text != "=")
            else "="
        )
        read = _longest(line, begin, end)
        if read is None:
            parts.append(_part(line, relation, None, begin, end))
            continue
        tree, stop = read
        if _goes_on(line, stop, end):
            tree = None
        parts.append(_part(line, relation, tree, begin, stop))
        if tree is None or number + 1 == len(cuts) or not _text(line.words[stop:end]).strip(" .\n"):
            continue
        left, start = _left_side(line, stop, end)
        if left is None or literal(left) or not _apart(line.words[stop:start]):
            parts[-1] = _part(line, relation, None, begin, end)
            continue
        yield Chain(parts, words, line.kind, line.block)
        words = _text(line.words[stop:start])
        parts = [_part(line, "", left, start, end)]
    yield Chain(parts, words, line.kind, line.block)


def _relations(words: Sequence[Token]) -> list[int]:
    """The places of the equals signs that stand in no brackets; a colon before a number is one too."""
    found, depth = [], 0
    for place, word in enumerate(words):
        depth = max(0, depth + (word.text in _OPEN) - (word.text in _CLOSED))
        if depth:
            continue
        arrow = word.text == "←" and _after_list(words, place)
        if (word.kind == "relation" and not arrow) or (word.text == ":" and _opens_value(words, place)):
            found.append(place)
    return found


def _after_list(words: Sequence[Token], place: int) -> bool:
    """True behind a matrix, where an arrow points to a remark."""
    before = next((word for word in words[place - 1 :: -1] if word.kind != "space"), None) if place else None
    return before is not None and before.text in ("]", "}")


def _opens_value(words: Sequence[Token], place: int) -> bool:
    """True for a colon with a space or a bracket and a number behind it."""
    rest = [word for word in words[place + 1 : place + 6] if word.kind != "space"][:2]
    spaced = place + 1 < len(words) and words[place + 1].kind == "space"
    if not spaced or not rest:
        return False
    begins = rest[0].kind == "number" or rest[0].text == "["
    return begins or (rest[0].text == "-" and len(rest) > 1 and rest[1].kind == "number")


def _part(line: Line, relation: str, tree: Tree | None, begin: int, end: int) -> Part:
    text = _text(line.words[begin:end]).strip()
    at = next((word.line for word in line.words[begin:end] if word.kind != "space"), line.script.line_at(0))
    return Part(relation, tree, text, at, line.number)


def _text(words: Sequence[Token]) -> str:
    return "".join(word.text for word in words)


def _longest(line: Line, begin: int, end: int) -> tuple[Tree, int] | None:
    """The longest formula at the beginning of a stretch of words, and its end within the line."""
    while begin < end and (line.words[begin].kind == "space" or line.words[begin].text in ("$", "&", "`")):
        begin += 1
    return Grammar(line.words[:end], line.kind == "text").longest(begin)


def _goes_on(line: Line, stop: int, end: int) -> bool:
    """True where a formula goes on behind what could be read of it."""
    rest = [word for word in line.words[stop:end] if word.kind != "space"]
    if not rest:
        return False
    if rest[0].text in ("·", "×", "*", "/", "+", "⊙", "⊗", "^", "∑", "∘", "@"):
        return True
    if rest[0].text != "(" or line.kind != "math":
        return False
    inside = [
        word.text for word in rest[1 : next((k for k, w in enumerate(rest) if w.text == ")"), len(rest))]
    ]
    return any(text in ("+", "-", ">", "<", "·", "≤", "≥") for text in inside)


def _left_side(line: Line, begin: int, end: int) -> tuple[Tree | None, int]:
    """The longest formula at the end of a stretch of words, and where it begins."""
    stop = end
    while stop > begin and (line.words[stop - 1].kind == "space" or line.words[stop - 1].text in "`*$&"):
        stop -= 1
    running = line.kind == "text"
    for start in range(max(begin, stop - _REACH), stop):
        if not _may_begin(line.words, start, begin):
            continue
        found = Grammar(line.words[:stop], running).longest(start)
        if (
            found is not None
            and found[1] == stop
            and not (running and _plain_word(found[0], line, start, stop))
        ):
            return found[0], start
    return None, stop


def _plain_word(tree: Tree, line: Line, start: int, stop: int) -> bool:
    """True for an article before a word, taken for a product: 'a loss'."""
    return not isinstance(tree, Name) and all(
        word.kind in ("name", "space") for word in line.words[start:stop]
    )


def _may_begin(words: Sequence[Token], place: int, begin: int) -> bool:
    word = words[place]
    if word.kind in ("space", "sup", "sub", "relation") or word.text in ("+", "*", "/", "^", "_", "]", ")"):
        return False
    if place == begin:
        return True
    before = words[place - 1]
    return before.kind == "space" or before.text in (
        ",",
        ";",
        ":",
        "(",
        "|",
        "`",
        "*",
        "$",
        "→",
        "&",
        ".",
        '"',
    )


def _apart(words: Sequence[Token]) -> bool:
    """True where two statements stand beside each other: a comma, a gap, a word between them."""
    return any(
        word.text in (",", ";", "→", ".", "|", "&", "✓")
        or (word.kind == "space" and len(word.text) > 2)
        or (word.kind == "name" and len(word.text) > 1 and word.text not in FUNCTIONS)
        or (word.kind == "space" and "\n" in word.text)
        for word in words
    )


def _bare(line: Line) -> Iterator[Chain]:
    """A line that is one formula of numbers and nothing else."""
    if line.kind == "text":
        return
    found = _longest(line, 0, len(line.words))
    if found is None or any(True for _ in names_in(found[0])) or not any(True for _ in numbers_in(found[0])):
        return
    rest = _text(line.words[found[1] :]).strip(" .,;")
    if rest and not literal(found[0]):
        return
    yield Chain([_part(line, "", found[0], 0, found[1])], "", line.kind, line.block, bare=True)
