"""The catalogue of mistakes: each has a code, a source, and the calculation with that mistake in it.

A mistake in the equations is run as an alternative (`slips_*.py`); a misreading of a right calculation compares
the printed number with another number of it (`misreadings.py`, `miscopied.py`). The words are in the catalogue of
messages under `mistake:CODE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from handgrad.audit import slips_backward as backward
from handgrad.audit import slips_forward as forward
from handgrad.audit import slips_update as update
from handgrad.audit.alternative import Alternative, Making
from handgrad.cases.case import Case


@dataclass(frozen=True)
class Mistake:
    """One row: `code` is what reports and JSON name, `source` where the mistake is described."""

    code: str
    source: str
    making: Making | None = None
    """None for a misreading of a right calculation."""


def single_precision(case: Case) -> Iterator[Alternative]:
    """Computed in single precision."""
    yield Alternative(single=True)


def rounded_carried(case: Case) -> Iterator[Alternative]:
    """Each result is rounded to fewer decimals than are printed, and used again."""
    yield from (Alternative(digits=digits) for digits in range(1, 9))


def other_sample(case: Case) -> Iterator[Alternative]:
    """The inputs or the targets of another sample."""
    if case.X is None or case.Y is None or case.samples == 1 or case.samples > 8:
        return
    for i in range(case.samples):
        for j in range(case.samples):
            if i != j:
                x, y = case.X.copy(), case.Y.copy()
                x[i], y[i] = case.X[j], case.Y[j]
                yield Alternative(case=replace(case, X=x, Y=y))
                yield Alternative(case=replace(case, X=x))
                yield Alternative(case=replace(case, Y=y))


_RUMELHART = (
    "D. Rumelhart, G. Hinton, R. Williams, Learning representations by back-propagating errors (1986)"
)
_KINGMA = "D. Kingma, J. Ba, Adam: a method for stochastic optimization (2015), algorithm 1"
_KARPATHY = "A. Karpathy, Yes you should understand backprop (2016)"
_MAZUR = "M. Mazur, A step by step backpropagation example (2015): its code and its page disagree so"
_NIELSEN = "M. Nielsen, Neural networks and deep learning (2015), chapter 2"
_SRIVASTAVA = "N. Srivastava et al., Dropout (JMLR 2014), section 10"
_CS231N = "Stanford CS231n, lecture 3 (2016): two losses printed with the logarithm to base 10"
_BISHOP = "C. Bishop, Pattern recognition and machine learning (2006)"

MISTAKES: tuple[Mistake, ...] = (
    Mistake("updated-weights", _MAZUR, backward.updated_weights),
    Mistake("not-transposed", _NIELSEN, backward.not_transposed),
    Mistake("derivative-forgotten", _NIELSEN, backward.derivative_forgotten),
    Mistake("derivative-at-z", _KARPATHY, backward.derivative_at_z),
    Mistake("error-sign", _RUMELHART, backward.error_sign),
    Mistake("update-sign", _RUMELHART, update.update_sign),
    Mistake("factor-2-missing", _NIELSEN, forward.factor_2_missing),
    Mistake("half-missing", _NIELSEN, forward.half_missing),
    Mistake("batch-not-averaged", _BISHOP, forward.batch_not_averaged),
    Mistake("outputs-not-averaged", _BISHOP, forward.outputs_not_averaged),
    Mistake("bias-forgotten", _NIELSEN, forward.bias_forgotten),
    Mistake("bias-not-updated", _MAZUR, update.bias_not_updated),
    Mistake("bias-shared", _MAZUR, backward.bias_shared),
    Mistake("log10", _CS231N, forward.loss_with_base(10)),
    Mistake("log2", _CS231N, forward.loss_with_base(2)),
    Mistake("dropout-not-scaled", _SRIVASTAVA, forward.dropout_not_scaled),
    Mistake("l2-not-in-gradient", _BISHOP, backward.l2_not_in_gradient),
    Mistake("l2-factor", _BISHOP, backward.l2_factor),
    Mistake("softmax-diagonal", _BISHOP, backward.softmax_diagonal),
    Mistake("relu-at-zero", "V. Nair, G. Hinton, Rectified linear units (ICML 2010)", backward.relu_at_zero),
    Mistake("adam-no-correction", _KINGMA, update.adam_no_correction),
    Mistake("adam-step-counter", _KINGMA, update.adam_step_counter),
    Mistake("epsilon-place", _KINGMA, update.epsilon_place),
    Mistake(
        "momentum-form",
        "I. Sutskever et al., On the importance of initialization (2013)",
        update.momentum_form,
    ),
    Mistake("entries-swapped", "B. S. Kushwaha, PostNetwork Academy: gradients with swapped indices"),
    Mistake("wrong-index", "B. S. Kushwaha, PostNetwork Academy"),
    Mistake("step-early", "M. Mazur (2015): the error after 9999 updates printed as that after 10000"),
    Mistake("step-late", "M. Mazur (2015)"),
    Mistake("other-sample", _BISHOP, other_sample),
    Mistake("other-quantity", "zhwhong, a retelling of Mazur's example: the total printed as one error"),
    Mistake("miscopied-input", "M. Mazur (2015) in its retellings"),
    Mistake("rounded-carried", "J. Han, M. Kamber, Data mining: concepts and techniques", rounded_carried),
    Mistake("single-precision", "Keras documentation, keras.ops.binary_crossentropy", single_precision),
    # beyond the classical ones
    Mistake("weights-not-transposed", _NIELSEN, forward.weights_not_transposed),
    Mistake("wrong-index", "B. S. Kushwaha, PostNetwork Academy: a term dropped", forward.wrong_term),
    Mistake("gradient-transposed", _NIELSEN, backward.gradient_transposed),
    Mistake("derivative-at-a", _KARPATHY, backward.derivative_at_a),
    Mistake("activation-forgotten", _NIELSEN, forward.activation_forgotten),
    Mistake("rate-forgotten", _RUMELHART, update.rate_forgotten),
    Mistake("batch-averaged", _BISHOP, forward.batch_averaged),
    Mistake("mask-forgotten", _SRIVASTAVA, forward.mask_forgotten),
    Mistake("l2-not-in-loss", _BISHOP, backward.l2_not_in_loss),
    Mistake("relu-other-side", "V. Nair, G. Hinton (2010)", backward.relu_derivative_forgotten_side),
    Mistake("momentum-forgotten", _KINGMA, update.momentum_forgotten),
    Mistake("decay-forgotten", _KINGMA, update.decay_forgotten),
)
"""In the order in which they are preferred where two explain the same numbers equally well."""

CODES = tuple(dict.fromkeys(mistake.code for mistake in MISTAKES))
