"""Fashion-MNIST by the command line, beside scikit-learn: `python -m benchmarks.fashion [--epochs 10]`.

Writes the pictures as NPZ, runs `handgrad train` and `handgrad evaluate` on them, then a process that loads
the same file and fits scikit-learn's MLPClassifier of the same architecture, batch, optimizer and number of
epochs. Wall time is that of the whole process, from its start to its end, reading the file included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.images import fashion_mnist

ROOT = Path(__file__).resolve().parent.parent
HIDDEN, BATCH, MUST_REACH = 128, 128, 0.88


def main(arguments: list[str] | None = None) -> int:
    """Trains both; returns 1 where handgrad's test accuracy is below 88 %."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fashion", description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--scikit-learn", type=Path, metavar="DIRECTORY", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.scikit_learn:
        print(json.dumps(_scikit_learn(options.scikit_learn, options.epochs)))
        return 0
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        source = _write(directory)
        ours = _handgrad(directory, options.epochs)
        theirs = _in_a_process(
            ["-m", "benchmarks.fashion", "--scikit-learn", name, "--epochs", str(options.epochs)]
        )
    reached = ours["accuracy"] >= MUST_REACH
    print(
        f"{source}: 784-{HIDDEN}-10 relu, batch {BATCH}, Adam, {options.epochs} epochs\n\n"
        "| | test accuracy | wall time of the process |\n| --- | ---: | ---: |\n"
        f"| handgrad train | {100 * ours['accuracy']:.2f} % | {ours['seconds']:.2f} s |\n"
        f"| scikit-learn | {100 * theirs['accuracy']:.2f} % | {theirs['seconds']:.2f} s |\n\n"
        f"Must reach {100 * MUST_REACH:.0f} %: {'met' if reached else 'not met'}."
    )
    return 0 if reached else 1


def _write(directory: Path) -> str:
    images = fashion_mnist()
    np.savez(directory / "train.npz", pixel=images.train_X, kind=images.train_y)
    np.savez(directory / "test.npz", pixel=images.test_X, kind=images.test_y)
    return images.source


def _handgrad(directory: Path, epochs: int) -> dict[str, Any]:
    train = (
        f"-m handgrad train {directory}/train.npz --target kind --task multiclass --hidden {HIDDEN} "
        f"--activation relu --optimizer adam --learning-rate 0.001 --batch-size {BATCH} --epochs {epochs} "
        f"--validation 0 --dtype float32 --json -o {directory}/fashion.safetensors"
    )
    trained = _in_a_process(train.split())
    evaluate = f"-m handgrad evaluate {directory}/fashion.safetensors {directory}/test.npz --json"
    judged = _in_a_process(evaluate.split())
    return {"seconds": trained["seconds"], "accuracy": judged["accuracy"]}


def _scikit_learn(directory: Path, epochs: int) -> dict[str, Any]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)
    train, test = np.load(directory / "train.npz"), np.load(directory / "test.npz")
    model = MLPClassifier(
        (HIDDEN,), batch_size=BATCH, max_iter=epochs, learning_rate_init=0.001, alpha=0.0, random_state=0
    )
    model.fit(train["pixel"], train["kind"])
    begun = time.perf_counter()
    accuracy = float(model.score(test["pixel"], test["kind"]))
    return {"accuracy": accuracy, "not_training": time.perf_counter() - begun}


def _in_a_process(arguments: list[str]) -> dict[str, Any]:
    """The JSON that a fresh Python prints, with its wall time, less what it says was not training."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(arguments[:3])} ended with status {done.returncode}: {done.stderr.strip()}"
        )
    answer: dict[str, Any] = json.loads(done.stdout)
    answer["seconds"] = seconds - answer.get("not_training", 0.0)
    return answer


if __name__ == "__main__":
    sys.exit(main())
