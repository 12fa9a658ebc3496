"""A matrix as a heat map that stays readable: at most so many cells, each the largest number of its block."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array

MOST_ROWS, MOST_COLUMNS = 64, 64
DIGITS = 4  # significant; a colour does not tell more, and the sheet has the rest


class Region(NamedTuple):
    """Rows `top` to `bottom` and columns `left` to `right` of a matrix, the last ones not included, from 0.

    >>> Region.parse("0:2,3:5")
    Region(top=0, bottom=2, left=3, right=5)

    Raises SpecificationError for text of another form.
    """

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def parse(cls, text: str) -> Region:
        """A region written as A:B,C:D."""
        try:
            (top, bottom), (left, right) = (map(int, part.split(":")) for part in text.split(","))
        except ValueError as error:
            raise SpecificationError(f"a region is written A:B,C:D (rows, columns), got {text!r}") from error
        return cls(top, bottom, left, right)


def heat(array: Array, region: Region | None = None) -> dict[str, Any]:
    """The cells of a matrix (rows, columns), or of a region of it, as plain numbers.

    Where there are more rows or columns than a screen shows, a cell is a block, and its number the one of
    largest magnitude in it; `down` and `across` say how many entries a block has. Numbers have four significant
    digits; what is not finite is null.

    >>> found = heat(np.array([[1.0, -2.0], [0.5, 0.25]]))
    >>> found["cells"], found["largest"], found["down"], found["across"]
    ([[1.0, -2.0], [0.5, 0.25]], 2.0, 1, 1)

    Raises SpecificationError for a region that is not in the matrix.
    """
    whole = np.asarray(array, np.float64)
    rows, columns = whole.shape
    top, bottom, left, right = region or Region(0, rows, 0, columns)
    if not (0 <= top < bottom <= rows and 0 <= left < right <= columns):
        raise SpecificationError(
            f"the region {top}:{bottom},{left}:{right} is not in a matrix of {rows} rows and {columns} columns"
        )
    part = whole[top:bottom, left:right]
    down, across = -(-part.shape[0] // MOST_ROWS), -(-part.shape[1] // MOST_COLUMNS)
    cells = largest_of_blocks(part, down, across)
    magnitudes = np.abs(whole[np.isfinite(whole)])
    return {
        "rows": rows,
        "columns": columns,
        "top": top,
        "left": left,
        "bottom": bottom,
        "right": right,
        "down": down,
        "across": across,
        "cells": [[rounded(value) for value in line] for line in cells.tolist()],
        "largest": rounded(float(magnitudes.max(initial=0.0))),
        "rms": rounded(root_mean_square(whole)),
        "unbounded": int(whole.size - magnitudes.size),
    }


def largest_of_blocks(array: Array, down: int, across: int) -> Array:
    """The number of largest magnitude in each block of `down` rows and `across` columns; NaN where one is not finite.

    >>> largest_of_blocks(np.array([[1.0, -3.0, 2.0]]), 1, 2).tolist()
    [[-3.0, 2.0]]
    """
    if down == across == 1:
        return array
    rows, columns = array.shape
    padded = np.zeros((-(-rows // down) * down, -(-columns // across) * across))
    padded[:rows, :columns] = array
    high, wide = padded.shape[0] // down, padded.shape[1] // across
    blocks = padded.reshape(high, down, wide, across).transpose(0, 2, 1, 3).reshape(high, wide, down * across)
    magnitudes = np.where(np.isfinite(blocks), np.abs(blocks), np.inf)
    found: Array = np.take_along_axis(blocks, magnitudes.argmax(axis=2)[..., None], axis=2)[..., 0]
    return found


def root_mean_square(array: Array) -> float:
    """sqrt(mean of x^2) over the finite entries, in float64; 0 for none.

    >>> root_mean_square(np.array([6.0, 8.0, 0.0, 0.0, np.inf]))
    5.0
    """
    finite = np.asarray(array, np.float64)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return 0.0
    scale = float(np.abs(finite).max())
    return scale * float(np.sqrt(np.mean((finite / scale) ** 2))) if scale else 0.0


def rounded(value: float) -> float | None:
    """A number to four significant digits; None for one without bounds.

    >>> rounded(0.123456), rounded(float("inf"))
    (0.1235, None)
    """
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
