"""Names in the notations of books: `W^{[1]}_{0,1}`, `w₁₂`, `h[0]`, `net_{o1}`, `∂L/∂W₂[0]`, `b₁_new` as quantities.

Which notation a page uses is a `Scheme`; under one, a name has one meaning or a few, the likeliest first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from handgrad.audit.page.formula_trees import Derivative, Name

_LETTERS = {
    **dict.fromkeys(("W", "w", "Θ", "θ", "weight", "weights", "Weight", "Weights"), "W"),
    **dict.fromkeys(("b", "B", "bias", "Bias", "biases", "Biases"), "b"),
    **dict.fromkeys(("z", "Z", "net", "s", "u", "in"), "z"),
    **dict.fromkeys(("a", "A", "out", "act"), "a"),
    **dict.fromkeys(("h", "H", "hidden", "Hidden"), "h"),
    **dict.fromkeys(("x", "X", "i", "input", "Input", "inputs", "Inputs"), "x"),
    **dict.fromkeys(("y", "Y"), "y"),
    **dict.fromkeys(("t", "T", "target", "Target", "targets", "Targets", "label", "Label", "ytrue"), "target"),
    **dict.fromkeys(
        ("ŷ", "Ŷ", "yhat", "y_hat", "ypred", "o", "O", "output", "Output", "prediction", "Prediction", "pred", "p"),
        "yhat",
    ),
    **dict.fromkeys(("δ", "delta", "Delta"), "delta"),
    **dict.fromkeys(
        ("L", "ℒ", "J", "C", "E", "loss", "Loss", "cost", "Cost", "MSE", "BCE", "CE", "SSE", "NLL", "LOSS"), "loss"
    ),
    **dict.fromkeys(("error", "Error", "err", "e"), "error"),
    **dict.fromkeys(("η", "eta", "lr", "α", "alpha", "LR"), "rate"),
}  # fmt: skip
_LAYERED = ("W", "b", "z", "a", "h", "delta")
_NEW = ("new", "+", "*", "next", "updated", "t+1", "(t+1)", "neu", "after", "n+1", "k+1", "(new)")
_OLD = ("old", "t", "prev", "before", "(t)", "current", "init", "(old)")
_SILENT = (
    "T",
    "⊤",
    "total",
    "tot",
    "t",
    "",
    "BCE",
    "MSE",
    "CE",
    "net",
    "avg",
    "mean",
    "all",
    "batch",
    "true",
)
_DIGITS = re.compile(r"(.*?[^\d_])_?(\d{1,3})")
_UNIT = re.compile(r"([ihojkn])(\d+)")


@dataclass(frozen=True)
class Scheme:
    """How a page writes: what a lowered number on W, b, z, a, delta means, and where counting begins."""

    lowered_is_layer: bool = True
    first: int = 1
    """Of lowered entries; entries in brackets begin at `first_in_brackets`."""
    first_in_brackets: int = 0
    y: str = "target"
    """What a bare y is: target | yhat | a."""
    flat: str = ""
    """'' for weights with two numbers; 'unit' or 'input' for weights that are counted through, by units or inputs."""
    turned: bool = False
    """True where the first number of a weight is its input."""


class Mark(NamedTuple):
    """What the marks of a name say."""

    layer: int | None
    entries: tuple[int, ...]
    new: bool
    old: bool
    sample: int | None
    output: bool
    hidden: bool


class Meaning(NamedTuple):
    """A quantity that a name may be; `layer` is None where nothing says which.

    `letter`: W b z a delta x target yhat loss error rate, or dW db da dyhat slope; entries are counted from 0.
    """

    letter: str
    layer: int | None
    entries: tuple[int, ...]
    new: bool = False
    sample: int | None = None
    flat: int | None = None
    old: bool = False


def meanings(name: Name | Derivative, scheme: Scheme, depth: int) -> Iterator[Meaning]:
    """What a name may be in a network of so many layers, the likeliest first."""
    if isinstance(name, Derivative):
        yield from _of_derivative(name, scheme, depth)
        return
    base, digits = _split(name)
    if base in _LETTERS:
        yield from _lettered(_LETTERS[base], base, digits, name, scheme, depth)
    elif base[:1] in ("d", "g") and base[1:] in _LETTERS:
        inner = Name(base[1:] + digits, name.lowered, name.raised, name.entries, 0)
        for meaning in meanings(inner, scheme, depth):
            yield from _gradient(meaning)
    elif base == "∇" and name.lowered:
        inner_text = name.lowered[0]
        for meaning in meanings(name_of(inner_text), scheme, depth):
            yield from _gradient(meaning)


def name_of(text: str) -> Name:
    """The name that some text is, or one that is none.

    >>> name_of("W^{[1]}").raised
    ('[1]',)
    """
    from handgrad.audit.page.grammar import Grammar
    from handgrad.audit.page.script import Script
    from handgrad.audit.page.tokens import tokens

    found = Grammar(tokens(Script.of(text).plain())).longest(0)
    return found[0] if found is not None and isinstance(found[0], Name) else Name("")


def _split(name: Name) -> tuple[str, str]:
    """Base and trailing digits of a name; y_hat and y_pred are the prediction."""
    base = name.base
    words = [mark for mark in name.lowered if mark.isalpha()]
    if base in ("y", "Y") and any(
        word in ("hat", "pred", "predicted", "out", "output", "o") for word in words
    ):
        return "ŷ", ""
    if base in ("y", "Y") and any(word in ("true", "target", "actual", "label") for word in words):
        return "target", ""
    if base == "learning" and "rate" in words:
        return "η", ""
    found = _DIGITS.fullmatch(base)
    return (found[1].rstrip("_"), found[2]) if found else (base, "")


def _lettered(
    letter: str, base: str, digits: str, name: Name, scheme: Scheme, depth: int
) -> Iterator[Meaning]:
    mark = _marks(name, letter, digits, scheme, depth)
    new = mark.new or (name.primes > 0 and letter in ("W", "b"))
    if letter == "rate":
        yield Meaning("rate", None, ())
    elif letter == "y":
        order = {"target": ("target", "yhat"), "yhat": ("yhat", "target"), "a": ("a", "yhat", "target")}[
            scheme.y
        ]
        for kind in order:
            layer = 1 if kind == "a" else None
            yield Meaning(kind, layer, mark.entries, sample=mark.sample)
    elif letter in ("x", "target", "yhat"):
        yield Meaning(letter, None, mark.entries, sample=mark.sample)
        if letter == "yhat" and base == "o" and depth > 1:
            yield Meaning("yhat", None, mark.entries, sample=mark.sample)
    elif letter in ("loss", "error"):
        yield Meaning(letter, None, mark.entries, new, mark.sample)
    elif letter == "h":
        layer = mark.layer
        if layer is None and digits and depth > 2 and scheme.lowered_is_layer:
            layer = int(digits)
        number = next((int(mark) for mark in (digits, *name.lowered) if mark.isdigit()), None)
        if layer is None and scheme.lowered_is_layer and number is not None and 1 <= number <= depth:
            yield Meaning("a", number, (), sample=mark.sample)
        yield Meaning(
            "a", layer if layer is not None else (1 if depth == 2 else None), mark.entries, sample=mark.sample
        )
    else:
        yield from _parameters(letter, digits, name, mark, scheme, depth, new)


def _parameters(
    letter: str, digits: str, name: Name, mark: Mark, scheme: Scheme, depth: int, new: bool
) -> Iterator[Meaning]:
    """W, b, z, a, delta with their layer; a weight with one number may be counted through."""
    raised = any(text.strip("[]() ").isdigit() for text in name.raised)
    if letter == "W" and scheme.flat and mark.layer is not None and not mark.entries and not raised:
        yield Meaning("W", None, (), new, flat=mark.layer, old=mark.old)
        return
    layer = mark.layer
    if layer is None and mark.output:
        layer = depth
    if layer is None and mark.hidden and depth == 2:
        layer = 1
    entries = mark.entries
    if letter == "W" and scheme.turned and len(entries) == 2:
        entries = entries[::-1]
    yield Meaning(letter, layer, entries, new, mark.sample, old=mark.old)
    if layer is None and len(name.entries) == 1 and name.entries[0].isdigit():
        number = int(name.entries[0])
        if 1 <= number <= depth:  # W[1] for W^[1]
            yield Meaning(letter, number, (), new, mark.sample, old=mark.old)


@dataclass(slots=True)
class _Marking:
    """The marks of a name, as they are read one after another."""

    layer: int | None = None
    sample: int | None = None
    entries: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """Lowered ones, of which the first may yet be the layer."""
    flags: set[str] = field(default_factory=set)
    """new, old, output, hidden."""


_RAISED = {**dict.fromkeys(_OLD, "old"), **dict.fromkeys(_NEW, "new")}
_LOWERED = {
    **dict.fromkeys(_OLD, "old"),
    **dict.fromkeys(("h", "hidden", "hid", "ih", "xh"), "hidden"),
    **dict.fromkeys(("o", "out", "output", "L", "ho"), "output"),
    **dict.fromkeys(_NEW, "new"),
}
"""What a mark that is a word says of its name."""


def _marks(name: Name, letter: str, digits: str, scheme: Scheme, depth: int) -> Mark:
    found = _Marking()
    for text in name.raised:
        _read_raised(found, text.strip().strip("{}"), letter, depth)
    pieces = [piece for text in name.lowered for piece in re.split(r"[,\s]+", text.strip("{}() ")) if piece]
    for piece in [digits, *pieces] if digits else pieces:
        _read_lowered(found, piece, letter, scheme, depth)
    _layer_off_numbers(found, letter, scheme)
    found.entries += [number - scheme.first for number in found.numbers]
    bracketed = [piece for text in name.entries for piece in re.split(r"[,\s]+", text.strip()) if piece]
    if bracketed and all(piece.lstrip("-").isdigit() for piece in bracketed):
        found.entries += [int(piece) - scheme.first_in_brackets for piece in bracketed]
    new, old, output, hidden = (flag in found.flags for flag in ("new", "old", "output", "hidden"))
    return Mark(found.layer, tuple(found.entries), new, old, found.sample, output, hidden)


def _read_raised(found: _Marking, text: str, letter: str, depth: int) -> None:
    inner = text.strip("[]()")
    if text in _RAISED:
        found.flags.add(_RAISED[text])
    elif inner == "L":
        found.layer = depth
    elif inner.isdigit():
        layered = letter in _LAYERED and letter != "h" and found.layer is None
        if text[:1] == "[" or (layered and (text[:1] == "(" or int(inner) <= depth)):
            found.layer = int(inner)
        elif text[:1] == "(":
            found.sample = int(inner) - 1


def _read_lowered(found: _Marking, piece: str, letter: str, scheme: Scheme, depth: int) -> None:
    unit = _UNIT.fullmatch(piece)
    if piece in _LOWERED:
        found.flags.add(_LOWERED[piece])
    elif piece.isdigit():
        found.numbers += _numbers(piece, letter, found.layer is None and scheme.lowered_is_layer, depth)
    elif unit:
        found.flags |= {"o": {"output"}, "h": {"hidden"}}.get(unit[1], set())
        found.entries.append(int(unit[2]) - 1)


def _layer_off_numbers(found: _Marking, letter: str, scheme: Scheme) -> None:
    """The first lowered number is the layer where that is what it means, or where there are too many for entries."""
    numbers = found.numbers
    if not numbers or letter not in _LAYERED or letter == "h":
        return
    if found.layer is not None or found.flags & {"output", "hidden"}:
        return
    wants = 2 if letter == "W" else 1
    lone = (letter == "W" or (letter == "b" and bool(scheme.flat))) and len(numbers) == 1
    if lone or len(numbers) > wants or (scheme.lowered_is_layer and len(numbers) != 2):
        found.layer = numbers.pop(0)


def _numbers(piece: str, letter: str, layer_first: bool, depth: int) -> list[int]:
    """The numbers of a lowered mark: 12 on a weight is 1 and 2; 10 inputs are told apart by a comma."""
    if letter == "W" and len(piece) in (2, 3) and not (len(piece) == 2 and int(piece) <= depth):
        return [int(digit) for digit in piece]
    if letter in ("z", "a", "delta", "b", "h") and len(piece) == 2 and int(piece[0]) <= depth:
        return [int(digit) for digit in piece]
    return [int(piece)]


def _gradient(meaning: Meaning) -> Iterator[Meaning]:
    """The derivative of the loss by what a name means."""
    kind = {"W": "dW", "b": "db", "a": "da", "z": "delta", "yhat": "dyhat"}.get(meaning.letter)
    if kind is not None:
        yield meaning._replace(letter=kind, new=False)


def _of_derivative(name: Derivative, scheme: Scheme, depth: int) -> Iterator[Meaning]:
    above = list(meanings(name.of, scheme, depth))
    for by in meanings(name.by, scheme, depth):
        for of in above or [Meaning("?", None, ())]:
            if of.letter in ("loss", "error"):
                yield from _gradient(by)
            elif of.letter in ("a", "yhat") and by.letter == "z":
                layer = by.layer if by.layer is not None else of.layer
                yield Meaning("slope", layer, by.entries or of.entries, sample=by.sample)
            elif of.letter == "z" and by.letter == "W":
                layer = of.layer if of.layer is not None else by.layer
                entries = by.entries[1:] if len(by.entries) == 2 else ()
                yield Meaning("input", layer, entries, flat=by.flat)
            elif of.letter == "z" and by.letter == "a":
                yield Meaning("W", of.layer, (*of.entries, *by.entries))
