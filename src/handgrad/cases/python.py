"""The few lines of Python that compute a worksheet anew: what a notebook runs."""

from __future__ import annotations

import math
import pprint
from typing import Any

import msgspec

from handgrad.cases.schema import CaseKeys

_WIDTH = 96


def case_program(keys: CaseKeys, **choices: Any) -> str:
    """A program that opens the case and prints every quantity of its step; `choices` are those of `explain`.

    >>> from handgrad.cases.schema import parse_case
    >>> layer = {"units": 1, "W": [[2.0]]}
    >>> network = {"inputs": 1, "loss": "squared_error", "layers": [layer]}
    >>> keys = parse_case({"network": network, "data": {"x": [[3.0]], "y": [[5.0]]}})
    >>> print(case_program(keys, step=1).splitlines()[-2])
    for name, value in worksheet.quantities().items():
    """
    held = msgspec.to_builtins(keys)
    held.pop("claims", None)
    asked = "".join(f", {name}={value!r}" for name, value in choices.items() if value is not None)
    imported = "import handgrad as hg\n"
    if not _finite(held):
        imported = f"from math import inf, nan\n\n{imported}"
    return (
        f"{imported}\ncase = {pprint.pformat(held, width=_WIDTH, sort_dicts=False)}\n"
        f"worksheet = hg.explain(case{asked})\n"
        'for name, value in worksheet.quantities().items():\n    print(name, value, sep=" = ")'
    )


def _finite(held: Any) -> bool:
    if isinstance(held, dict):
        return all(map(_finite, held.values()))
    if isinstance(held, list | tuple):
        return all(map(_finite, held))
    return not isinstance(held, float) or math.isfinite(held)
