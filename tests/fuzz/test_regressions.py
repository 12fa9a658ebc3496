"""Every file that ever crashed handgrad, fed again; and the fuzzer itself finds what is planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import run, targets

FILES = sorted(path for path in run.REGRESSIONS.glob("*") if path.suffix != ".md")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_that_crashed_no_longer_does(path: Path) -> None:
    targets.attempt(path.name.split("-")[0], 0, path.read_bytes())


@pytest.mark.parametrize("kind", targets.TARGETS)
def test_a_seed_names_one_input_and_the_seeds_themselves_are_right(kind: str) -> None:
    assert targets.mutated(kind, 7) == targets.mutated(kind, 7) != targets.mutated(kind, 8)
    for data in targets.TARGETS[kind].seeds():
        targets.attempt(kind, 0, data)


def test_a_defect_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("handgrad.cli.verify.read_whole", broken)
    with pytest.raises(targets.Finding, match="planted"):
        targets.attempt("model", 0, b"")


def test_a_worker_that_dies_is_an_answer() -> None:
    worker = run.Worker()
    worker.give("csv", 1)
    worker.process.kill()
    assert "SIGKILL" in worker.answer()["finding"]
