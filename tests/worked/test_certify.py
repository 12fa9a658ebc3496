"""Certified digits, against fractions and 60-digit decimals written here."""

from __future__ import annotations

import builtins
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import handgrad as hg
from handgrad.cases.case import Case
from handgrad.errors import MissingExtraError, SpecificationError, VerificationError
from handgrad.worked.bindings import Bindings, array_of
from handgrad.worked.certify import Exactly, certified, settle
from handgrad.worked.computed import Computed
from handgrad.worked.expressions import Divide, Matrix, Number, Symbol
from handgrad.worked.functions import FUNCTIONS, applied
from handgrad.worked.real import NotFinite, Real, Undecided, computing, reals
from handgrad.worked.real_functions import CHOSEN, OF_ONE, TOGETHER, applied_in_reals
from handgrad.worked.record import Assignment, Certificate
from handgrad.worked.rounding import Rounding
from handgrad.worksheets.worksheet import Worksheet

pytest.importorskip("flint", reason="python-flint, of the extra certify, is not installed")

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
DECIMALS = st.integers(-10_000, 10_000).map(lambda n: n / 1000)


def of_one_weight(weight: float, x: float, y: float = 0.0, digits: int = 3, **keys: Any) -> Worksheet:
    layer = {"units": 1, "W": [[weight]], **keys.pop("layer", {})}
    return hg.explain(
        {
            "network": {"inputs": 1, "loss": "squared_error", "layers": [layer]},
            "data": {"x": [[x]], "y": [[y]]},
            "rounding": {"digits": digits},
            **keys,
        },
        certify=True,
    )


# -- numbers


@given(DECIMALS, DECIMALS, DECIMALS)
def test_sums_and_products_of_decimals_are_fractions(a: float, b: float, c: float) -> None:
    expected = Fraction(str(a)) * Fraction(str(b)) + Fraction(str(c))
    with computing(64):
        found = Real.of(a) * b + c
    assert Fraction(int(found.exact.p), int(found.exact.q)) == expected


@given(DECIMALS, st.integers(0, 6))
def test_rounding_is_half_away_from_zero(a: float, digits: int) -> None:
    size = abs(Fraction(str(a))) * 10**digits + Fraction(1, 2)
    expected = Fraction(size.numerator // size.denominator, 10**digits) * (-1 if a < 0 else 1)
    with computing(64):
        assert Fraction(str(Real.of(a).rounded(digits))) == expected


@given(st.integers(-40, 40), st.integers(1, 60))
def test_an_exponential_is_written_with_the_digits_of_its_exact_value(top: int, bottom: int) -> None:
    with localcontext() as context:
        context.prec = 80
        expected = (Decimal(top) / Decimal(bottom)).exp()
        with computing(512):
            found = Decimal(str((Real.of(top) / bottom).exp()))
        assert abs(found - expected) <= abs(expected) * Decimal("1e-55")


def test_a_third_is_above_what_its_digits_say_so_that_no_rounding_sees_a_tie() -> None:
    with computing(64):
        text = str(Real.of(1) / 3)
        half = str(Real.of(1) / 8)
    assert Fraction(text) != Fraction(1, 3) and text.startswith("0.3333333333333333333333333333")
    assert half == "0.125"


def test_what_is_open_asks_for_more_bits_and_is_a_tie_where_there_are_none() -> None:
    def difference() -> Real:
        one = Real.of(1).exp()
        return one * one - Real.of(2).exp()  # is 0, and no ball shows it

    with computing(128), pytest.raises(Undecided):
        difference().sign()
    with computing(128, last=True) as held:
        assert difference().sign() == 0
    assert held.ties


@pytest.mark.parametrize(
    "make", [lambda: Real.of(1) / 0, lambda: Real.of(0).log(), lambda: Real.of(-1).sqrt()]
)
def test_what_has_no_value_is_named(make: Any) -> None:
    with computing(64), pytest.raises(NotFinite):
        make()


def test_roots_of_squares_are_fractions() -> None:
    with computing(64):
        assert str(Real.of(0.0625).sqrt()) == "0.25" and Real.of(2).sqrt().exact is None


# -- functions


def test_every_function_of_a_sheet_is_there() -> None:
    assert set(FUNCTIONS) == set(OF_ONE) | set(TOGETHER) | set(CHOSEN)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_each_function_agrees_with_float64(name: str) -> None:
    z = np.array([[-2.75, 0.3, 1.25, 6.5]] if name != "ln" else [[0.3, 1.25, 2.75, 6.5]])
    parameters = [0.25] if name.strip("'") in ("leaky_relu", "elu", "clip") else []
    arguments = [Computed(z, 0.0, 0.0)] * (2 if name in CHOSEN else 1)
    expected = applied(name, arguments, parameters, -1).value
    with computing(256):
        exact = [Computed(reals(z), 0.0, 0.0)] * len(arguments)
        found = applied_in_reals(name, exact, [Real.of(p) for p in parameters], -1).value
        np.testing.assert_allclose(found.astype(float), expected, rtol=1e-12, atol=1e-14)


# -- sheets


def test_a_tie_that_float64_misses_is_shown_right_and_named() -> None:
    """0.03 x 0.35 is 0.0105; float64 has 0.010499999999999999."""
    sheet = of_one_weight(0.03, 0.35)
    text = sheet.text(100)
    assert 0.03 * 0.35 < 0.0105
    assert "0.011" in text and "float64 has 0.010." in text and "z1 of step 1 is 0.011" in text
    assert "0.011" not in hg.explain(sheet.source.case).text(100).replace("0.0110", "")  # type: ignore[attr-defined]


def test_what_lies_near_a_tie_is_not_rounded_as_a_tie() -> None:
    """Below the tie by 1e-20, where float64 and its shortest text see the tie itself."""
    layer = {"b": [-1e-20], "units": 1, "W": [[0.03]]}
    sheet = of_one_weight(0.03, 0.35, layer=layer)
    (step,) = sheet.record.steps
    assert Decimal(str(step.bindings["z1"].value)) == Decimal("0.0105") - Decimal("1e-20")  # type: ignore[union-attr]
    assert "z1 of step 1" not in sheet.text(100)  # float64 shows 0.010 as well


@settings(max_examples=25, deadline=None)
@given(DECIMALS, DECIMALS, DECIMALS, st.integers(1, 8))
def test_the_digits_of_a_neuron_are_those_of_sixty(w: float, x: float, b: float, digits: int) -> None:
    sheet = of_one_weight(w, x, digits=digits, layer={"b": [b], "activation": "sigmoid"})
    (step,) = sheet.record.steps
    with localcontext() as context:
        context.prec = 60
        z = Decimal(str(w)) * Decimal(str(x)) + Decimal(str(b))
        a = 1 / (1 + (-z).exp())
        assert Decimal(str(step.bindings["z1"].value)) == z  # type: ignore[union-attr]
        assert abs(Decimal(str(step.bindings["yhat"].value)) - a) <= a * Decimal("1e-50")  # type: ignore[union-attr]
        assert float(step.quantities["yhat"][0, 0]) == float(a)


def test_nothing_is_rounded_between_steps() -> None:
    """Three steps of w -> w - eta 2 x (w x - y), in fractions."""
    descent = {"optimizer": {"name": "sgd", "learning_rate": 0.1}, "training": {"steps": 3}}
    sheet = of_one_weight(0.3, 0.7, y=0.9, layer={"bias": "none"}, **descent)
    w, x, y, eta = (Fraction(text) for text in ("0.3", "0.7", "0.9", "0.1"))
    for step in sheet.record.steps:
        w -= eta * 2 * x * (w * x - y)
        value = step.bindings["W1_new"].value  # type: ignore[union-attr]
        assert Fraction(int(value.exact.p), int(value.exact.q)) == w
        assert step.loss_after == float((w * x - y) ** 2)
    later = sheet.source.case  # a later step alone begins with the exact parameters too
    (third,) = hg.explain(later, step=3, certify=True).record.steps
    assert Fraction(str(third.bindings["W1_new"].value)) == w  # type: ignore[union-attr]


def test_carried_results_are_rounded_before_they_are_used_again() -> None:
    sheet = of_one_weight(0.03, 0.35, y=1.0, rounding={"digits": 3, "carry": True})
    quantities = sheet.record.steps[0].quantities
    assert float(quantities["z1"][0, 0]) == 0.011
    assert float(quantities["loss"]) == 0.978  # (0.011 - 1)^2 = 0.978121


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_certified(path: Path) -> None:
    case = Case.load(path)
    if case.symbolic:
        pytest.skip("a formula sheet has no numbers")
    sheet = hg.explain(case, step=(1, min(case.steps, 2)), detail="brief", certify=True)
    certificate = sheet.record.certificate
    assert certificate is not None and len(certificate.computed) == len(sheet.record.steps)
    for step, computed in zip(sheet.record.steps, certificate.computed, strict=True):
        for name, had in computed.items():
            exact = array_of(step.bindings[name]).astype(float)
            largest = max(1.0, float(np.max(np.abs(had), initial=0.0)))
            np.testing.assert_allclose(
                exact, had.astype(float), rtol=1e-9, atol=1e-12 * largest, err_msg=name
            )
    assert "Certified:" in sheet.text(100)


def test_a_step_of_a_training_begins_with_its_binary_numbers() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 2)), rng.normal(size=(12, 1))
    network = hg.Network(2, [hg.Dense(2, "tanh"), hg.Dense(1)], "squared_error")
    fit = hg.fit(network, X, y, epochs=2, batch_size=4, seed=1)
    sheet = hg.explain(fit, step=3, data=(X, y), certify=True)
    (step,) = sheet.record.steps
    W = np.asarray(step.quantities["W1"], float)
    exact = array_of(step.bindings["W1"])
    for at in np.ndindex(2, 2):
        assert Fraction(int(exact[at].exact.p), int(exact[at].exact.q)) == Fraction(W[at])
    assert "binary digit" in " ".join(sheet.text(200).split())


def test_every_medium_and_json_have_the_certified_digits() -> None:
    sheet = of_one_weight(0.03, 0.35)
    for medium in ("md", "html", "tex"):
        assert "0.011" in sheet.to(medium).decode()
    assert '"z1":[[0.0105]]' in sheet.to("json").decode()


def test_what_is_not_finite_is_named_and_not_certified() -> None:
    """The cross-entropy of an output that is 0 where the target is 1."""
    layer = {"units": 1, "W": [[-1.0]], "activation": "relu"}
    case = {
        "network": {"inputs": 1, "loss": "binary_cross_entropy", "layers": [layer]},
        "data": {"x": [[1.0]], "y": [[1.0]]},
    }
    with pytest.raises(VerificationError, match="is not finite; there is no digit"):
        hg.explain(case, certify=True).text()


def test_too_many_steps_are_refused() -> None:
    case = {
        "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        "data": {"x": [[3.0]], "y": [[5.0]]},
        "optimizer": {"name": "sgd", "learning_rate": 0.1},
        "training": {"steps": 2000},
    }
    with pytest.raises(SpecificationError, match="at most 300 steps"):
        hg.explain(case, step=1500, certify=True).text()


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "flint":
            raise ImportError(name)
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"handgrad\[certify\]"):
        certified(lambda exactly: None, False, None)


# -- check


def test_check_compares_with_the_exact_digits() -> None:
    case = {
        "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[0.03]]}]},
        "data": {"x": [[0.35]], "y": [[1.0]]},
        "claims": [{"quantity": "z1", "value": [[0.011]]}],
    }
    audit = hg.check(case, certify=True)
    assert [verdict.verdict for verdict in audit.verdicts] == ["exact"]
    found = audit.as_dict()
    assert found["certified"]["ties"] == 0 and found["verdicts"][0]["computed"] == [[0.0105]]
    assert hg.check(case).as_dict()["verdicts"][0]["computed"] == [[0.03 * 0.35]]
    assert "certified" in audit.text()


def _cancelling(claims: dict) -> dict:
    """0.1 · 300000002 - 30000000.2 is 0; in float64 it is 3.7e-9."""
    weight, bias, target = 300000002.0, -30000000.2, 2.0
    return {
        "network": {
            "inputs": 1,
            "loss": {"name": "squared_error", "scale": 0.5},
            "layers": [{"units": 1, "W": [[weight]], "b": [bias]}],
        },
        "data": {"x": [[0.1]], "y": [[target]]},
        "claims": [{"quantity": name, "value": value, "digits": 10} for name, value in claims.items()],
    }


def test_a_case_read_by_another_convention_is_compared_with_the_exact_digits_too() -> None:
    case = _cancelling({"z1": [[0.0]], "dyhat": [[2.0]], "delta1": [[2.0]]})
    audit = hg.check(case, certify=True)
    assert audit.convention is not None and audit.convention.code == "delta-sign"
    assert not audit.wrong
    assert audit.as_dict()["verdicts"][0]["computed"] == [[0.0]]
    assert hg.check(case).wrong


def test_the_line_of_the_case_file_is_found_with_the_exact_digits() -> None:
    # with scale 1 delta is twice 0 - 2; in float64 z is wrong whatever the scale
    case = _cancelling({"z1": [[0.0]], "dyhat": [[-4.0]], "delta1": [[-4.0]], "dW1": [[-0.4]]})
    convention = hg.check(case, certify=True).convention
    assert convention is not None and convention.code == "loss" and "scale = 1," in convention.line
    assert hg.check(case).convention is None


def test_bits_are_doubled_until_every_digit_is_decided_and_the_rest_are_ties() -> None:
    seen: list[int] = []

    def needing(bits: int) -> Any:
        def make(exactly: Any) -> Real:
            import flint

            seen.append(flint.ctx.prec)
            if bits > seen[-1]:
                raise Undecided
            return Real.of(1).exp()

        return make

    _, certificate = certified(needing(1000), True, None)
    assert seen == [256, 512, 1024]
    assert (certificate.bits, certificate.ties, certificate.binary) == (1024, 0, True)
    _, certificate = certified(lambda exactly: (Real.of(2).sqrt() ** 2 - 2).sign(), False, None)
    assert (certificate.bits, certificate.ties, certificate.binary) == (4096, 1, False)
    with pytest.raises(VerificationError, match="a number of the sheet is not finite"):
        certified(lambda exactly: Real.of(1) / 0, False, None)


def test_numbers_of_a_training_are_taken_to_their_last_binary_digit() -> None:
    letters = Bindings({name: Number(0.1) for name in ("x", "y", "W1", "b2", "W1_m_old", "eta")})
    with computing(64):
        for binary in (False, True):
            exactly = Exactly(binary)
            assert exactly.step(1, letters, [Assignment("z1", Symbol("x"))]).keys() == {*letters.held}
            held = exactly._leaves(1, letters, set())
            found = {name: Fraction(int(v.item().exact.p), int(v.item().exact.q)) for name, v in held.items()}
            stored = Fraction(0.1) if binary else Fraction(1, 10)
            assert found == {name: stored if name != "eta" else Fraction(1, 10) for name in letters.held}
            assert [list(one) for one in exactly.computed] == [list(letters.held)]


def test_every_number_of_a_record_is_settled_wherever_it_stands() -> None:
    with computing(64):
        open_number = Real.of(2).sqrt() ** 2
        array = np.array([[open_number]], dtype=object)
        held = (
            open_number, Matrix(array), array, {"z1": open_number}, (1, open_number), [open_number],
            Certificate(64, 0, False, ({"z1": array},)), Number(open_number),  # type: ignore[arg-type]
        )  # fmt: skip
        for one in held:
            with pytest.raises(Undecided):
                settle(one)
        for one in (
            1.5,
            "2",
            None,
            np.array([1.0]),
            Real.of(1),
            Matrix(np.array([[1.0]])),
            Number(1.0),
            Number,
        ):
            settle(one)


def test_the_next_step_begins_with_what_the_one_before_left() -> None:
    third = Divide(Number(1.0, exact=True), Number(3.0, exact=True))
    made = [Assignment("W1_new", third), Assignment("W1_m", third), Assignment("W1_m_hat", third)]
    letters = Bindings({name: Number(1 / 3) for name in ("W1", "W1_m_old", "W1_new", "W1_m", "W1_m_hat")})
    with computing(64):
        exactly = Exactly()
        exactly.step(4, letters, made)
        carried = exactly._leaves(5, letters, set())
        assert {name for name, value in carried.items() if value.item() == Real.of(1) / 3} == {
            "W1",
            "W1_m_old",
        }
        assert not any(
            value.item() == Real.of(1) / 3 for value in exactly._leaves(6, letters, set()).values()
        )


@pytest.mark.parametrize(("digits", "rounded"), [(None, False), (2, True)])
def test_results_are_rounded_as_they_are_carried_but_not_slopes(digits: int | None, rounded: bool) -> None:
    third = Divide(Number(1.0, exact=True), Number(3.0, exact=True))
    letters = Bindings({"z1": Number(1 / 3), "derivative1": Number(1 / 3)})
    with computing(64):
        exactly = Exactly(rounding=None if digits is None else Rounding(digits))
        found = exactly.step(1, letters, [Assignment("z1", third), Assignment("derivative1", third)])
        assert (found["z1"].item() == Real.of(0.33)) is rounded
        assert found["derivative1"].item() == Real.of(1) / 3
