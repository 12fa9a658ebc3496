"""Which wrong number a consequence follows from."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from handgrad.audit.needs import needs_of
from handgrad.audit.verdicts import FOLLOWS, Verdict
from handgrad.nn.network import Network


def roots_of(verdicts: tuple[Verdict, ...], network: Network) -> Mapping[int, tuple[int, ...]]:
    """By the number of a claim that follows, the numbers of the root claims that it follows from."""
    found: dict[int, tuple[int, ...]] = {}
    earlier: list[Verdict] = []
    known = _known(verdicts, network)
    for verdict in verdicts:
        if any(entry.verdict == FOLLOWS for entry in verdict.entries) and not verdict.root:
            roots: dict[int, None] = {}
            for other in _nearest(verdict, earlier, network, known):
                if other.root:
                    roots[other.claim.number] = None
                roots.update(dict.fromkeys(found.get(other.claim.number, ())))
            found[verdict.claim.number] = tuple(roots)
        if verdict.alarm:
            earlier.append(verdict)
    return found


def _known(verdicts: tuple[Verdict, ...], network: Network) -> tuple[str, ...]:
    names = {"x", "y", "yhat", "dyhat", "loss", "data_loss", "loss_terms", "penalty"}
    for l in range(1, network.depth + 1):
        names |= {
            f"{kind}{l}" for kind in ("W", "b", "z", "a", "f", "delta", "da", "df", "dW", "db", "derivative")
        }
        names |= {f"d{letter}{l}{suffix}" for letter in "Wb" for suffix in ("_data", "_penalty", "_clipped")}
        names |= {f"{letter}{l}_new" for letter in "Wb"}
    names |= {name for verdict in verdicts for name in verdict.claim.names}
    return tuple(names)


def _nearest(
    verdict: Verdict, earlier: Collection[Verdict], network: Network, known: tuple[str, ...]
) -> list[Verdict]:
    """The wrong claims from which a way leads here: of the same step by its equations, else of steps before."""
    here = {v.claim.quantity: v for v in earlier if v.claim.step == verdict.claim.step}
    reached, waiting = set(), list(verdict.claim.names)
    found: list[Verdict] = []
    while waiting:
        name = waiting.pop()
        for other in needs_of(name, network, known):
            if other in reached:
                continue
            reached.add(other)
            if other in here:
                found.append(here[other])
            waiting.append(other)
    if found:
        return found
    return [other for other in earlier if other.claim.step < verdict.claim.step]
