"""Every public name, and every method of what users hold in their hands, has an example; `make test` runs them all."""

from __future__ import annotations

import doctest
import inspect
from functools import cached_property
from pathlib import Path

import pytest

import handgrad as hg
from handgrad import nn
from handgrad.nn.activations import ACTIVATIONS
from handgrad.nn.losses import LOSSES
from handgrad.nn.optimizers import OPTIMIZERS

HELD = (hg.Case, hg.Fit, hg.Model, hg.Worksheet)


def methods(kind: type) -> list[str]:
    """The public methods and properties that the class has from handgrad itself."""
    found = {}
    for base in kind.__mro__:
        if base.__module__.startswith("handgrad"):
            found |= {name: held for name, held in vars(base).items() if name not in found}
    kinds = (classmethod, staticmethod, property, cached_property)
    return sorted(
        name
        for name, held in found.items()
        if not name.startswith("_") and (inspect.isfunction(held) or isinstance(held, kinds))
    )


def examples(thing: object) -> list[doctest.Example]:
    return doctest.DocTestParser().get_examples(inspect.getdoc(thing) or "")


@pytest.mark.parametrize("name", hg.__all__)
def test_every_public_name_has_an_example(name):
    assert examples(getattr(hg, name)), f"hg.{name} has no example"


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in HELD for name in methods(kind)],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_every_method_has_an_example(kind, name):
    held = inspect.getattr_static(kind, name)
    assert examples(getattr(held, "__func__", held)), f"{kind.__name__}.{name} has no example"


FORMULAS = (
    hg.Regularization, hg.Clipping, hg.Schedule, hg.Initializer, hg.Dropout, hg.EarlyStopping, *OPTIMIZERS.values(),
)  # fmt: skip


@pytest.mark.parametrize("kind", FORMULAS, ids=lambda kind: kind.__name__)
def test_every_formula_of_a_class_has_its_source(kind):
    module = inspect.getmodule(kind)
    assert "Source: " in f"{kind.__doc__}{module.__doc__}", f"{kind.__name__} does not say where it is from"


@pytest.mark.parametrize("table", [ACTIVATIONS, LOSSES], ids=["activations", "losses"])
def test_every_formula_of_a_table_has_its_source(table):
    assert [name for name, row in table.items() if not row.source] in ([], ["identity"])


WITHOUT_A_FORMULA = (
    "__init__",
    "arrays",
    "in_play",
    "network",
    "observe",
    "optimizers",
    "step",
    "targets",
    "update_rules",
)
"""Files of nn that hold, name or order what others compute."""


@pytest.mark.parametrize("path", sorted(Path(nn.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_every_file_of_the_mathematics_has_its_source(path):
    text = path.read_text(encoding="utf-8")
    assert (path.stem in WITHOUT_A_FORMULA) != ("Source: " in text or "source=" in text)


def test_there_are_methods_to_look_at():
    assert {"predict", "at"} <= set(methods(hg.Fit))
    assert {"load", "from_dict"} <= set(methods(hg.Case))
