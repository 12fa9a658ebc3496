"""A table of many rows in one Parquet file, and how a training on it behaves in memory and streamed.

python benchmarks/big_table.py make big.parquet --rows 20000000
python benchmarks/big_table.py measure big.parquet --memory 1GiB
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

COLUMNS, GROUP = 28, 250_000


def make(path: Path, rows: int) -> None:
    """28 columns of float32 and a class that some of them tell, with noise."""
    rng = np.random.default_rng(0)
    names = [f"x{j + 1}" for j in range(COLUMNS)]
    schema = pa.schema([*((name, pa.float32()) for name in names), ("y", pa.int8())])
    with pyarrow.parquet.ParquetWriter(path, schema, compression="lz4", use_dictionary=False) as writer:
        for first in range(0, rows, GROUP):
            X = rng.standard_normal((min(GROUP, rows - first), COLUMNS), np.float32)
            score = (
                X[:, 0]
                + X[:, 1] * X[:, 2]
                - 0.5 * X[:, 3] ** 2
                + 0.5 * rng.standard_normal(len(X), np.float32)
            )
            columns = [*X.T, (score > 0).astype(np.int8)]
            writer.write_table(pa.table(dict(zip(schema.names, map(pa.array, columns), strict=True)), schema))


def measure(path: Path, memory: str | None, epochs: int, hidden: str) -> dict[str, float]:
    """Seconds of an epoch, of the whole command, and its peak memory."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = [sys.executable, "-m", "handgrad", "train", str(path), "--target", "y", "--validation", "0"]
        command += ["--dtype", "float32", "--epochs", str(epochs), "--hidden", hidden, "--json"]
        command += ["-o", str(Path(folder) / "m.safetensors")] + (["--memory", memory] if memory else [])
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        result = json.loads(child.stdout.read())
        _, status, used = os.wait4(child.pid, 0)
        if status:
            raise SystemExit(f"{' '.join(command)} ended with {status}")
    seconds = [line["seconds"] for line in result["history"]]
    return {
        "epoch": float(np.median(seconds[1:] or seconds)),
        "whole": time.perf_counter() - began,
        "peak_MiB": used.ru_maxrss / 1024,
        "loss": result["history"][-1]["loss"],
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=["make", "measure"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--memory", default="1GiB")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--hidden", default="128,64")
    parser.add_argument("--held", action="store_true", help="measure it in memory too")
    asked = parser.parse_args()
    if asked.verb == "make":
        make(asked.path, asked.rows)
        return
    print("streamed", measure(asked.path, asked.memory, asked.epochs, asked.hidden), flush=True)
    if asked.held:
        print("in memory", measure(asked.path, None, asked.epochs, asked.hidden))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
