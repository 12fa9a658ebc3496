"""Options that name one row of a table and its parameters: `adam:beta1=0.8,amsgrad=true`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from handgrad.errors import SpecificationError

T = TypeVar("T")


def described(option: str, text: str, make: Callable[..., T], defaults: Mapping[str, Any] | None = None) -> T:
    """The object that `name:key=value,key=value` describes; `make` takes the name and the keys.

    >>> from handgrad.nn.schedules import Schedule
    >>> described("--schedule", "step:every=10,factor=0.5", Schedule).every
    10

    Raises SpecificationError for a key that the name does not have or a value of the wrong kind.
    """
    name, _, rest = text.partition(":")
    given: dict[str, Any] = {}
    for pair in filter(None, rest.split(",")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise SpecificationError(f"{option}: {pair!r} must be KEY=VALUE, as in {name}:{pair}=0.5")
        given[key.strip()] = _value(value.strip())
    try:
        return make(name.strip(), **{**(defaults or {}), **given})
    except SpecificationError as error:
        raise SpecificationError(f"{option}: {error}") from error
    except TypeError as error:
        raise SpecificationError(
            f"{option}: {name!r} does not have {', '.join(given) or text} in this form"
        ) from error


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:  # then it is the next kind, at last a word
            continue
    return text


def whole_numbers(option: str, text: str) -> list[int]:
    """`64,32` as numbers; `none` is none at all.

    >>> whole_numbers("--hidden", "64,32")
    [64, 32]

    Raises SpecificationError for anything else.
    """
    if text.strip().lower() in ("", "none"):
        return []
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise SpecificationError(
            f"{option} must be whole numbers with commas, as in 64,32, got {text!r}"
        ) from error
