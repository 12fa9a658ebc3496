"""How a function is written around its arguments: by its name, or by signs of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from handgrad.render.math import boxes
from handgrad.render.math.boxes import Box, Operator, fenced, joined, row
from handgrad.render.math.tokens import named, script, with_scripts
from handgrad.writing.letters import function_written


def applied(function: str, arguments: list[Box], parameters: list[Box]) -> Box:
    """The boxes of f(arguments): a power of e, bars, a bracket, or the name with the parameters as a subscript."""
    own_signs = _WRITTEN_DIFFERENTLY.get(function)
    if own_signs is not None and (function != "exp" or not boxes.tall(arguments[0])):
        return own_signs(arguments)
    return _called(function, arguments, parameters)


def _called(function: str, arguments: list[Box], parameters: list[Box]) -> Box:
    """A function by its name: parameters as a subscript, arguments in parentheses."""
    name = function_written(function)
    letters = name.base.rstrip("′")
    primes = len(name.base) - len(letters)
    below = list(parameters)
    own = script(name.subscript)
    if own is not None:
        below.insert(0, own)
    head = with_scripts(
        named(replace(name, base=letters, upright=len(letters) > 1)),
        joined("comma", below) if below else None,
        boxes.Letter("′" * primes, upright=True) if primes else None,
    )
    return row(head, Operator("apply"), fenced(joined("comma", arguments)))


def _exp(arguments: list[Box]) -> Box:
    return boxes.Scripts(boxes.Letter("e"), above=arguments[0])


def _abs(arguments: list[Box]) -> Box:
    return boxes.Fence("|", arguments[0], "|")


def _indicator(arguments: list[Box]) -> Box:
    condition = row(arguments[0], Operator(">"), boxes.Digits("0"))
    return row(boxes.Letter("1", bold=True, upright=True), boxes.Fence("[", condition, "]"))


def _ln_softmax(arguments: list[Box]) -> Box:
    return row(boxes.Letter("ln", upright=True), Operator("beside"), _called("softmax", arguments, []))


_WRITTEN_DIFFERENTLY: dict[str, Callable[[list[Box]], Box]] = {
    "exp": _exp,
    "abs": _abs,
    "indicator": _indicator,
    "ln_softmax": _ln_softmax,
}
"""Functions that are not written as a name with its arguments in parentheses."""
