"""The functions of `nn` run by other libraries, every row of their tables at least once.

`make parity` runs every pair of rows (docs/testing.md has its last result).
"""

from __future__ import annotations

import numpy as np
import pytest

from handgrad.nn.dropout import Library, dropout_mask, round_keys
from tests.engines.parity import BARS, FACTORS, each_once, each_pair, judge, uncovered

TABLE = [(row, list(BARS)[k % 2]) for k, row in enumerate(each_once())]


def test_the_tables_are_covered() -> None:
    assert uncovered() == set()
    for k, factor in enumerate(FACTORS):
        assert {str(row[k]) for row, _ in TABLE} == {str(entry) for entry in factor}


def test_every_pair_stands_in_the_long_table() -> None:
    rows = each_pair()
    for i, left in enumerate(FACTORS):
        for j, right in enumerate(FACTORS[:i]):
            assert len({(str(row[i]), str(row[j])) for row in rows}) == len(left) * len(right)


@pytest.mark.parametrize(("row", "dtype"), TABLE, ids=[f"{row}-{dtype}" for row, dtype in TABLE])
@pytest.mark.parametrize("runner", ["jax", "torch", "strict"])
def test_fifty_steps(runner: str, row, dtype: str) -> None:
    pytest.importorskip({"strict": "array_api_strict"}.get(runner, runner))
    judged, bar = judge(runner, row, dtype), BARS[dtype]
    assert judged.moved > 100 * bar, "nothing was learned, so nothing is compared"
    assert max(judged.apart, judged.losses) < bar, judged


def _libraries():
    array_api_strict = pytest.importorskip("array_api_strict")
    jax = pytest.importorskip("jax")
    torch = pytest.importorskip("array_api_compat.torch")
    return [
        Library(array_api_strict),
        Library(jax.numpy),
        Library(jax.numpy, apart=jax.lax.optimization_barrier),
        Library(torch, word=torch.int64),
    ]


@pytest.mark.parametrize("keep", [0.3, 1.0])
def test_every_library_draws_the_same_masks(keep: float) -> None:
    seed, step = (7 << 32) + 2**31, 2**32 - 5
    expected = dropout_mask(seed, step, 3, 9, 14, keep)
    for library in _libraries():
        for key in (seed, round_keys(seed)):
            drawn = dropout_mask(key, library.words(step), 3, 9, 14, keep, library)
            np.testing.assert_array_equal(np.asarray(drawn), expected)
