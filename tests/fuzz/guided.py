"""Coverage-guided fuzzing of the readers with Atheris (`pip install atheris`), beside the seeded one.

    python -m tests.fuzz.guided csv -max_total_time=60
    python -m tests.fuzz.guided model CORPUS -runs=100000

The bytes that Atheris makes go to the same targets; what it finds is written to the working folder as crash-*.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found,unused-ignore]

with atheris.instrument_imports(include=["handgrad"]):
    from tests.fuzz.targets import TARGETS, attempt


def main() -> None:
    kind, arguments = sys.argv[1], sys.argv[2:]
    target = TARGETS[kind]

    def one_input(data: bytes) -> None:
        attempt(kind, 0, data)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        """Half of the mutations know the structure of the file."""
        rng = random.Random(seed)
        try:
            made = target.mutate(data, rng) if rng.random() < 0.5 else bytes(atheris.Mutate(data, most))
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):  # no longer of that structure
            made = bytes(atheris.Mutate(data, most))
        return made[:most]

    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(target.seeds()):
            (Path(folder) / str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], folder, "-max_len=1000000", *arguments], one_input, custom_mutator=mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
