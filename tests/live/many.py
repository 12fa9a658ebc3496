"""300 random cases in the page: `make live`. As given, edited, and after 20 steps: every quantity is Python's."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from handgrad.cases.case import Case
from handgrad.live.page import live_page
from tests.conftest import QUIET
from tests.live.test_numbers import compare, edited, expected, random_case

COUNT = 300
STEPS = (1, 2, 20)


def differences(page: Any, seed: int) -> list[str]:
    """What differs in the case of a seed: one line each."""
    case, found = random_case(seed), []

    def look(wanted: list[dict[str, Any]], when: str) -> None:
        for number in STEPS:
            try:
                compare(
                    page.evaluate(f"handgrad.quantities({number})"),
                    wanted[number - 1],
                    f"{seed} {when} {number}",
                )
            except AssertionError as error:
                found.append(str(error).splitlines()[0])

    page.evaluate("handgrad.steps(20)")
    look(expected(case), "as given, step")
    for quantity, index, value in edited(case, np.random.default_rng(seed + 1000)):
        page.evaluate("([q, i, v]) => handgrad.set(q, i, v)", [quantity, index, value])
    look(expected(case), "edited, step")
    return found


def main() -> int:
    """Prints what differs and a summary; 1 where something does."""
    from playwright.sync_api import sync_playwright

    began, found, complaints = perf_counter(), list[str](), list[str]()
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as driver, TemporaryDirectory() as folder:
        browser = driver.chromium.launch(executable_path=executable, args=list(QUIET))
        page = browser.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        for seed in range(COUNT):
            path = Path(folder) / f"{seed}.html"
            path.write_bytes(live_page(Case.from_dict(random_case(seed))))
            page.goto(path.as_uri())
            page.evaluate("window.handgrad.ready")
            found += differences(page, seed)
        browser.close()
    for line in found + complaints:
        print(line)
    print(
        f"{COUNT} random cases, {len(STEPS) * 2 * COUNT} steps compared: {len(found)} differ, "
        f"{len(complaints)} console errors, {perf_counter() - began:.0f} s"
    )
    return 1 if found or complaints else 0


if __name__ == "__main__":
    sys.exit(main())
