"""What each quantity is computed from: the names whose values stand on the right of its equation."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from handgrad.nn.network import Network

_L = r"([1-9]\d*)"


def _output(l: int, network: Network) -> tuple[str, ...]:
    return ("yhat",) if l == network.depth else ()


def _below(l: int) -> str:
    return f"a{l - 1}" if l > 1 else "x"


def _gradient(l: int) -> tuple[str, ...]:
    return (f"delta{l}", _below(l))


NEEDS: tuple[tuple[str, Callable[[int, Network], tuple[str, ...]]], ...] = (
    (rf"z{_L}", lambda l, n: (_below(l), f"W{l}", f"b{l}")),
    (rf"a{_L}|f{_L}", lambda l, n: (f"z{l}", f"f{l}", f"mask{l}")),
    (rf"derivative{_L}", lambda l, n: (f"z{l}", f"a{l}", f"f{l}", *_output(l, n))),
    (rf"da{_L}", lambda l, n: (f"delta{l + 1}", f"W{l + 1}")),
    (rf"df{_L}", lambda l, n: (f"da{l}", f"mask{l}")),
    (
        rf"delta{_L}",
        lambda l, n: (
            ("yhat", "dyhat", f"z{l}") if l == n.depth else (f"da{l}", f"df{l}", f"z{l}", f"a{l}", f"f{l}")
        ),
    ),
    (rf"dW{_L}", lambda l, n: (*_gradient(l), f"dW{l}_data", f"dW{l}_penalty")),
    (rf"dW{_L}_data", lambda l, n: _gradient(l)),
    (rf"dW{_L}_penalty", lambda l, n: (f"W{l}",)),
    (rf"db{_L}", lambda l, n: (f"delta{l}",)),
    (rf"dW{_L}_clipped", lambda l, n: (f"dW{l}", "gradient_norm")),
    (rf"db{_L}_clipped", lambda l, n: (f"db{l}", "gradient_norm")),
)
_ONCE: dict[str, tuple[str, ...]] = {
    "dyhat": ("yhat",),
    "loss": ("data_loss", "penalty", "loss_terms", "yhat"),
    "data_loss": ("loss_terms", "yhat"),
}
_UPDATED = re.compile(rf"([Wb]){_L}_(\w+)")


_THIN = re.compile(
    rf"data_loss|loss_terms|penalty|gradient_norm|(?:da|df|f|mask){_L}|d[Wb]{_L}_(?:data|penalty|clipped)"
)
"""Quantities in the middle of an equation, which many authors never write down."""


def read_by(name: str, network: Network, known: Collection[str], written: Collection[str]) -> tuple[str, ...]:
    """What the equation of `name` reads, through what the author did not write down.

    >>> from handgrad.nn.network import Dense
    >>> network = Network(2, [Dense(1)], "squared_error")
    >>> read_by("loss", network, ("z1", "a1", "yhat", "loss_terms", "data_loss"), ("yhat",))
    ('yhat', 'z1')
    """
    found: dict[str, None] = {}
    waiting = list(needs_of(name, network, known))
    seen = {name}
    while waiting:
        other = waiting.pop(0)
        if other in seen:
            continue
        seen.add(other)
        if other not in written and _THIN.fullmatch(other):
            waiting = [*needs_of(other, network, known), *waiting]
        else:
            found[other] = None
    return tuple(found)


def needs_of(name: str, network: Network, known: Collection[str]) -> tuple[str, ...]:
    """The names from `known` that the equation of `name` reads.

    >>> from handgrad.nn.network import Dense
    >>> needs_of("dW1", Network(2, [Dense(1)]), ("x", "z1", "delta1"))
    ('delta1', 'x')
    """
    found: tuple[str, ...] = ()
    if name == "yhat":
        found = (f"a{network.depth}", f"z{network.depth}")
    elif name == "loss_terms":
        found = ("yhat", f"z{network.depth}")
    elif name in _ONCE:
        found = _ONCE[name]
    elif name == "gradient_norm":
        found = tuple(other for other in known if re.fullmatch(rf"d[Wb]{_L}", other))
    elif updated := _UPDATED.fullmatch(name):
        letter, layer, _ = updated.groups()
        own = tuple(other for other in known if other.startswith(f"{letter}{layer}_") and other != name)
        clipped = f"d{letter}{layer}_clipped"
        found = (*own, f"{letter}{layer}", clipped if clipped in known else f"d{letter}{layer}")
    else:
        for pattern, needs in NEEDS:
            if match := re.fullmatch(pattern, name):
                found = needs(int(next(group for group in match.groups() if group)), network)
    return tuple(dict.fromkeys(other for other in found if other in known and other != name))
