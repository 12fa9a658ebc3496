"""Fashion-MNIST from the Debian package dataset-fashion-mnist, or synthetic pictures of the same shape.

Source: H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms (2017).
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

DIRECTORIES = (Path("/usr/share/datasets/fashion-mnist"), Path("/usr/share/dataset-fashion-mnist"))
PIXELS, CLASSES = 784, 10
Array = np.ndarray[Any, Any]


class Images(NamedTuple):
    """Pictures, a row of 784 numbers from 0 to 1 each, float32; their classes, int64; their source."""

    train_X: Array
    train_y: Array
    test_X: Array
    test_y: Array
    source: str


def fashion_mnist() -> Images:
    """60,000 pictures to train on and 10,000 to test with; synthetic where the package is absent."""
    for directory in DIRECTORIES:
        if (directory / "train-images-idx3-ubyte.gz").exists():
            return Images(
                _pictures(directory / "train-images-idx3-ubyte.gz"),
                _classes(directory / "train-labels-idx1-ubyte.gz"),
                _pictures(directory / "t10k-images-idx3-ubyte.gz"),
                _classes(directory / "t10k-labels-idx1-ubyte.gz"),
                "Fashion-MNIST",
            )
    return _synthetic()


def read_idx(content: bytes) -> Array:
    """An IDX file: two zeros, the type (8: unsigned byte), the number of axes, their lengths, the data.

    >>> read_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9])).tolist()
    [7, 9]
    """
    if content[:3] != b"\x00\x00\x08":
        raise ValueError(f"not an IDX file of unsigned bytes: it begins with {content[:3]!r}")
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(tuple(int(n) for n in shape))


def _pictures(path: Path) -> Array:
    pictures = read_idx(gzip.decompress(path.read_bytes()))
    return pictures.reshape(len(pictures), PIXELS).astype(np.float32) / np.float32(255)


def _classes(path: Path) -> Array:
    return read_idx(gzip.decompress(path.read_bytes())).astype(np.int64)


def _synthetic() -> Images:
    """A blurred prototype for each class plus noise: as many numbers, and something to learn."""
    generator = np.random.default_rng(0)
    prototypes = generator.uniform(0, 1, (CLASSES, PIXELS)).astype(np.float32)
    y = generator.integers(0, CLASSES, 70_000)
    X = prototypes[y]
    X += generator.normal(0, 0.5, X.shape).astype(np.float32)
    np.clip(X, 0, 1, out=X)
    return Images(
        X[:60_000], y[:60_000], X[60_000:], y[60_000:], "synthetic pictures (dataset-fashion-mnist is absent)"
    )
