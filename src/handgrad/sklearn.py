"""scikit-learn's `MLPClassifier` and `MLPRegressor` on handgrad's engines, and estimators for raw tables.

    >>> from handgrad.sklearn import MLPClassifier
    >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["no", "yes", "yes", "no"]
    >>> classifier = MLPClassifier(8, solver="lbfgs", random_state=1).fit(X, y)
    >>> classifier.predict([[1.0, 0.0]]).tolist()
    ['yes']

The parameters, the attributes after `fit`, the order of the rows and the initial weights are scikit-learn's, so
that the same seed takes the same steps. More than there: every activation of handgrad, one for each layer if
wanted; every optimizer as `solver`; `dropout`; `class_weight`; `engine`; and `explain`, which opens any step.

Three things are different on purpose:

- The loss of several outputs is added up over them, as its gradient is; scikit-learn averages the one and not
  the other, so that its `loss_` is not what its steps descend.
- Adam's epsilon stands beside sqrt(v_hat) (algorithm 1 of Kingma and Ba); scikit-learn's beside sqrt(v).
- A loss that is no number ends the training at that step.

Dense samples without weights train on the native core; sparse matrices too, some batches made dense at a time;
samples with weights (`sample_weight`, `class_weight`) train in NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from handgrad.errors import MissingExtraError, SpecificationError

try:
    from sklearn.base import ClassifierMixin, RegressorMixin
    from sklearn.metrics import accuracy_score, r2_score
    from sklearn.preprocessing import LabelBinarizer
    from sklearn.utils import column_or_1d
    from sklearn.utils.class_weight import compute_sample_weight
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import unique_labels
    from sklearn.utils.validation import validate_data
except ImportError:
    raise MissingExtraError("handgrad.sklearn (scikit-learn 1.6 or later, SciPy)", "sklearn") from None

from handgrad.estimators.parameters import is_stochastic, remember
from handgrad.estimators.perceptron import MultilayerPerceptron
from handgrad.estimators.tables import TableClassifier, TableRegressor, is_multilabel
from handgrad.nn.arrays import Array

__all__ = ["MLPClassifier", "MLPRegressor", "TableClassifier", "TableRegressor"]


def _steps(estimator: Any) -> bool:
    """True where `partial_fit` has a meaning."""
    if not is_stochastic(estimator.solver):
        raise AttributeError("partial_fit needs a stochastic solver such as 'adam'; 'lbfgs' is none")
    return True


class MLPClassifier(ClassifierMixin, MultilayerPerceptron):  # type: ignore[misc]
    """A network of dense layers for classes: scikit-learn's `MLPClassifier`, and more.

    The output is softmax for several classes, else one sigmoid for each label; the loss is the cross-entropy
    plus `alpha` / (2 m) |W|^2, m the samples (or the sum of the weights) of the batch.

    Parameters beyond scikit-learn's: `activation` may be any of handgrad's, or one for each hidden layer;
    `solver` any of handgrad's optimizers by name, or an optimizer such as `handgrad.AdamW(0.001)`; `dropout` is
    the part of the hidden units that is dropped, or one part for each hidden layer; `class_weight` None,
    'balanced' or a weight for each class; `engine` auto, native or reference.

    >>> from handgrad.sklearn import MLPClassifier
    >>> X, y = [[-1.0], [-0.5], [0.5], [1.0]], [0, 0, 1, 1]
    >>> MLPClassifier(4, solver="lbfgs", random_state=0).fit(X, y).predict([[-2.0], [2.0]]).tolist()
    [0, 1]

    `fit` raises SpecificationError (a ValueError) for a parameter outside its range.

    Source: F. Pedregosa et al., Scikit-learn: machine learning in Python (JMLR 2011).
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: Any = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: Any = 0.001,
        power_t: Any = 0.5,
        max_iter: Any = 200,
        shuffle: Any = True,
        random_state: Any = None,
        tol: Any = 1e-4,
        verbose: Any = False,
        warm_start: Any = False,
        momentum: Any = 0.9,
        nesterovs_momentum: Any = True,
        early_stopping: Any = False,
        validation_fraction: Any = 0.1,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: Any = 15000,
        class_weight: Any = None,
        dropout: Any = 0.0,
        engine: Any = "auto",
    ) -> None:
        remember(self, locals())

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPClassifier:
        """Trains on X (samples, features), dense or sparse, and y (samples,), or (samples, labels) of 0 and 1."""
        fitted: MLPClassifier = self._fit(X, y, sample_weight)
        return fitted

    @available_if(_steps)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """One more epoch on X and y; the first call names all `classes`."""
        if "classes_" not in vars(self):
            if classes is None:
                raise SpecificationError("classes must be passed on the first call to partial_fit.")
            self._know_classes(y if is_multilabel(y) else classes)
            self.classes_ = unique_labels(classes)
        elif classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
            raise SpecificationError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
            )
        fitted: MLPClassifier = self._fit(X, y, sample_weight, incremental=True)
        return fitted

    def predict(self, X: Any) -> Array:
        """The class of each sample, or its labels (samples, labels) of 0 and 1."""
        return self._from_outputs(self._forward(X))

    def predict_proba(self, X: Any) -> Array:
        """A probability for each class (samples, classes), for each label where there are several."""
        outputs = self._forward(X)
        return np.column_stack([1 - outputs[:, 0], outputs[:, 0]]) if self.n_outputs_ == 1 else outputs

    def predict_log_proba(self, X: Any) -> Array:
        """The natural logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):  # ln 0 is minus infinity
            logarithms: Array = np.log(self.predict_proba(X))
        return logarithms

    def _know_classes(self, y: Any) -> None:
        self._label_binarizer = LabelBinarizer().fit(y)
        self.classes_ = self._label_binarizer.classes_

    def _targets(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        warm = self._parameters()["warm_start"]
        if "classes_" not in vars(self) or (not warm and not incremental):
            self._know_classes(y)
        else:
            self._check_classes(unique_labels(y), warm)
        return X, self._label_binarizer.transform(y).astype(X.dtype)

    def _check_classes(self, classes: Array, warm: bool) -> None:
        if warm and set(classes) != set(self.classes_):
            raise SpecificationError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {classes}"
            )
        if not warm and np.setdiff1d(classes, self.classes_).size:
            raise SpecificationError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. "
                f"'y' has {classes}."
            )

    def _weights(self, sample_weight: Any, X: Any, y: Any) -> Array | None:
        weights = super()._weights(sample_weight, X, y)
        chosen = self._parameters()["class_weight"]
        if chosen is None:
            return weights
        of_class: Array = compute_sample_weight(chosen, y).astype(X.dtype)
        return of_class if weights is None else weights * of_class

    def _output_activation(self) -> str:
        return "softmax" if self._label_binarizer.y_type_ == "multiclass" else "logistic"

    def _from_outputs(self, outputs: Array) -> Array:
        flat = outputs.ravel() if outputs.shape[1] == 1 else outputs
        labels: Array = self._label_binarizer.inverse_transform(flat)
        return labels

    def _held_out_score(self, Y: Array, outputs: Array, weights: Array | None) -> float:
        right = self._from_outputs(Y.astype(np.float64))
        return float(accuracy_score(right, self._from_outputs(outputs), sample_weight=weights))

    def _stratified(self) -> bool:
        return self.n_outputs_ == 1

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class MLPRegressor(RegressorMixin, MultilayerPerceptron):  # type: ignore[misc]
    """A network of dense layers for numbers: scikit-learn's `MLPRegressor`, and more.

    The loss is half the squared error, or a - y ln a with a = e^z for 'poisson', added up over the outputs, plus
    `alpha` / (2 m) |W|^2. The parameters beyond scikit-learn's are those of `MLPClassifier`, but for `class_weight`.

    >>> from handgrad.sklearn import MLPRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]
    >>> regressor = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, random_state=0)
    >>> regressor.fit(X, y).predict([[4.0]]).round(3).tolist()
    [9.0]

    `fit` raises SpecificationError (a ValueError) for a parameter outside its range.

    Source: F. Pedregosa et al., Scikit-learn: machine learning in Python (JMLR 2011).
    """

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: Any = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: Any = 0.001,
        power_t: Any = 0.5,
        max_iter: Any = 200,
        shuffle: Any = True,
        random_state: Any = None,
        tol: Any = 1e-4,
        verbose: Any = False,
        warm_start: Any = False,
        momentum: Any = 0.9,
        nesterovs_momentum: Any = True,
        early_stopping: Any = False,
        validation_fraction: Any = 0.1,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: Any = 15000,
        dropout: Any = 0.0,
        engine: Any = "auto",
    ) -> None:
        remember(self, locals())

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Trains on X (samples, features), dense or sparse, and y (samples,) or (samples, outputs)."""
        fitted: MLPRegressor = self._fit(X, y, sample_weight)
        return fitted

    @available_if(_steps)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """One more epoch on X and y."""
        fitted: MLPRegressor = self._fit(X, y, sample_weight, incremental=True)
        return fitted

    def predict(self, X: Any) -> Array:
        """The number of each sample, (samples,) or (samples, outputs)."""
        return self._from_outputs(self._forward(X))

    def _targets(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if self._parameters()["loss"] == "poisson" and (y < 0).any():
            raise SpecificationError("y must hold numbers >= 0 for loss='poisson', which is that of counts")
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _output_activation(self) -> str:
        return "exp" if self._parameters()["loss"] == "poisson" else "identity"

    def _from_outputs(self, outputs: Array) -> Array:
        return outputs.ravel() if outputs.shape[1] == 1 else outputs

    def _held_out_score(self, Y: Array, outputs: Array, weights: Array | None) -> float:
        return float(r2_score(Y, outputs, sample_weight=weights))

    def _stratified(self) -> bool:
        return False
