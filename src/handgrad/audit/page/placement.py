"""Which quantity a chain is about: under a scheme every name has a few places, and the printed results choose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from handgrad.audit.claims import shape_of
from handgrad.audit.page.chains import Chain
from handgrad.audit.page.formula_trees import Call, Derivative, Minus, Name, Number, Operation, Tree, literal
from handgrad.audit.page.names import Meaning, Scheme, meanings
from handgrad.audit.page.phrases import is_target, named
from handgrad.audit.page.placing import (
    Context,
    Place,
    Quantities,
    agreement,
    direct,
    flat_place,
    places,
)
from handgrad.audit.page.ranges import as_printed, signed_numbers
from handgrad.audit.printed import Printed

_MOST_PLACES = 24


class Result(NamedTuple):
    """A printed result of a chain: which part, its numbers with their signs, their shape."""

    part: int
    numbers: tuple[Printed, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the results of a chain belong, and how many of their numbers could be that quantity's."""

    place: Place
    agrees: int
    of: int
    sure: bool
    """True where the name alone says it."""
    exactly: int = 0
    """How many round to the quantity's value."""


def results(chain: Chain) -> list[Result]:
    """The printed results of a chain."""
    found = []
    for number, part in enumerate(chain.parts):
        if (number == 0 and not chain.bare) or not literal(part.tree) or part.tree is None:
            continue
        array = as_printed(part.tree)
        if array is None:
            continue
        shape = array.shape[1:] if array.ndim == 3 and array.shape[0] == 1 else array.shape
        numbers = tuple(
            Printed(sign * n.printed.value, n.printed.unit) for n, sign in signed_numbers(part.tree)
        )
        if len(numbers) == array.size:
            found.append(Result(number, numbers, shape))
    return found


def candidates(
    tree: Tree | None, words: str, scheme: Scheme, context: Context, quantities: Quantities
) -> Iterator[tuple[Place, bool]]:
    """The places that one side of a chain may name, with whether the name alone says so."""
    case = quantities.case
    depth = case.network.depth
    if isinstance(tree, Name):
        place = direct(tree, context, case)
        if place is not None:
            yield place, True
    for meaning in _meanings(tree, words, scheme, depth):
        if meaning.flat is not None and meaning.letter in ("W", "dW"):
            found = flat_place(
                meaning.flat, case, scheme.flat, meaning.new or (context.updating and not meaning.old),
                context.step, meaning.letter == "dW",
            )  # fmt: skip
            if found is not None:
                yield found, True
                if meaning.letter == "W":
                    yield found._replace(quantity=found.quantity.removesuffix("_new")), False
            continue
        sure = _sure(meaning, context, depth)
        for place in places(meaning, context, case):
            if quantities.there_is(place):
                yield place, sure
                if meaning.sample is None and place.entry is None and case.samples > 1:
                    yield from ((p, False) for p in _each_sample(place, quantities))
            sure = sure and meaning.letter != "error"
    formula = formula_of(tree, scheme, context, quantities)
    if formula is not None:
        yield formula, True


def _each_sample(place: Place, quantities: Quantities) -> Iterator[Place]:
    shape = shape_of(place.quantity, quantities.case, place.step)
    if (shape is not None and len(shape) == 2 and place.quantity[0] not in "Wd") or place.quantity.startswith(
        ("delta", "da", "derivative", "dyhat")
    ):
        for sample in range(min(8, quantities.case.samples)):
            yield place._replace(entry=(sample,))


def _sure(meaning: Meaning, context: Context, depth: int) -> bool:
    if meaning.letter == "error":
        return False
    layered = meaning.letter in ("W", "b", "z", "a", "delta", "dW", "db", "da", "slope", "input")
    return not layered or meaning.layer is not None or depth == 1 or context.layer is not None


def _meanings(tree: Tree | None, words: str, scheme: Scheme, depth: int) -> Iterator[Meaning]:
    if isinstance(tree, Name):
        found = list(meanings(tree, scheme, depth))
        if is_target(words) and any(m.letter in ("target", "yhat") for m in found):
            yield from (m._replace(letter="target") for m in found[:1])
            return
        letter = named(f"{words} {tree.base}") if not found or len(tree.base) > 2 else None
        if letter is not None and not (tree.lowered or tree.raised or tree.entries):
            yield Meaning(letter, None, ())
        yield from found
    elif isinstance(tree, Derivative):
        yield from meanings(tree, scheme, depth)
    elif (
        isinstance(tree, Call)
        and len(tree.arguments) == 1
        and isinstance(tree.arguments[0], Name | Derivative)
    ):
        slope = tree.function.endswith("'")
        for meaning in meanings(tree.arguments[0], scheme, depth):
            if meaning.letter == "z" and tree.function.rstrip("'") in (
                "sigmoid",
                "relu",
                "tanh",
                "f",
                "softmax",
            ):
                yield meaning._replace(letter="slope" if slope else "a")


_FORMULA_CALLS = {"log": "log", "ln": "log", "exp": "exp", "sqrt": "sqrt", "abs": "abs"}


def formula_of(tree: Tree | None, scheme: Scheme, context: Context, quantities: Quantities) -> Place | None:
    """A claim between the quantities: arithmetic over single entries of them, such as 1 - ŷ."""
    if not isinstance(tree, Operation | Minus | Call):
        return None
    text = _formula(tree, scheme, context, quantities)
    if text is None or len(text) > 200 or not any(letter.isalpha() for letter in text):
        return None
    place = Place(text.removeprefix("(").removesuffix(")") if _wrapped(text) else text, context.step)
    return place if quantities.there_is(place) else None


def _wrapped(text: str) -> bool:
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if not depth:
            return at == len(text) - 1
    return False


Where: TypeAlias = tuple[Scheme, Context, Quantities]


def _formula(tree: Tree, scheme: Scheme, context: Context, quantities: Quantities) -> str | None:
    rule = _FORMULAS.get(type(tree))
    return None if rule is None else rule(tree, (scheme, context, quantities))


def _of_number(tree: Any, where: Where) -> str | None:
    return repr(tree.printed.value)


def _of_name(tree: Any, where: Where) -> str | None:
    _, context, quantities = where
    place = next((p for p, sure in candidates(tree, "", *where) if sure), None)
    if place is None or place.step != context.step or place.quantity == "rate":
        return None
    value = quantities.value(place)
    if value is None or value.size != 1:
        return None
    held = quantities.value(place._replace(entry=None))
    whole = 0 if held is None else held.ndim
    index = place.entry if place.entry is not None else (0,) * whole
    return place.quantity + (f"[{','.join(map(str, index))}]" if index else "")


def _of_minus(tree: Any, where: Where) -> str | None:
    text = _formula(tree.of, *where)
    return None if text is None else f"(-{text})"


def _of_operation(tree: Any, where: Where) -> str | None:
    before, after = _formula(tree.left, *where), _formula(tree.right, *where)
    sign = _PYTHON.get(tree.sign)
    return None if sign is None or before is None or after is None else f"({before} {sign} {after})"


def _of_call(tree: Any, where: Where) -> str | None:
    if tree.function not in _FORMULA_CALLS or len(tree.arguments) != 1:
        return None
    text = _formula(tree.arguments[0], *where)
    return None if text is None else f"{_FORMULA_CALLS[tree.function]}({text})"


_PYTHON = {"·": "*", "×": "*", "*": "*", "⊙": "*", "/": "/", "+": "+", "-": "-", "^": "^"}
_FORMULAS: Mapping[type, Callable[[Any, Where], str | None]] = {
    Number: _of_number,
    Name: _of_name,
    Derivative: _of_name,
    Minus: _of_minus,
    Operation: _of_operation,
    Call: _of_call,
}


def placed(
    chain: Chain, found: list[Result], scheme: Scheme, context: Context, quantities: Quantities
) -> Placed | None:
    """Where the results of a chain belong; None where nothing says it."""
    if not found:
        return None
    total = sum(len(result.numbers) for result in found)
    first: Placed | None = None
    best: Placed | None = None
    tried = 0
    for number, part in enumerate(chain.parts):
        if literal(part.tree) or (part.tree is None and number):
            continue
        for place, sure in _heads(part.tree, chain, number, scheme, context, quantities):
            tried += 1
            if tried > _MOST_PLACES:
                break
            lost = place.quantity in quantities.unknown
            value = quantities.value(place)
            agrees, exactly, fit = 0, 0, False
            for result in found:
                a, e, f = agreement(list(result.numbers), result.shape, value, quantities.shape(place))
                agrees, exactly, fit = agrees + a, exactly + e, fit or f
            if not fit:
                continue
            here = Placed(place, total if lost else agrees, total, sure, exactly)
            if sure and first is None:
                first = here
            if best is None or (here.agrees, here.exactly) > (best.agrees, best.exactly):
                best = here
        if best is not None and (2 * best.agrees >= total or (number == 0 and first is not None)):
            break
    if best is not None and 2 * best.agrees >= best.of:
        return best
    return first


def _heads(
    tree: Tree | None, chain: Chain, number: int, scheme: Scheme, context: Context, quantities: Quantities
) -> Iterator[tuple[Place, bool]]:
    words = chain.words if number == 0 else ""
    if tree is None:
        letter = named(words) if number == 0 else None
        if letter is not None:
            for place in places(Meaning(letter, None, ()), context, quantities.case):
                if quantities.there_is(place):
                    yield place, letter in ("rate", "loss", "yhat")
        return
    yield from candidates(tree, words, scheme, context, quantities)


def schemes(notation_layer: str | None, first: int | None, flat: bool) -> Iterator[Scheme]:
    """The notations of books; that which the case file names first."""
    lowered = (False, True) if notation_layer in ("bracket", "superscript") else (True, False)
    counts = (0, 1) if first == 0 else (1, 0)
    for is_layer in lowered:
        for begin in counts:
            for y in ("target", "yhat", "a"):
                for turned in (False, True):
                    for through in ("unit", "input") if flat else ("",):
                        for brackets in (0, 1):
                            yield Scheme(is_layer, begin, brackets, y, through, turned)
