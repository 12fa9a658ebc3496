"""A model that was trained on a small table, and its browser served to the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import handgrad as hg
from handgrad.live.walk.app import Walking
from handgrad.live.walk.serving import Serving
from handgrad.live.walk.walked import Walked


def write_table(path: Path) -> Path:
    """Two numbers, a category, a class: 40 rows, one empty cell, a name that is markup."""
    r = np.random.default_rng(3)
    x, z = r.normal(0, 1, 40), r.normal(0, 1, 40)
    lines = ["length,<b>width</b>,colour,kind"]
    for k in range(40):
        width = "" if k == 7 else f"{z[k]:.3f}"
        lines.append(f"{x[k]:.3f},{width},{'red' if k % 3 else 'blue'},{'yes' if x[k] > z[k] else 'no'}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two models of one table, of networks of the same sizes."""
    folder = tmp_path_factory.mktemp("walked")
    table = write_table(folder / "kinds.csv")
    paths = []
    for name, rate in (("slow", 0.01), ("quick", 0.1)):
        model = hg.fit_table(
            str(table), "kind", hidden=(6, 3), epochs=6, batch_size=8, optimizer=hg.Adam(rate), seed=2
        )
        paths.append(model.save(folder / f"{name}.safetensors"))
    return paths


@pytest.fixture(scope="session")
def walking(models: list[Path]) -> Walking:
    return Walking([Walked(hg.Model.load(path), path.stem) for path in models], "en")


@pytest.fixture(scope="session")
def serving(walking: Walking) -> Iterator[Serving]:
    with Serving(walking) as serving:
        yield serving


@pytest.fixture(scope="session")
def local_browser(chromium: Callable[..., Any]) -> Iterator[Any]:
    """Chromium that reaches the loopback interface by its number."""
    opened = chromium("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
    yield opened
    opened.close()


Opened = Callable[..., Any]


@pytest.fixture
def walked_page(local_browser: Any, serving: Serving) -> Iterator[Opened]:
    """Opens the browser of the training; an error in the console, or a refused request, fails the test."""
    pages, complaints = [], []

    def open_page(
        fragment: str = "", address: str | None = None, expected: str = "no complaint", **options: Any
    ) -> Any:
        page = local_browser.new_page(**options)
        page.set_default_timeout(8_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text) if said.type == "error" and expected not in said.text else None
            ),
        )
        page.goto(f"{address or serving.address}{fragment}")
        page.evaluate("window.handgrad.ready.then(() => 1)")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert complaints == []
