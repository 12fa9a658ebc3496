"""What all tests share: reproducible property tests, and one thread for greedy libraries."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile(
    "handgrad",
    deadline=None,
    derandomize=True,  # a red test is red for everybody
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", settings.get_profile("handgrad"), derandomize=False, max_examples=2000)
settings.register_profile(  # a mutant is to fail, and nobody asks for the smallest example
    "mutation",
    settings.get_profile("handgrad"),
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "handgrad"))

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Callable[..., Any]]:
    """Launches Debian's Chromium with switches; one driver serves all, for Playwright allows no second in a process."""
    executable = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if executable is None:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:

        def launch(*switches: str) -> Any:
            return driver.chromium.launch(executable_path=executable, args=list(switches))

        yield launch


@pytest.fixture(scope="session")
def browser(chromium: Callable[..., Any]) -> Iterator[Any]:
    """Chromium without any network."""
    opened = chromium(*QUIET)
    yield opened
    opened.close()
