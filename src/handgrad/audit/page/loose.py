"""Numbers beside the equations: those that running text names in words, and lists that stand alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handgrad.audit.page.chains import Chain, Line, Part
from handgrad.audit.page.formula_trees import Listing, Tree, literal, numbers_in
from handgrad.audit.page.grammar import Grammar
from handgrad.audit.page.phrases import said_before
from handgrad.audit.page.tables import letter_name

_BETWEEN = (",", "and", "এবং", "ও", "আর")


def prose(line: Line, taken: set[tuple[int, int]]) -> Iterator[Chain]:
    """What running text says in words, such as 'the loss is 0.479'; `taken` has the numbers of equations."""
    if line.kind != "text":
        return
    done = -1
    for place, word in enumerate(line.words):
        begins = word.kind == "number" or word.text in ("[", "-")
        if not begins or word.start <= done or (line.number, word.start) in taken:
            continue
        before = line.script.text[: word.start]
        if before[-1:].isalnum() or before[-1:] in ("_", "^", "."):
            continue
        said = said_before(before)
        read = None if said is None else _list(line, place)
        if said is None or read is None or not _whole_enough(read[0]):
            continue
        letter, firm = said
        if any((line.number, n.start) in taken for n in numbers_in(read[0])):
            continue
        done = max(n.start for n in numbers_in(read[0]))
        name = letter_name(letter, word.line)
        left = Part("", name, _named(before), word.line, line.number)
        yield Chain(
            [left, Part("=" if firm else "≈", read[0], "", word.line, line.number)], "", "prose", line.block
        )


def _named(before: str) -> str:
    return " ".join(before.split()[-4:])


def _whole_enough(tree: Tree) -> bool:
    """True for numbers with decimals; whole ones in running text count things."""
    return any("." in number.text or number.printed.unit < 1 for number in numbers_in(tree))


def _list(line: Line, place: int) -> tuple[Tree, int] | None:
    """A number, or several with commas between them as a list."""
    found = Grammar(line.words, True).longest(place)
    if found is None or not literal(found[0]):
        return None
    items, end = [found[0]], found[1]
    while (begin := _next_of_list(line, end)) is not None:
        more = Grammar(line.words, True).longest(begin)
        if more is None or not literal(more[0]) or isinstance(more[0], Listing):
            break
        items.append(more[0])
        end = more[1]
    return (Listing(tuple(items)) if len(items) > 1 else items[0]), end


def _next_of_list(line: Line, end: int) -> int | None:
    """Where the next number of a list in running text begins: behind a comma, 'and', or both."""
    begin, parted = end, False
    while begin < len(line.words) and (
        line.words[begin].kind == "space" or line.words[begin].text in _BETWEEN
    ):
        parted = parted or line.words[begin].kind != "space"
        begin += 1
    spaced = begin < len(line.words) and line.words[begin - 1].kind == "space"
    return begin if parted and spaced else None


def loose_arrays(lines: Sequence[Line], taken: set[tuple[int, int]]) -> Iterator[tuple[Line, Listing]]:
    """Lists of numbers that stand alone, without a name before them."""
    for line in lines:
        for place, word in enumerate(line.words):
            if word.text != "[" or (line.kind == "text" and "." not in line.script.text[word.start :]):
                continue
            found = Grammar(line.words).longest(place)
            if found is None:
                continue
            tree = found[0]
            if not isinstance(tree, Listing) or not literal(tree):
                continue
            if not any((line.number, n.start) in taken for n in numbers_in(tree)):
                yield line, tree


def blocks_of_numbers(
    lines: Sequence[Line], taken: set[tuple[int, int]]
) -> Iterator[tuple[list[Listing], list[tuple[int, int]]]]:
    """Rows of as many numbers under each other, with nothing else in them, and where each number stands."""
    block: list[tuple[Line, Listing]] = []
    for line in (*lines, None):
        row = None if line is None else _row(line, taken)
        same = (
            row is not None
            and block
            and line is not None
            and (len(row.items) == len(block[-1][1].items) and line.block == block[-1][0].block)
        )
        if block and not same:
            if len(block) > 1:
                where = [(at.number, n.start) for at, row in block for n in numbers_in(row)]
                yield [row for _, row in block], where
            block = []
        if row is not None and line is not None:
            block.append((line, row))


def _row(line: Line, taken: set[tuple[int, int]]) -> Listing | None:
    items: list[Tree] = []
    place = 0
    while place < len(line.words):
        if line.words[place].kind == "space":
            place += 1
            continue
        word = line.words[place]
        sign = word.text == "-"
        number = line.words[place + sign] if place + sign < len(line.words) else word
        found = Grammar([*line.words[place : place + 1 + sign]]).longest(0)
        if number.kind != "number" or found is None or (line.number, number.start) in taken:
            return None
        items.append(found[0])
        place += 1 + sign
    return Listing(tuple(items)) if len(items) > 1 else None
