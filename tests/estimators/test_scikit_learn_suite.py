"""scikit-learn's own tests of its multilayer perceptron, run against ours: the module as it is installed, with
the classes substituted.

Left out are the tests of private functions, each with its reason.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import Any

import pytest
from sklearn.neural_network.tests import test_mlp as theirs

from handgrad.sklearn import MLPClassifier, MLPRegressor

LEFT_OUT = {
    "test_gradient": "calls the private _loss_grad_lbfgs with their arrays of layers; ours is Objective, "
    "held to central differences in test_multilayer_perceptron.py",
}


def substituted(function: Any) -> Any:
    """The same function, in whose module our classes have the names of theirs."""
    names = dict(vars(theirs)) | {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}
    mine = types.FunctionType(function.__code__, names, function.__name__, function.__defaults__)
    mine.__dict__.update(function.__dict__)
    mine.pytestmark = [_with_ours(mark) for mark in getattr(function, "pytestmark", [])]
    return mine


def _with_ours(mark: Any) -> Any:
    ours = {theirs.MLPClassifier: MLPClassifier, theirs.MLPRegressor: MLPRegressor}
    if mark.name != "parametrize":
        return mark.mark if hasattr(mark, "mark") else mark
    names, values, *rest = mark.args
    changed = [ours.get(value, value) if inspect.isclass(value) else value for value in values]
    return pytest.Mark("parametrize", (names, changed, *rest), mark.kwargs, _ispytest=True)


def _theirs() -> Iterator[tuple[str, Any]]:
    for name, value in vars(theirs).items():
        if name.startswith("test_") and name not in LEFT_OUT:
            yield name, value


for _name, _function in _theirs():
    globals()[_name] = substituted(_function)


@pytest.fixture
def global_random_seed() -> int:
    """scikit-learn's own fixture lives in its conftest."""
    return 42


def test_every_test_left_out_is_there() -> None:
    assert set(LEFT_OUT) <= set(vars(theirs))


def test_ours_were_tested() -> None:
    assert substituted(theirs.test_alpha).__globals__["MLPClassifier"] is MLPClassifier
    assert sum(1 for _ in _theirs()) > 40
