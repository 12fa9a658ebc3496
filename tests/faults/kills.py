"""Kills training at random moments: the old model or a new one is there, whole, and the next run leaves no rest.

    python -m tests.faults.kills [--kills 200]

A third of them SIGKILL, which nothing can answer; the others ask to end, and what was trained must be there.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from handgrad.errors import ModelError
from handgrad.models.model import Model

ROOT = Path(__file__).parents[2]
PENGUINS = ROOT / "examples" / "penguins.csv"
HANDGRAD = [sys.executable, "-m", "handgrad"]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def training(path: Path, seed: int = 0) -> list[str]:
    """One of about a second, which writes over the last one; another seed makes another model."""
    return [
        *HANDGRAD, "train", str(PENGUINS), "--target", "species", "--hidden", "256,256", "--epochs", "6",
        "--validation", "0", "-q", "--seed", str(seed), "-o", str(path),
    ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    rng, wrong, there = random.Random(chosen.seed), [], 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "m.safetensors"
        started = time.monotonic()
        subprocess.run(training(path), check=True)
        lasts = time.monotonic() - started
        for number in range(chosen.kills):
            ended_by = SIGNALS[number % 4] if number % 3 else signal.SIGKILL
            before = path.read_bytes() if path.exists() else None
            process = subprocess.Popen(
                training(path, number + 1), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(rng.uniform(0.0, 1.1) * lasts)
            process.send_signal(ended_by)
            status = process.wait()
            problem = judged(path, before, status, ended_by)
            there += path.read_bytes() != before
            if problem:
                wrong.append(f"kill {number} by {ended_by.name}, status {status}: {problem}")
                print(wrong[-1], flush=True)
        subprocess.run(training(path), check=True)
        left = [entry.name for entry in path.parent.iterdir() if entry.name not in (path.name, "m.run.toml")]
        if left:
            wrong.append(f"left behind by the run after the kills: {', '.join(left)}")
    print(
        f"{chosen.kills} kills in {time.monotonic() - began:.0f} s: {there} times a new model, "
        f"{chosen.kills - there} times the old one, {len(wrong)} torn, lost or left behind"
    )
    return 1 if wrong else 0


def judged(path: Path, before: bytes | None, status: int, ended_by: signal.Signals) -> str | None:
    """What is wrong after a kill, None where nothing is."""
    try:
        model = Model.load(path)
    except ModelError as error:
        return str(error)
    allowed = (0, 128 + ended_by, -ended_by)
    if status not in allowed:
        return f"a status other than {', '.join(map(str, allowed))}"
    if status == 0 and model.fit.ended == "interrupted":
        return "status 0 after an interruption"
    if before is None and not path.exists():
        return "no model"
    return None


if __name__ == "__main__":
    sys.exit(main())
