"""Kills trainings that write checkpoints, resumes them, and compares with one that nothing broke off.

    python -m tests.faults.broken_off [--kills 200]

Every kill is a SIGKILL at a random moment of reading, training, streaming or saving; the checkpoint that is there
must be whole, the next run goes on from it, and the model in the end has the bytes of the unbroken one. Half the
trainings are streamed from disk. No scratch file stays.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from handgrad.errors import ModelError
from handgrad.models.model import Model

HANDGRAD = [sys.executable, "-m", "handgrad"]


def table(path: Path, rows: int = 4000) -> None:
    """Two columns that tell a third, and a word."""
    rng = random.Random(0)
    lines = ["x,z,kind,y"]
    for _ in range(rows):
        x, z, kind = rng.gauss(0, 1), rng.gauss(0, 1), rng.choice("abc")
        lines.append(f"{x:.4f},{z:.4f},{kind},{'yes' if x * z + (kind == 'a') > 0.4 else 'no'}")
    path.write_text("\n".join(lines) + "\n")


def training(data: Path, model: Path, streamed: bool) -> list[str]:
    """One of about two seconds that saves after every epoch and goes on from what is there."""
    flags = [
        "--target",
        "y",
        "--hidden",
        "128,128",
        "--epochs",
        "12",
        "--checkpoint",
        "1",
        "--resume",
        "--force",
        "-q",
    ]
    memory = ["--memory", "1MiB", "--batch-size", "64"] if streamed else []
    return [*HANDGRAD, "train", str(data), *flags, *memory, "-o", str(model)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    rng, wrong, ended, began = random.Random(chosen.seed), [], 0, time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "t.csv"
        table(data)
        whole, lasts = {}, {}
        for streamed in (False, True):
            path, started = folder / f"whole{streamed:d}.safetensors", time.monotonic()
            subprocess.run(training(data, path, streamed), check=True)
            whole[streamed], lasts[streamed] = path.read_bytes(), time.monotonic() - started
        kills = 0
        while kills < chosen.kills:
            streamed = bool(ended % 2)
            path = folder / "m.safetensors"
            process = subprocess.Popen(training(data, path, streamed), stderr=subprocess.DEVNULL)
            try:
                status: int | None = process.wait(rng.uniform(0.1, 1.0) * lasts[streamed])
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                status, kills = None, kills + 1
            try:
                if path.exists():
                    Model.load(path)
            except ModelError as error:
                wrong.append(f"kill {kills}: {error}")
                path.unlink()
            if status == 0:
                ended += 1
                if path.read_bytes() != whole[streamed]:
                    wrong.append(
                        f"training {ended} (streamed: {streamed}) has other bytes than the unbroken one"
                    )
                path.unlink()
            elif status is not None:
                wrong.append(f"kill {kills}: the next run ended with {status}")
                path.unlink(missing_ok=True)
        kept = ("t.csv", "whole0.safetensors", "whole1.safetensors", "m.safetensors")
        left = [
            entry.name for entry in folder.iterdir() if entry.name not in kept and entry.suffix != ".toml"
        ]
        temporary = [entry for entry in left if ".tmp" not in entry]  # a file half written has its own name
        wrong += [f"left behind: {', '.join(temporary)}"] if temporary else []
    print(
        f"{chosen.kills} kills in {time.monotonic() - began:.0f} s: {ended} trainings went on to their end, "
        f"{len(wrong)} wrong"
    )
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
