"""Short command-line runs on a busy machine: each ends with the exit status that was promised.

    python -m tests.faults.soak [--runs 2000]

Eight runs at a time, whatever the number of processors; and steps of training in one process without growth of memory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
PENGUINS = ROOT / "examples" / "penguins.csv"
CASE = ROOT / "examples" / "relu-sigmoid-2-2-1.toml"
HANDGRAD = [sys.executable, "-m", "handgrad"]
READ = [sys.executable, "-c", f"from handgrad.data.tables import read_table; read_table({str(PENGUINS)!r})"]

GROWTH = """
import resource, sys
import numpy as np
from handgrad.nn.network import Dense, Network
from handgrad.training.fit import fit
X = np.random.default_rng(0).normal(size=(2000, 8))
def train(epochs):
    network = Network(8, [Dense(16, "relu"), Dense(1)], "squared_error")
    fit(network, X, X[:, 0], epochs=epochs, batch_size=10, snapshots=2)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
train(20)
before = train(20)
after = train(int(sys.argv[1]))
print(200 * int(sys.argv[1]), before, after)
sys.exit(after - before > 20_000)
"""


def commands(folder: Path) -> list[tuple[str, list[str], int]]:
    """(name, command, promised status)."""
    model = folder / "m.safetensors"
    train = [
        *HANDGRAD,
        "train",
        str(PENGUINS),
        "--target",
        "species",
        "--hidden",
        "2",
        "--epochs",
        "1",
        "-q",
        "-o",
    ]
    subprocess.run([*train, str(model)], check=True)
    return [
        ("read a table", READ, 0),
        ("train", [*train, str(folder / "{n}.safetensors")], 0),
        ("predict", [*HANDGRAD, "predict", str(model), str(PENGUINS), "-o", str(folder / "{n}.csv")], 0),
        ("verify", [*HANDGRAD, "verify", str(model), "-q"], 0),
        ("explain", [*HANDGRAD, "explain", str(CASE), "-q", "-o", str(folder / "{n}.json")], 0),
        ("gradcheck that finds", [*HANDGRAD, "gradcheck", str(CASE), "--tolerance", "1e-18", "-q"], 1),
        (
            "a call that is wrong",
            [*HANDGRAD, "train", str(PENGUINS), "--target", "no", "-o", str(folder / "no")],
            2,
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument(
        "--epochs", type=int, default=500, help="of 200 steps, in the run that watches memory"
    )
    chosen = parser.parse_args()
    began = time.monotonic()
    wrong: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        todo = commands(Path(name))

        def one(number: int) -> str | None:
            title, command, promised = todo[number % len(todo)]
            filled = [part.replace("{n}", str(number)) for part in command]
            done = subprocess.run(filled, capture_output=True, check=False, cwd=ROOT, env=dict(os.environ))
            if done.returncode == promised:
                return None
            return f"{title}: status {done.returncode}, {done.stderr.decode(errors='replace').strip()[-200:]}"

        with ThreadPoolExecutor(8) as pool:
            for answer in pool.map(one, range(chosen.runs)):
                if answer is not None:
                    wrong[answer] += 1
                    print(answer, flush=True)
    print(
        f"{chosen.runs:,} runs in {time.monotonic() - began:.0f} s, {sum(wrong.values())} with another status"
    )
    grown = subprocess.run(
        [sys.executable, "-c", GROWTH, str(chosen.epochs)], capture_output=True, text=True, check=False
    )
    steps, before, after = map(int, grown.stdout.split())
    print(f"{steps:,} steps in one process: {before:,} kB at first, {after:,} kB at last")
    return 1 if wrong or grown.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
