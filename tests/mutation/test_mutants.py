"""The mutants themselves: what is changed, what is left alone, and that a change does what it says."""

from __future__ import annotations

import ast

import pytest

from tests.mutation.mutants import mutants

SOURCE = '''
"""The module says -1 + 2."""
from __future__ import annotations

SCALE: float = 0.5
TABLE = {"half": lambda x: x / 2}

def f(x: int, y: int = 3) -> int:
    """Returns 1."""
    if x < y and not x == "no":
        raise ValueError(f"x must be at least {y + 1}")
    assert x > 0
    for a, b in zip([x], [y], strict=True):
        x += a @ b.T if isinstance(x, int | float) else TABLE["half"](x)
    return x[0]
'''


def changes() -> dict[str, tuple[str, bool]]:
    return {
        f"{mutant.line}: {mutant.change}": (mutant.function, mutant.at_import) for mutant in mutants(SOURCE)
    }


def test_each_operator_sign_index_constant_and_transpose_is_changed_once():
    assert changes() == {
        "5: 0.5 -> 0.75": ("", True),
        "6: / -> *": ("", False),
        "6: 2 -> 3": ("", False),
        "8: 3 -> 4": ("", True),
        "10: and -> or": ("f", False),
        "10: < -> <=": ("f", False),
        "10: not x == 'no' -> x == 'no'": ("f", False),
        "10: == -> !=": ("f", False),
        "10: 'no' -> 'no~'": ("f", False),
        "14: + -> -": ("f", False),
        "14: if isinstance(x, int | float) -> if not isinstance(x, int | float)": ("f", False),
        "14: @ -> *": ("f", False),
        "14: b.T -> b": ("f", False),
        "15: 0 -> 1": ("f", False),
    }


def test_a_mutant_differs_from_its_source_in_what_it_says():
    tree = ast.parse(SOURCE)
    plain = ast.unparse(tree)
    seen = set()
    for mutant in mutants(SOURCE):
        changed = ast.unparse(mutant.applied(tree))
        assert changed != plain
        seen.add(changed)
        differing = [
            (old, new)
            for old, new in zip(plain.splitlines(), changed.splitlines(), strict=True)
            if old != new
        ]
        assert len(differing) == 1
    assert len(seen) == len(mutants(SOURCE))
    assert ast.unparse(tree) == plain


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [("/ -> *", 3.0, 12.0), ("2 -> 3", 3.0, 2.0), ("- -> +", 3.0, 3.0), ("0 -> 1", 3.0, 2.0)],
)
def test_a_mutant_acts(change, before, after):
    source = "def f(x):\n    return x / 2 - 0\n"
    (mutant,) = [one for one in mutants(source) if one.change == change]
    results = []
    for tree in (ast.parse(source), mutant.applied(ast.parse(source))):
        held: dict = {}
        exec(compile(tree, "source", "exec"), held)
        results.append(held["f"](6.0))
    assert results == [before, after]


def test_the_statement_around_a_change_is_known():
    reach = {
        mutant.change: (mutant.first, mutant.last)
        for mutant in mutants("if x:\n    y = [\n        1,\n        -z]")
    }
    assert reach == {"if x -> if not x": (1, 4), "1 -> 2": (2, 4), "-z -> z": (2, 4)}
