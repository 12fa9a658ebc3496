"""Plants every mistake of the catalogue in random networks, and prints random right sheets: `make planted`.

python -m tests.audit.measure [SHEETS] [EACH] [SEED]    # right sheets, planted slips of each code, seed
"""

from __future__ import annotations

import sys
import time
from collections import Counter

import numpy as np

from handgrad import check
from tests.audit.planting import NEEDS, STYLES, correct, plant

FEWEST, MOST = 3, 9
LONG = 4  # digits from which on a cause is expected to be named
TRIES = 40


def false_alarms(sheets: int, seed: int) -> list[str]:
    """What is called wrong in right sheets, printed in every style."""
    random, found = np.random.default_rng(seed), []
    for number in range(sheets):
        digits, style = int(random.integers(FEWEST, MOST + 1)), STYLES[number % len(STYLES)]
        document = correct(random, digits, style)
        values = [np.asarray(claim["value"], dtype=float) for claim in document["claims"]]
        if not values or not all(np.all(np.isfinite(value)) for value in values):
            continue
        wrong = check(document).wrong
        if wrong:
            claim = wrong[0].claim
            found.append(f"sheet {number}, {digits} digits, {style}: {claim.quantity} of step {claim.step}")
    return found


def planted(code: str, each: int, seed: int) -> Counter[str]:
    """How often a slip was planted, its root found, its cause named rightly, wrongly, not at all."""
    random, count = np.random.default_rng([seed, *map(ord, code)]), Counter[str]()
    for _ in range(TRIES * each):
        if count["planted"] == each:
            break
        digits = int(
            random.integers(8, 10) if code == "single-precision" else random.integers(FEWEST, MOST + 1)
        )
        own = code in ("single-precision", "rounded-carried")
        style = "full" if own else STYLES[int(random.integers(3))]
        case = plant(code, random, digits, style)
        if case is None:
            continue
        roots = [verdict for verdict in check(case.document).verdicts if verdict.root]
        first = roots[0] if roots else None
        cause = None if first is None else first.cause
        count["planted"] += 1
        count["root"] += first is not None and (first.claim.step, first.claim.quantity) == case.root
        count["wrong"] += cause not in (None, code)
        if digits >= LONG:
            count["long"] += 1
            count["right"] += cause == code
    return count


def main(sheets: int = 1000, each: int = 20, seed: int = 1) -> int:
    """Prints the counts; exit status 1 where a goal is missed."""
    began = time.monotonic()
    alarms = false_alarms(sheets, seed)
    print(f"{sheets} right sheets: {len(alarms)} false alarms")
    print("\n".join(alarms))
    total = Counter[str]()
    for code in NEEDS:
        count = planted(code, each, seed)
        total += count
        print(
            f"{code:22} planted {count['planted']:3}, root {count['root']:3}, "
            f"right {count['right']:3} of {count['long']:3}, wrong {count['wrong']}",
            flush=True,
        )
    root, right = total["root"] / total["planted"], total["right"] / total["long"]
    wrong = total["wrong"] / total["planted"]
    print(f"root found {root:.1%}, cause right {right:.1%} (4 digits or more), named wrongly {wrong:.1%}")
    print(f"{time.monotonic() - began:.0f} s")
    return int(bool(alarms) or root < 0.98 or right < 0.9 or wrong > 0.02)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
