"""A fit predicts, opens its steps and replays from the arrays of its training; callbacks keep what they saw."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest

import handgrad as hg
from handgrad.data.batches import Split
from handgrad.errors import DataError, ShapeError, SpecificationError
from handgrad.nn.step import training_step

RNG = np.random.default_rng(2)
X = RNG.normal(size=(11, 2))
Y = np.tanh(X @ [[0.5], [-1.0]])
NETWORK = hg.Network(2, [hg.Dense(3, "tanh", dropout=0.25), hg.Dense(1)], "squared_error")


@pytest.fixture(scope="module", params=["float64", "float32"])
def result(request) -> hg.Fit:
    return hg.fit(
        NETWORK, X, Y, epochs=4, batch_size=4, optimizer=hg.Momentum(0.05), engine="reference",
        dtype=request.param, schedule=hg.Schedule("exponential", factor=0.5),
    )  # fmt: skip


def written_out(parameters, inputs: np.ndarray) -> np.ndarray:
    (W1, b1), (W2, b2) = parameters
    return np.tanh(inputs @ W1.T + b1) @ W2.T + b2


def test_a_fit_predicts(result):
    precision = 1e-12 if result.plan.dtype == "float64" else 1e-6
    np.testing.assert_allclose(result.predict(X), written_out(result.training.parameters, X), atol=precision)
    assert result.predict(X.tolist()).shape == (11, 1)
    np.testing.assert_array_equal(hg.Model(result).predict(X), result.predict(X))


def test_what_a_fit_cannot_predict_is_said(result):
    with pytest.raises(ShapeError, match=r"\(samples, 2\), got \(11, 1\)"):
        result.predict(X[:, :1])
    with pytest.raises(ShapeError, match=r"X holds nan at \[1, 0\]"):
        result.predict([[0, 0], [np.nan, 0]])
    with pytest.raises(ShapeError, match="fit_table"):
        result.predict([["a", "b"]])
    steep = hg.Network(1, [hg.Dense(1, W=[[1e30]])], "squared_error")
    trained = hg.fit(steep, [[1e-30]], [1.0], epochs=1, dtype="float32")
    with pytest.raises(DataError, match="X, row 2: the outputs are not finite"):
        trained.predict([[0.0], [1e30]])


def test_every_step_of_a_fit_opens_as_it_happened(result):
    model = hg.Model(result)
    for step in range(1, result.steps):
        trace = next(hg.explain(result, step=step, data=(X, Y)).traces())
        following = model.replay(step + 1, (X, Y))
        for shown, real in zip(trace.after.parameters, following.training.parameters, strict=True):
            np.testing.assert_array_equal(shown.W, real.W)
            np.testing.assert_array_equal(shown.b, real.b)
        np.testing.assert_array_equal(trace.quantities["x"], X[list(trace.rows)].astype(result.plan.dtype))
    last = next(hg.explain(result, data=(X, Y)).traces())
    assert last.number == result.steps == 12
    np.testing.assert_array_equal(last.after.parameters[0].W, result.training.parameters[0].W)


def test_a_sheet_of_a_fit_is_verified_and_shown(result):
    sheet = hg.explain(result, step=2, data=(X, Y), digits=3)
    assert "2-3-1" in sheet.text()
    assert repr(sheet) == "Worksheet('2-3-1', step 2 of 12)"


def test_chosen_rows_of_arrays(result):
    trace = next(hg.explain(result, rows="3:5", data=(X, Y)).traces())
    assert (trace.rows, trace.number) == ((3, 4), 13)
    np.testing.assert_allclose(trace.quantities["yhat"], result.predict(X[3:5]), rtol=1e-6)
    taken = training_step(
        NETWORK, result.recipe, trace.before, X[3:5].astype(result.plan.dtype),
        Y[3:5].astype(result.plan.dtype), 13, 0.05 * 0.5**4,
    )  # fmt: skip
    np.testing.assert_array_equal(taken.training.parameters[0].W, trace.after.parameters[0].W)
    forward_only = next(hg.explain(result, rows="3", data=X).traces())
    assert "loss" not in forward_only.quantities
    np.testing.assert_array_equal(forward_only.quantities["x"], X[3:4].astype(result.plan.dtype))


def test_arrays_that_are_not_given_are_asked_for(result):
    for data in (None, X):
        with pytest.raises(SpecificationError, match=r"data=\(X, Y\)"):
            hg.explain(result, step=1, data=data).text()
    with pytest.raises(SpecificationError, match=r"data=\(X, Y\)"):
        hg.explain(result, rows="0").text()
    with pytest.raises(SpecificationError, match="no row 11; it has rows 0 to 10"):
        hg.explain(result, rows="11", data=(X, Y)).text()
    with pytest.raises(ShapeError, match="fewer than the training had"):
        hg.explain(result, step=1, data=(X[:5], Y[:5])).text()


def test_other_arrays_than_those_of_the_training_may_not_diverge_in_silence():
    network = hg.Network(1, [hg.Dense(1, W=[[1.0]])], "squared_error")
    trained = hg.fit(
        network, [[1.0]], [1.0], optimizer=hg.SGD(0.1), epochs=3, engine="reference", snapshots=1
    )
    with pytest.raises(hg.HandgradError, match="step 1 is not finite when it is taken again"):
        hg.Model(trained).replay(3, ([[1e160]], [1.0]))


@pytest.mark.parametrize("engine", ["auto", "reference"])
def test_callbacks_see_parameters_and_keep_them(engine):
    kept, seen = [], []

    def keep(epoch, now):
        kept.append(now.parameters)
        seen.append((epoch.epoch, now.predict(X)))
        now.parameters[0].W[:] = np.nan  # what a callback does to its copy is its own affair

    def look(epoch, now):
        assert np.isfinite(now.parameters[0].W).all()

    training = {"epochs": 4, "batch_size": 4, "engine": engine, "snapshots": 5}
    network = hg.Network(2, [hg.Dense(3, "tanh"), hg.Dense(1)], "squared_error")
    result = hg.fit(network, X, Y, callbacks=[keep, look], **training)
    alone = hg.fit(network, X, Y, **training)
    for left, right in zip(result.training.parameters, alone.training.parameters, strict=True):
        np.testing.assert_array_equal(left.W, right.W)
    after_each = [snapshot.training.parameters for snapshot in result.snapshots[1:]]
    assert len(kept) == len(after_each) == 4
    for (number, outputs), parameters, of_snapshot in zip(seen, kept, after_each, strict=True):
        np.testing.assert_array_equal(parameters[1].W, of_snapshot[1].W)
        np.testing.assert_array_equal(parameters[0].b, of_snapshot[0].b)
        np.testing.assert_allclose(outputs, written_out(of_snapshot, X), rtol=1e-12, atol=1e-14)
        assert np.isnan(parameters[0].W).all()
        assert 1 <= number <= 4


@pytest.mark.parametrize(
    "callback", [lambda line: None, [].append, None, "stop"], ids=["one argument", "append", "None", "text"]
)
def test_a_callback_of_another_form_is_refused_before_the_training(callback):
    network = hg.Network(2, [hg.Dense(1)], "squared_error")
    with pytest.raises(SpecificationError, match=r"a callback is called as callback\(epoch, now\)"):
        hg.fit(network, X, Y, epochs=1, callbacks=[callback])
    hg.fit(network, X, Y, epochs=1, callbacks=[lambda *both: None, lambda epoch, now, more=1: None])


def test_the_package_shows_its_public_names_only():

    assert dir(hg) == sorted([*hg.__all__, "__version__"])
    assert all(getattr(hg, name) is not None for name in dir(hg))
    assert len(hg.__all__) <= 25
    assert hg.Nesterov.name == "nesterov" and hg.RMSprop.name == "rmsprop"
    with pytest.raises(AttributeError, match="no attribute 'nesterov'"):
        hg.nesterov  # noqa: B018


def test_each_epoch_has_its_line():
    began = perf_counter()
    network = hg.Network(1, [hg.Dense(1)], "squared_error")
    values = np.linspace(-1, 1, 300).reshape(300, 1)
    trained = hg.fit(network, values, values, epochs=3, batch_size=1, engine="reference")
    took = perf_counter() - began
    assert [line.epoch for line in trained.history] == [1, 2, 3]
    assert [line.steps for line in trained.history] == [300, 600, 900]  # more than an engine is given at once
    assert 0 < sum(line.seconds for line in trained.history) <= took
    loss = f"{trained.history[-1].loss:.6g}"
    assert repr(trained) == f"Fit(epochs=3, steps=900, loss={loss}, ended='epochs')"
    assert trained != hg.fit(network, values, values, epochs=1)


def test_a_validation_row_that_is_no_number_ends_the_training_by_name():
    network = hg.Network(1, [hg.Dense(1, W=[[1.0]], bias="none")], "squared_error")
    split = Split(np.array([0, 1]), np.array([2]))
    with pytest.raises(hg.HandgradError, match=r"^after step 2 the validation loss is inf: a validation row"):
        hg.fit(network, [[1.0], [2.0], [1e200]], [1.0, 2.0, 0.0], validation=split, epochs=1, batch_size=1)


def test_the_last_sample_of_the_training_may_not_be_missing(result):
    with pytest.raises(ShapeError, match="X has 10 samples, fewer than the training had"):
        hg.Model(result).replay(2, (X[:-1], Y[:-1]))
    assert hg.Model(result).replay(2, (X, Y)).t == 2
