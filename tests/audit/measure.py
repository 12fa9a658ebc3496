"""Plants every mistake of the catalogue in random networks, and prints random right sheets: `make planted`.

python -m tests.audit.measure                            # all of it
python -m tests.audit.measure --part 3/8 -o three.json   # an eighth; parts add up to the same as all of it
python -m tests.audit.measure --add *.json               # the table of parts that were run
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from handgrad import check
from tests.audit.planting import NEEDS, STYLES, correct, plant

FEWEST, MOST = 3, 9
LONG = 4  # digits from which on a cause is expected to be named
TRIES = 40
Part = tuple[int, int]
WHOLE: Part = (0, 1)


def false_alarms(sheets: int, seed: int, part: Part = WHOLE) -> tuple[int, list[str]]:
    """How many right sheets were judged, in every style, and what is called wrong in them."""
    judged, found = 0, []
    for number in range(part[0], sheets, part[1]):
        random = np.random.default_rng([seed, number])
        digits, style = int(random.integers(FEWEST, MOST + 1)), STYLES[number % len(STYLES)]
        document = correct(random, digits, style)
        values = [np.asarray(claim["value"], dtype=float) for claim in document["claims"]]
        if not values or not all(np.all(np.isfinite(value)) for value in values):
            continue
        judged += 1
        wrong = check(document).wrong
        if wrong:
            claim = wrong[0].claim
            name = document.get("optimizer", {}).get("name", "no optimizer")
            found.append(
                f"sheet {number}, {digits} digits, {style}, {name}, {document['training']['steps']} steps: "
                f"{claim.quantity} of step {claim.step}"
            )
    return judged, found


def planted(code: str, each: int, seed: int, part: Part = WHOLE) -> Iterator[tuple[Counter[str], str]]:
    """Of each planted slip what was found, and a line where that is not all."""
    for number in range(part[0], each, part[1]):
        for attempt in range(TRIES):
            found = _one(code, seed, number, attempt)
            if found is not None:
                yield found
                break


def _one(code: str, seed: int, number: int, attempt: int) -> tuple[Counter[str], str] | None:
    """One slip: whether its root was found, its cause named rightly, wrongly; None where it shows nowhere."""
    random = np.random.default_rng([seed, *map(ord, code), number, attempt])
    few = 8 if code == "single-precision" else FEWEST
    digits = int(random.integers(few, MOST + 1))
    style = "full" if code in ("single-precision", "rounded-carried") else STYLES[int(random.integers(3))]
    case = plant(code, random, digits, style)
    if case is None:
        return None
    roots = [verdict for verdict in check(case.document).verdicts if verdict.root]
    first = roots[0] if roots else None
    cause = None if first is None else first.cause
    count = Counter(planted=1)
    count["root"] = first is not None and (first.claim.step, first.claim.quantity) == case.root
    count["wrong"] = cause not in (None, code)
    count["long"] = digits >= LONG
    count["right"] = digits >= LONG and cause == code
    missed = not count["root"] or count["wrong"] or (count["long"] and not count["right"])
    at = None if first is None else f"{first.claim.quantity}@{first.claim.step}"
    line = f"{code} {number}.{attempt}: {digits} digits, {style}: {case.root[1]}@{case.root[0]}, found {at}, {cause}"
    return count, line if missed else ""


def run(sheets: int, each: int, seed: int, part: Part) -> dict[str, Any]:
    """The counts of a part, by code, and what was missed."""
    began = time.monotonic()
    judged, alarms = false_alarms(sheets, seed, part)
    print(f"{judged} right sheets: {len(alarms)} false alarms", *alarms, sep="\n", flush=True)
    counts: dict[str, dict[str, int]] = {}
    missed = []
    for code in NEEDS:
        total = Counter[str]()
        for count, line in planted(code, each, seed, part):
            total += count
            missed += [line] if line else []
            if line:
                print(line, flush=True)
        counts[code] = dict(total)
    seconds = time.monotonic() - began
    return {"sheets": judged, "alarms": alarms, "counts": counts, "missed": missed, "seconds": seconds}


def added(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The parts as one."""
    counts = {code: sum((Counter(part["counts"][code]) for part in parts), Counter[str]()) for code in NEEDS}
    return {
        "sheets": sum(part["sheets"] for part in parts),
        "alarms": [line for part in parts for line in part["alarms"]],
        "counts": counts,
        "missed": [line for part in parts for line in part["missed"]],
        "seconds": sum(part["seconds"] for part in parts),
    }


def table(found: dict[str, Any]) -> int:
    """Prints the counts; 1 where a goal is missed."""
    print(f"{found['sheets']} right sheets: {len(found['alarms'])} false alarms", *found["alarms"], sep="\n")
    print(
        "| mistake | planted | root found | cause right, of those with four digits or more | named wrongly |"
    )
    print("| --- | ---: | ---: | ---: | ---: |")
    total = Counter[str]()
    for code, count in found["counts"].items():
        held = Counter(count)
        total += held
        print(
            f"| {code} | {held['planted']} | {held['root']} | {held['right']} of {held['long']} | {held['wrong']} |"
        )
    root, right = total["root"] / total["planted"], total["right"] / total["long"]
    wrong = total["wrong"] / total["planted"]
    print(f"| all | {total['planted']} | {root:.1%} | {right:.1%} of {total['long']} | {wrong:.1%} |")
    print(*found["missed"], f"{found['seconds']:.0f} s", sep="\n")
    return int(bool(found["alarms"]) or root < 0.98 or right < 0.9 or wrong > 0.02)


def main() -> int:
    """Exit status 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.audit.measure")
    parser.add_argument("--sheets", type=int, default=1000, help="right sheets")
    parser.add_argument("--each", type=int, default=20, help="slips of each code")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", default="0/1", help="which part of how many, from 0")
    parser.add_argument("-o", "--output", type=Path, help="where the counts of a part are kept")
    parser.add_argument("--add", type=Path, nargs="+", help="the counts of parts")
    asked = parser.parse_args()
    if asked.add:
        return table(added([json.loads(path.read_text()) for path in asked.add]))
    which, _, of = asked.part.partition("/")
    found = run(asked.sheets, asked.each, asked.seed, (int(which), int(of)))
    if asked.output:
        asked.output.write_text(json.dumps(found))
    return table(found)


if __name__ == "__main__":
    sys.exit(main())
