"""The main job on real data: train on the penguins, open an answer and a step, then an example by hand, in brief.

Run by `make demo`; each line that begins with $ is a command that you can type yourself.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
OUT = HERE.parent / "out"
MODEL = OUT / "penguins.safetensors"
LEAST_ACCURACY = 0.97


def handgrad(*arguments: str, show: bool = True) -> str:
    """Runs a verb as a user would; its output, where it is not shown."""
    if show:
        print(f"\n$ handgrad {' '.join(arguments)}", flush=True)
    command = [sys.executable, "-m", "handgrad", *arguments]
    return (
        subprocess.run(command, check=True, text=True, stdout=None if show else subprocess.PIPE).stdout or ""
    )


def main() -> None:
    """Trains, says why, opens a step for one row, follows one weight of an example: all in 120 lines."""
    OUT.mkdir(exist_ok=True)
    penguins, model = str((HERE / "penguins.csv").relative_to(Path.cwd())), str(MODEL.relative_to(Path.cwd()))
    handgrad("train", penguins, "--target", "species", "--validation", "0.2", "--seed", "1", "-o", model)
    handgrad("why", model, penguins, "--row", "7")
    handgrad("explain", model, "--step", "40", "--rows", "0:1", "--focus", "b2[0]")
    example = str((HERE / "relu-sigmoid-2-2-1.toml").relative_to(Path.cwd()))
    handgrad("explain", example, "--focus", "W1[0,0]")

    again = (
        "train",
        penguins,
        "--target",
        "species",
        "--validation",
        "0.2",
        "--seed",
        "1",
        "-o",
        model,
        "--json",
    )
    judged = json.loads(handgrad(*again, show=False))
    accuracy = judged["metrics"]["accuracy"]
    print(f"\nValidation accuracy {accuracy:.1%}, trained in {judged['seconds']:.2f} s.")
    print("Next: handgrad explain", example, "--to html -o step.html")
    if accuracy < LEAST_ACCURACY:
        sys.exit("the accuracy is below what this demonstration promises")


if __name__ == "__main__":
    main()
