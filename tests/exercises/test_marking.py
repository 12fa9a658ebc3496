"""Marks: planted errors lose theirs and nothing else; what follows from them is right."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import pytest

from handgrad.cases.case import Case
from handgrad.errors import CaseError, SpecificationError
from handgrad.exercises.answers import Answers
from handgrad.exercises.class_list import book, exercise_for, exercises_of
from handgrad.exercises.class_marking import mark_all
from handgrad.exercises.comments import comments
from handgrad.exercises.exercise import Exercise, Wishes, make, variants
from handgrad.exercises.marking import SHARES, Paper, mark, shares
from handgrad.exercises.recipe import Recipe
from handgrad.exercises.sheet import rounded_text
from handgrad.exercises.summary import steps_of, summary
from handgrad.render.terminal.sheet import to_text
from tests.exercises.by_hand import EXAMPLE, exercise, worked, written


def marked(texts: dict[str, str], digits: int = 4, **table: float) -> Paper:
    return mark(exercise(digits), Answers("ann.toml", texts, "Ann"), shares(**table))


def verdicts(paper: Paper) -> dict[str, str]:
    return {number.name: number.verdict for number in paper.numbers}


def test_everything_right_has_all_marks() -> None:
    texts = written(worked())
    paper = marked(texts)
    assert set(texts) == {number.name for number in paper.numbers}
    assert paper.earned == paper.possible == 28
    assert set(paper.counts) == {"exact"}


def test_the_numbers_that_are_right_are_those_worked_out_anew() -> None:
    right = {number.name: number.right for number in marked({}).numbers}
    for name, text in written(worked(), digits=12).items():
        assert right[name] == pytest.approx(float(text), abs=1e-11)


SLIPS = {
    "z1": np.array([[0.21, 0.74]]),
    "z2": np.array([[0.847]]),
    "yhat": np.array([[0.6914]]),
    "delta2": np.array([[0.3806]]),
    "dW2": worked()["dW2"] * [[1, -1]],
    "delta1": np.array([[worked()["delta1"][0, 0], -0.1284]]),
    "dW1": worked()["dW1"] * [[1, 1], [1, 10]],
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_loses_its_own_marks_and_what_follows_keeps_its_own(slip: str) -> None:
    right, wrong = written(worked()), written(worked({slip: SLIPS[slip]}))
    own = {name for name, text in wrong.items() if name.split("[")[0] == slip and text != right[name]}
    after = {name for name, text in wrong.items() if text != right[name]} - own
    paper = marked(wrong)
    found = verdicts(paper)
    assert {name for name, verdict in found.items() if verdict in ("wrong", "last-digit")} == own
    # what follows but rounds to the right number all the same is exact
    assert {name for name, verdict in found.items() if verdict == "wrong-propagated"} == after
    assert paper.possible - paper.earned == sum(1.0 if found[name] == "wrong" else 0.5 for name in own)


def test_two_slips_lose_two_marks() -> None:
    paper = marked(written(worked({"z2": np.array([[0.9]]), "delta1": np.array([[-0.1, -0.2]])})))
    assert paper.earned == 28 - 3


def test_blanks_lose_their_marks_only() -> None:
    texts = written(worked())
    for name in ("a1[0,0]", "a1[0,1]", "loss"):
        texts[name] = " "
    paper = marked(texts)
    assert paper.earned == 25
    assert paper.counts == {"exact": 25, "blank": 3}


def test_results_rounded_before_they_are_used_again_are_right() -> None:
    values: dict[str, np.ndarray] = {}
    for name in worked():
        values[name] = np.round(worked(values)[name], 2)
    paper = marked(written(values, 2), digits=2)
    assert paper.earned == paper.possible


@pytest.mark.parametrize(
    ("text", "verdict", "earned"),
    [
        ("0.6195", "last-digit", 0.5),
        ("0.6193", "truncated", 1.0),
        ("0.619", "few-digits", 0.5),
        ("0.62", "few-digits", 0.5),
        ("0.63", "wrong", 0.0),
        ("0.61937", "exact", 1.0),
        ("0,6194", "exact", 1.0),
        ("০.৬১৯৪", "exact", 1.0),
        ("61.94 %", "exact", 1.0),
        ("6194e-4", "exact", 1.0),
        ("no idea", "unreadable", 0.0),
        ("1e999", "unreadable", 0.0),
        ("", "blank", 0.0),
    ],
)
def test_the_rule_for_one_number(text: str, verdict: str, earned: float) -> None:
    paper = marked({**written(worked()), "yhat[0,0]": text})
    number = next(number for number in paper.numbers if number.name == "yhat[0,0]")
    assert (number.verdict, number.earned) == (verdict, earned)


def test_zeros_at_the_end_need_not_be_written() -> None:
    assert verdicts(marked({**written(worked()), "z1[0,0]": "0.21"}))["z1[0,0]"] == "exact"


def test_shares_can_be_chosen() -> None:
    texts = {**written(worked()), "yhat[0,0]": "0.6195", "loss": "0.48"}
    assert marked(texts).earned == 27
    assert marked(texts, last_digit=1.0).earned == 27.5
    assert marked(texts, last_digit=0.0, few_digits=0.0).earned == 26
    with pytest.raises(SpecificationError):
        shares(last_digit=2)


def test_the_mistake_behind_a_wrong_number_is_named() -> None:
    right = worked()
    log10 = {**right, "loss": np.asarray(-np.log10(right["yhat"][0, 0]))}
    assert marked(written(log10)).causes() == {(1, "loss"): "log10"}
    turned = written(worked({"dW1": right["dW1"].T}))
    assert marked(turned).causes() == {(1, "dW1"): "gradient-transposed"}


def test_a_mistake_of_method_that_is_made_again_costs_once_or_each_time() -> None:
    made = make(
        Case.from_dict(
            {
                "network": {
                    "inputs": 1,
                    "loss": "binary_cross_entropy",
                    "layers": [{"units": 1, "activation": "sigmoid", "W": [[0.75]], "b": [0.5]}],
                },
                "data": {"x": [[1.25]], "y": [[1.0]]},
                "optimizer": {"name": "sgd", "learning_rate": 0.5},
                "training": {"steps": 2},
            }
        ),
        Wishes(digits=5, ask=("z1", "yhat", "loss", "W1_new", "b1_new")),
    )
    w, b, texts = 0.75, 0.5, {}
    for end in ("", "@2"):
        z = 1.25 * w + b
        yhat = 1 / (1 + np.exp(-z))
        w, b = w - 0.5 * (yhat - 1) * 1.25, b - 0.5 * (yhat - 1)
        row = {"z1[0,0]": z, "yhat[0,0]": yhat, "loss": -np.log10(yhat), "W1_new[0,0]": w, "b1_new[0]": b}
        texts |= {f"{name}{end}": f"{value:.5f}" for name, value in row.items()}
    assert set(texts) == set(made.fields)
    each, once = (mark(made, Answers("f", texts), shares(repeat=rule)) for rule in ("each", "once"))
    for paper in (each, once):
        found = verdicts(paper)
        assert (found["loss"], found["loss@2"]) == ("wrong", "repeated")
        assert paper.causes() == {(1, "loss"): "log10", (2, "loss"): "log10"}
    assert (each.possible - each.earned, once.possible - once.earned) == (2, 1)
    assert "costs its marks again" in to_text(comments(each, "en"), 200)
    assert "none here" in to_text(comments(once, "en"), 200)
    assert "it cost its marks each time" in to_text(summary([each], language="en"), 200)
    assert "it cost its marks once" in to_text(summary([once], language="en"), 200)
    assert [step.wrong for step in steps_of([once]) if step.quantity == "loss"] == [1, 1]
    with pytest.raises(SpecificationError, match="each, once"):
        shares(repeat="never")


def test_two_slips_of_copying_are_two_slips_however_they_are_charged() -> None:
    right = written(worked())
    swapped = dict(right)
    for name in ("a1", "delta1"):
        first, second = f"{name}[0,0]", f"{name}[0,1]"
        swapped[first], swapped[second] = right[second], right[first]
    paper = mark(exercise(), Answers("f", swapped), shares(repeat="once"))
    assert "repeated" not in paper.counts
    assert paper.counts["wrong"] == 4


def test_marks_of_a_quantity_are_shared_by_its_numbers() -> None:
    made = make(Case.load(EXAMPLE), Wishes(digits=4, marks={"dW1": 2.0, "loss": 5.0}, ask=("loss", "dW1")))
    assert made.possible == 7
    paper = mark(made, Answers("f", {"loss": "0.4790", "dW1[0,0]": "-0.0952"}))
    assert paper.earned == 5.5
    assert paper.by_quantity() == {(1, "loss"): (5.0, 5.0), (1, "dW1"): (0.5, 2.0)}


def test_other_names_of_a_field_are_understood() -> None:
    paper = marked({"z1[0]": "0.21", "z2": "0.487", "loss[0]": "0.4790", "z1[0,1]@1": "0.47", "junk": "1"})
    assert paper.earned == 4
    assert paper.remarks == ("not asked for: junk",)


def test_steps_of_a_class() -> None:
    right, slip = written(worked()), written(worked({"delta2": -worked()["delta2"]}))
    papers = [marked(right), marked(slip), marked(slip), marked({})]
    by_name = {step.quantity: step for step in steps_of(papers)}
    step = by_name["delta2"]
    assert (step.papers, step.right, step.wrong, step.follows, step.blank) == (4, 1, 2, 0, 1)
    assert step.causes == (("error-sign", 2),)
    assert by_name["dW1"].follows == 2
    assert by_name["z1"].right == 3


def test_several_steps() -> None:
    document = {
        "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]], "b": [0.5]}]},
        "data": {"x": [[3.0]], "y": [[5.0]]},
        "optimizer": {"name": "sgd", "learning_rate": 0.01},
        "training": {"steps": 2},
    }
    made = make(Case.from_dict(document))
    assert {"loss", "loss@2", "W1_new[0,0]@2"} <= set(made.fields)
    w, b, texts = 2.0, 0.5, {}
    for step, end in ((1, ""), (2, "@2")):
        error = w * 3 + b - 5
        if step == 1:
            texts["loss"] = f"{error**2:.4f}"
            error = 1.0  # the slip: z1 = 6
            texts["z1[0,0]"] = "6"
        else:
            texts["z1[0,0]@2"], texts["loss@2"] = f"{error + 5:.4f}", f"{error**2:.4f}"
        texts[f"dW1[0,0]{end}"], texts[f"db1[0]{end}"] = f"{2 * error * 3:.4f}", f"{2 * error:.4f}"
        w, b = w - 0.01 * 2 * error * 3, b - 0.01 * 2 * error
        texts[f"W1_new[0,0]{end}"], texts[f"b1_new[0]{end}"] = f"{w:.4f}", f"{b:.4f}"
    found = verdicts(mark(made, Answers("f", texts)))
    assert found["z1[0,0]"] == "wrong"
    assert found["loss"] == "exact"
    assert found["W1_new[0,0]@2"] == found["z1[0,0]@2"] == "wrong-propagated"


def test_a_code_carries_the_exercise() -> None:
    made = variants(Recipe(seed=4, difficulty="hard"), names=["Ann"])[0]
    again = Exercise.from_code(made.code, "sheet")
    assert again.as_dict() == made.as_dict()
    assert (again.name, again.seed) == ("Ann", 4)


@pytest.mark.parametrize("code", ["", "abc", "eJw=", "!!!", "eNqrVkrLz1eyUkpKLKoFABvFBA0"])
def test_a_damaged_code_is_named(code: str) -> None:
    with pytest.raises(CaseError, match="sheet"):
        Exercise.from_code(code, "sheet")


def test_a_paper_finds_its_exercise(tmp_path) -> None:
    three = variants(Recipe(difficulty="easy", seed=1), names=["Ann", "Ben", "Cy"])
    path = tmp_path / "book.json"
    path.write_text(book(three))
    known = exercises_of(path)
    assert [each.id for each in known] == [each.id for each in three]
    carried = Answers("f", {}, "?", three[1].code)
    assert exercise_for(carried, known, True).name == "Ben"
    assert exercise_for(carried, [], False).name == "Ben"
    assert exercise_for(Answers("f", {}, " cy "), known, True).id == three[2].id
    for unknown in (Answers("f", {}, "Dora"), Answers("f", {}, "Ann", make(Recipe(seed=99)).code)):
        with pytest.raises(CaseError):
            exercise_for(unknown, known, True)
    with pytest.raises(CaseError, match="--exercise"):
        exercise_for(Answers("f", {}), [], False)


def test_weights_left_to_chance_are_not_asked_about() -> None:
    network = {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1}]}
    with pytest.raises(CaseError, match="left to chance"):
        make(Case.from_dict({"network": network, "data": {"x": [[3.0]], "y": [[5.0]]}}))


def test_the_marks_do_not_depend_on_how_many_processes_there_are() -> None:
    slip = written(worked({"delta2": -worked()["delta2"]}))
    work = [
        (exercise(), Answers(f"{k}", texts), SHARES) for k, texts in enumerate((written(worked()), slip, {}))
    ]
    one, two = mark_all(work, 1), mark_all(work, 2)
    for left, right in zip(one, two, strict=True):
        assert (left.file, left.earned, left.counts) == (right.file, right.earned, right.counts)
        assert left.causes() == right.causes()
        assert [number.verdict for number in left.numbers] == [number.verdict for number in right.numbers]
    assert two[1].causes() == {(1, "delta2"): "error-sign"}


CASES = sorted(EXAMPLE.parent.glob("*.toml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_answers_of_the_key_get_all_marks(path: Path) -> None:
    try:
        made = make(Case.load(path))
    except CaseError as error:
        assert path.stem == "formula-sheet", error
        return
    texts = {
        name: str(
            Decimal(repr(made.value(asked, index))).quantize(Decimal(1).scaleb(-asked.digits), ROUND_HALF_UP)
        )
        for name, (asked, index) in made.fields.items()
    }
    key = {
        name: rounded_text(made.value(asked, index), asked.digits)
        for name, (asked, index) in made.fields.items()
    }
    assert {name: Decimal(text) for name, text in key.items()} == {n: Decimal(t) for n, t in texts.items()}
    assert set(mark(made, Answers("f", texts)).counts) == {"exact"}


@pytest.mark.parametrize("seed", range(6))
def test_the_answers_of_a_recipe_with_adam_get_all_marks(seed: int) -> None:
    recipe = Recipe(
        (2, 2, 1),
        difficulty="hard",
        seed=seed,
        optimizer={"name": "adam", "learning_rate": 0.1},
        ask=("forward", "loss", "backward", "update"),
    )
    made = make(recipe)
    texts = {n: rounded_text(made.value(a, i), a.digits) for n, (a, i) in made.fields.items()}
    assert set(mark(made, Answers("f", texts)).counts) == {"exact"}
