"""What `TableClassifier` and `TableRegressor` share: raw columns in, a model with its schema inside."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_array, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from handgrad.data.tables import Table, read_table
from handgrad.errors import DataError, ShapeError, SpecificationError
from handgrad.estimators.parameters import remember
from handgrad.models.fit_table import fit_table
from handgrad.models.model import Model
from handgrad.models.why import Why, why
from handgrad.nn.arrays import Array
from handgrad.worksheets.worksheet import Worksheet, explain

FRAMES = ("pandas", "polars", "pyarrow")
"""The libraries whose tables are taken as they are; all else goes through scikit-learn's `check_array`."""


class TableEstimator(BaseEstimator):  # type: ignore[misc]
    """The base of `TableClassifier` and `TableRegressor`; see there."""

    model_: Model

    # -- what the two differ in

    @abstractmethod
    def _target_columns(self, y: Any, names: set[str]) -> dict[str, Any]:
        """The columns of the target by name, apart from the columns `names`; remembers what y was like."""

    @abstractmethod
    def _task(self) -> str | None:
        """The task of `fit_table`."""

    def _class_weights(self, given: Any) -> Any:
        """What `class_weight` says, with the classes as the texts that they are in the table."""
        return given

    # -- fitting

    def fit(self, X: Any, y: Any) -> Any:
        """Trains on a table X (pandas, polars, Arrow, a mapping of columns, an array) and its target y."""
        if y is None:
            raise SpecificationError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        table, plain = self._table(X, reset=True)
        if table.rows < 2:
            raise DataError(f"n_samples={table.rows}: training needs at least two samples")
        check_consistent_length(next(iter(table.columns.values())), y)
        targets = self._target_columns(y, set(table.names))
        self._target_names = tuple(targets)
        parameters = self.get_params(deep=False)
        state = parameters.pop("random_state")
        seed = (
            state
            if isinstance(state, int) and not isinstance(state, bool)
            else int(check_random_state(state).randint(2**31 - 1))
        )
        if plain:  # an array of numbers has been made one by somebody: no column of it names the rows
            named = {name for kind in ("categorical", "date", "text", "ignore") for name in parameters[kind]}
            parameters["numeric"] = [name for name in table.names if name not in named]
        if parameters.get("class_weight") is not None:
            parameters["class_weight"] = self._class_weights(parameters["class_weight"])
        self.model_ = fit_table(
            _with_columns(table, targets), list(targets), task=self._task(), seed=seed, **parameters
        )
        self.n_iter_ = len(self.model_.fit.history)
        self.loss_curve_ = [line.loss for line in self.model_.fit.history]
        return self

    def _table(self, X: Any, reset: bool) -> tuple[Table, bool]:
        """X as a table, and whether it is an array of numbers."""
        mapping = type(X) is dict  # not a kind of it: SciPy's sparse DOK matrix is one
        if mapping or type(X).__module__.partition(".")[0] in FRAMES:
            if mapping:
                X = pa.table({str(name): _column(str(name), values) for name, values in X.items()})
            validate_data(self, X, reset=reset, skip_check_array=True)
            table = read_table(X)
            if table.rows == 0:
                raise DataError("X has 0 samples; give at least one row")
            return table, False
        array = check_array(X, dtype=None, ensure_all_finite="allow-nan" if _is_numeric(X) else False)
        validate_data(self, array, reset=reset, skip_check_array=True)
        columns = {f"X{j + 1}": array[:, j] for j in range(array.shape[1])}
        return read_table(columns), array.dtype.kind in "biuf"

    # -- using it

    def _read(self, X: Any) -> Table:
        """A table to predict."""
        check_is_fitted(self)
        return self._table(X, reset=False)[0]

    def explain(self, X: Any, y: Any, **choices: Any) -> Worksheet:
        """The worked calculation of a step of the training, on the table and the target it was given.

        The choices are those of `handgrad.explain`: `step`, `rows`, `detail`, ...

        Raises ModelError where X and y are not the data of the training.
        """
        table = self._read(X)
        names = set(table.names)
        sheet: Worksheet = explain(
            self.model_, data=_with_columns(table, self._target_columns(y, names)), **choices
        )
        return sheet

    def why(self, X: Any, row: int = 0, *, target: str | None = None, of: str | None = None) -> Why:
        """Why it predicts what it does for row `row` (from 0) of X: the contribution of each column.

        See `handgrad.models.why.why`: `target` names one of several targets, `of` a class.
        """
        return why(self.model_, self._read(X), row, target=target, of=of)

    def to_model(self) -> Model:
        """`model_`: with the schema of the table."""
        check_is_fitted(self)
        return self.model_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


class TableClassifier(ClassifierMixin, TableEstimator):  # type: ignore[misc]
    """Classes from the raw columns of a table: numbers, truth values, categories, dates and missing cells.

    The parameters are those of `handgrad.fit_table`; an integer `random_state` is its `seed`, and `class_weight`
    'balanced' or a weight for each class by its label in y. After `fit`,
    `model_` is the `handgrad.Model`, which can be saved and opened; `classes_`, `n_iter_`, `loss_curve_` and
    `feature_names_in_` are scikit-learn's.

    >>> from handgrad.sklearn import TableClassifier
    >>> X = {"colour": ["red", "green", "green"] * 20, "grams": [90.0, 80.0, None] * 20}
    >>> y = ["ripe", "green", "green"] * 20
    >>> classifier = TableClassifier(hidden=(8,), epochs=200, random_state=0).fit(X, y)
    >>> classifier.predict({"colour": ["green"], "grams": [85.0]}).tolist()
    ['green']

    `fit` raises DataError (a ValueError) for a table that cannot be trained on.
    """

    def __init__(
        self,
        hidden: Any = (100,),
        activation: Any = "relu",
        *,
        dropout: Any = 0.0,
        loss: Any = None,
        initializer: Any = "glorot",
        optimizer: Any = None,
        epochs: Any = 100,
        batch_size: Any = "auto",
        validation: Any = 0.1,
        early_stopping: Any = "auto",
        categorical: Any = (),
        numeric: Any = (),
        date: Any = (),
        text: Any = (),
        ignore: Any = (),
        scaling: Any = "standard",
        missing: Any = "mean",
        encode: Any = None,
        class_weight: Any = None,
        regularization: Any = None,
        schedule: Any = None,
        engine: Any = "auto",
        random_state: Any = None,
    ) -> None:
        remember(self, locals())

    def predict(self, X: Any) -> Array:
        """The class of each row, or its labels (samples, labels) of 0 and 1."""
        probabilities = self.predict_proba(X)
        if self._several:
            return (probabilities > 0.5).astype(np.int64)
        predicted: Array = self.classes_[np.argmax(probabilities, axis=1)]
        return predicted

    def predict_proba(self, X: Any) -> Array:
        """A probability for each class, in the order of `classes_`, or for each label."""
        table = self._read(X)
        probabilities: Array = self.model_.predict_proba(table)
        return probabilities if self._several else probabilities[:, self._places]

    def fit(self, X: Any, y: Any) -> TableClassifier:
        """Trains on a table X and the classes y (samples,), or labels (samples, labels) of 0 and 1."""
        super().fit(X, y)
        if not self._several:
            name = self._target_names[0]
            schema = self.model_.schema
            assert schema is not None
            self._places = schema.target.class_indices(read_table({name: _texts(self.classes_)}))
        return self

    def _target_columns(self, y: Any, names: set[str]) -> dict[str, Any]:
        if isinstance(y, np.ndarray):  # before it is looked at: what is not finite has no class
            check_array(y, ensure_2d=False, dtype=None, input_name="y")
        check_classification_targets(y)
        self._several = is_multilabel(y)
        if self._several:
            Y = check_array(y, dtype=np.int64, accept_sparse=False)
            self.classes_ = np.arange(Y.shape[1])
            return dict(named_outputs(Y, names))
        name = target_name(y, names)
        y = column_or_1d(y, warn=True)
        self.classes_, codes = np.unique(y, return_inverse=True)
        return {name: _texts(self.classes_)[codes]}

    def _class_weights(self, given: Any) -> Any:
        """The weights by the texts of the classes. Raises SpecificationError for a label that y does not have."""
        if not isinstance(given, Mapping):
            return given
        texts = dict(zip(self.classes_.tolist(), _texts(self.classes_), strict=True))
        unknown = [label for label in given if label not in texts]
        if unknown:
            raise SpecificationError(
                f"class_weight names the class {unknown[0]!r}; y has {', '.join(map(repr, list(texts)[:12]))}"
            )
        return {str(texts[label]): weight for label, weight in given.items()}

    def _task(self) -> str:
        return "multilabel" if self._several else "binary" if len(self.classes_) == 2 else "multiclass"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class TableRegressor(RegressorMixin, TableEstimator):  # type: ignore[misc]
    """Numbers from the raw columns of a table: numbers, truth values, categories, dates and missing cells.

    The parameters are those of `TableClassifier`; predictions are in the units of y.

    >>> from handgrad.sklearn import TableRegressor
    >>> X = {"length": [float(k) for k in range(40)], "kind": ["a", "b"] * 20}
    >>> y = [3.0 * k + 10 * (k % 2) for k in range(40)]
    >>> regressor = TableRegressor(hidden=(), epochs=3000, early_stopping=None, random_state=0).fit(X, y)
    >>> regressor.predict({"length": [20.0], "kind": ["a"]}).round().tolist()
    [60.0]

    `fit` raises DataError (a ValueError) for a table that cannot be trained on.
    """

    def __init__(
        self,
        hidden: Any = (100,),
        activation: Any = "relu",
        *,
        dropout: Any = 0.0,
        loss: Any = None,
        initializer: Any = "glorot",
        optimizer: Any = None,
        epochs: Any = 100,
        batch_size: Any = "auto",
        validation: Any = 0.1,
        early_stopping: Any = "auto",
        categorical: Any = (),
        numeric: Any = (),
        date: Any = (),
        text: Any = (),
        ignore: Any = (),
        scaling: Any = "standard",
        missing: Any = "mean",
        encode: Any = None,
        regularization: Any = None,
        schedule: Any = None,
        engine: Any = "auto",
        random_state: Any = None,
    ) -> None:
        remember(self, locals())

    def predict(self, X: Any) -> Array:
        """The number of each row, (samples,) or (samples, targets)."""
        table = self._read(X)
        return self.model_.predict(table)

    def _target_columns(self, y: Any, names: set[str]) -> dict[str, Any]:
        name = target_name(y, names)
        Y = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
        if Y.ndim == 1 or Y.shape[1] == 1:
            return {name: column_or_1d(Y, warn=True)}
        return dict(named_outputs(Y, names))

    def _task(self) -> str:
        return "regression"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _column(name: str, values: Any) -> pa.Array:
    """A column of a mapping; what is not a number is missing, also among texts."""
    try:
        return pa.array(values, from_pandas=True)
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise DataError(
            f"column {name!r}: its values are not of one kind ({error}); give numbers or text"
        ) from error


def _is_numeric(X: Any) -> bool:
    return isinstance(X, np.ndarray) and X.dtype.kind in "biuf"


def _with_columns(table: Table, columns: dict[str, Any]) -> Table:
    more = read_table(columns)
    return Table(table.source, {**table.columns, **more.columns})


def target_name(y: Any, taken: set[str]) -> str:
    """The name of a named column, else 'target'; made different from the columns that are there.

    >>> target_name([1, 2], {"target"})
    'target_'
    """
    named = type(y).__module__.partition(".")[0] in FRAMES and isinstance(getattr(y, "name", None), str)
    name = (named and y.name) or "target"
    while name in taken:
        name += "_"
    return str(name)


def named_outputs(Y: Array, taken: set[str]) -> dict[str, Array]:
    """The columns of several targets: target1, target2, ..."""
    if Y.ndim != 2:
        raise ShapeError(f"y must have shape (samples,) or (samples, targets), got {Y.shape}")
    stem = "target"
    while any(f"{stem}{j + 1}" in taken for j in range(Y.shape[1])):
        stem += "_"
    return {f"{stem}{j + 1}": Y[:, j] for j in range(Y.shape[1])}


def _texts(labels: Array) -> Array:
    """Labels as the text of a table's cells. Raises DataError where two labels have the same text."""
    texts = np.array([str(label) for label in labels])
    if len(set(texts.tolist())) < len(texts):
        raise DataError("two classes of y have the same text; rename one of them")
    return texts


def is_multilabel(y: Any) -> bool:
    """True for (samples, labels) of 0 and 1."""
    return str(type_of_target(y)).startswith("multilabel")
