"""Instruction sets to be forced, as far as this machine has them."""

from __future__ import annotations

import pytest

from handgrad.engines.native import instruction_set
from handgrad.errors import SpecificationError


@pytest.fixture(params=["avx512", "avx2", "portable"])
def isa(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of an instruction set, forced by HANDGRAD_ISA for the test."""
    name = str(request.param)
    monkeypatch.setenv("HANDGRAD_ISA", name)
    try:
        assert instruction_set() == name
    except SpecificationError:
        assert name != "portable"
        pytest.skip(f"this machine has no {name}")
    return name
