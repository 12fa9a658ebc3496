"""The sentences of an audit: what is wrong, by which mistake, and what follows from it.

Keys `mistake:CODE` belong to the catalogue of mistakes; each is a sentence that a student understands. Where a
mistake is in one layer only, `mistake_layer` says so after it.
"""

from __future__ import annotations

MISTAKE_SENTENCES: dict[str, str] = {
    "mistake:updated-weights": (
        "The error was passed back through weights that this step had already changed; it has to go back through "
        "the weights that the forward pass used."
    ),
    "mistake:not-transposed": (
        "The error was passed back through W instead of its transpose: going back, the columns of W belong to the "
        "units that receive the error."
    ),
    "mistake:derivative-forgotten": (
        "The derivative of the activation function was left out: the error that arrives has to be multiplied by f'(z)."
    ),
    "mistake:derivative-at-z": (
        "The derivative of the activation function was formed with z where its output a belongs, such as z(1 − z) in "
        "place of a(1 − a)."
    ),
    "mistake:derivative-at-a": (
        "The derivative of the activation function was taken at its output a instead of at z."
    ),
    "mistake:error-sign": (
        "The error has the other sign: the derivative of the loss is output minus target, not target minus output."
    ),
    "mistake:update-sign": (
        "The step went uphill: the learning rate times the gradient is subtracted, not added."
    ),
    "mistake:factor-2-missing": "A factor 2 is missing: the derivative of (a − y)² is 2(a − y).",
    "mistake:half-missing": "The factor ½ of the squared error was left out, or used once too often.",
    "mistake:batch-not-averaged": "The samples of the batch were added; they are to be averaged, so 1/m is missing.",
    "mistake:batch-averaged": "The samples of the batch were averaged; here they are to be added.",
    "mistake:outputs-not-averaged": "The terms of the outputs were added; they are to be averaged.",
    "mistake:bias-forgotten": "The bias was left out of the weighted sum.",
    "mistake:bias-not-updated": "The bias was not updated: it is a parameter like the weights.",
    "mistake:bias-shared": (
        "One gradient was used for all biases of the layer, as if they were a single number; each unit has its own."
    ),
    "mistake:log10": "The logarithm to base 10 was used; the loss has the natural logarithm.",
    "mistake:log2": "The logarithm to base 2 was used; the loss has the natural logarithm.",
    "mistake:dropout-not-scaled": ("What dropout keeps was not divided by the probability of being kept."),
    "mistake:mask-forgotten": (
        "Units that dropout had switched off were given an error on the way back; theirs is 0."
    ),
    "mistake:l2-not-in-gradient": "The penalty is part of the loss, but its derivative was left out of the gradient.",
    "mistake:l2-not-in-loss": "The penalty was left out of the loss.",
    "mistake:l2-factor": "The penalty has another factor: 2, ½ or 1/m too many or too few.",
    "mistake:softmax-diagonal": (
        "Softmax was treated like a function of each unit alone: every output depends on every weighted sum, so the "
        "terms outside the diagonal of its Jacobian belong to the error too."
    ),
    "mistake:relu-at-zero": "The slope of the ReLU at z = 0 was taken as 1; here it is 0.",
    "mistake:relu-other-side": "The error was passed through units whose ReLU is off and stopped by those that are on.",
    "mistake:adam-no-correction": (
        "The correction for the start at zero was left out: Adam divides m and v by 1 − βᵗ."
    ),
    "mistake:adam-step-counter": "Adam's correction was made with another step number t; the first step has t = 1.",
    "mistake:epsilon-place": "ε stands in another place: under the root instead of beside it, or the other way about.",
    "mistake:momentum-form": (
        "Another form of momentum was used; books write the velocity in several ways, and they do not give the same "
        "numbers."
    ),
    "mistake:momentum-forgotten": "The step was taken with the gradient alone, without what the optimizer remembers.",
    "mistake:decay-forgotten": "The new gradient entered the running mean whole; only its share 1 − β belongs there.",
    "mistake:entries-swapped": "The numbers are right, but stand in each other's places.",
    "mistake:wrong-term": (
        "In the weighted sum a weight was multiplied by another input than its own, or a term was left out."
    ),
    "mistake:wrong-index": "This is the number of another entry, {other}.",
    "mistake:step-early": "This is the number of step {step}: one update too early.",
    "mistake:step-late": "This is the number of step {step}: one update too late.",
    "mistake:other-sample": "Another sample was used here.",
    "mistake:other-quantity": "This is the number of another quantity, {other}.",
    "mistake:miscopied-input": "A given number was read wrongly: {given} = {right} was taken for {read}.",
    "mistake:single-precision": "The number was computed in single precision, which keeps only seven digits.",
    "mistake:rounded-carried": (
        "Results were rounded to {digits} decimals before they were used again, too few for the decimals printed."
    ),
    "mistake:weights-not-transposed": ("Each unit took a column of W; a unit's weights are its row of W."),
    "mistake:gradient-transposed": (
        "The gradient of the weights is turned over: rows belong to units, columns to inputs."
    ),
    "mistake:activation-forgotten": "The activation function was left out: the weighted sum was handed on as it is.",
    "mistake:rate-forgotten": "The learning rate was left out of the step.",
}

CONVENTIONS: dict[str, str] = {
    "convention:delta-sign": (
        "The errors are written as target minus output; this program writes output minus target. The printed numbers "
        "were compared with their signs turned."
    ),
    "convention:rows": (
        "The weights are written with a row for each input; this program has a row for each unit. The printed "
        "matrices were compared turned over."
    ),
    "convention:loss": (
        "The printed numbers belong to another form of the loss. In the case file, write loss = {line} under [network]."
    ),
    "convention:momentum": (
        'The printed numbers belong to another form of momentum. In the case file, write form = "{line}" under '
        "[optimizer]."
    ),
}

AUDIT: dict[str, str] = {
    **MISTAKE_SENTENCES,
    **CONVENTIONS,
    "audit_title": "Audit: {title}",
    "audit_case": "a case",
    "audit_first": "What is wrong, in the order of the calculation",
    "audit_all": "Every number",
    "audit_marked": "The calculation, with each printed number under its equation",
    "audit_mark": "✓ {which}: printed {printed}, {verdict}.",
    "audit_mark_all": "✓ {which}: every printed number is exact.",
    "audit_mark_wrong": "✗ {which}: printed {printed}, {verdict}; right is {right}.",
    "audit_unknown": "What could not be checked",
    "audit_nothing": "Nothing is wrong.",
    "audit_step": "step {number}",
    "audit_printed": "printed",
    "audit_right": "right",
    "audit_quantity": "quantity",
    "audit_verdict": "verdict",
    "audit_claim_wrong": "Printed is {printed}; right is {right}.",
    "audit_claim_last": "Printed is {printed}; right is {right}. Only the last digit is off.",
    "audit_no_cause": "No mistake of the catalogue gives this number.",
    "audit_sure": "This is as good as certain.",
    "audit_likely": "This is likely, not certain: the number has few digits.",
    "mistake_layer": "It happened in layer {number}.",
    "audit_follows": "From this follow, each right in itself: {names}.",
    "audit_follows_from": "Right in itself, but it follows from the wrong number of {which}.",
    "audit_rounded": "Reached when earlier results are rounded before they are used again.",
    "audit_truncated": "Cut off instead of rounded.",
    "audit_of_step": "{which} (step {number})",
    "audit_more_rows": "{count} more rows, all of them right, are left out.",
    "verdict:exact": "exact",
    "verdict:rounded": "rounded on the way",
    "verdict:truncated": "cut off",
    "verdict:last-digit": "last digit wrong",
    "verdict:wrong": "WRONG",
    "verdict:wrong-propagated": "follows from a wrong one",
    "verdict:not-recomputable": "cannot be checked",
    "missing:data.x": "The inputs are not given (data.x).",
    "missing:data.y": "The targets are not given (data.y).",
    "missing:network.loss": "The loss is not given (network.loss).",
    "missing:optimizer": "The optimizer is not given ([optimizer]).",
    "missing:weights": "The weights that it needs are not given, or were drawn without a seed.",
    "missing:given": "The case gives this number itself ([given]), and nothing to compute it from.",
    "missing:quantity": "The calculation of this case does not have this quantity.",
}

AUDIT_PLURALS: dict[str, tuple[str, str]] = {
    "audit_count": ("{count} number was checked.", "{count} numbers were checked."),
    "audit_roots": ("{count} number is wrong.", "{count} numbers are wrong."),
    "audit_last": ("{count} is wrong in its last digit.", "{count} are wrong in their last digit."),
    "audit_consequences": ("{count} follows from a wrong one.", "{count} follow from a wrong one."),
    "audit_kept": (
        "{count} holds when results are rounded on the way.",
        "{count} hold when results are rounded on the way.",
    ),
    "audit_cut": ("{count} is cut off instead of rounded.", "{count} are cut off instead of rounded."),
    "audit_unchecked": ("{count} cannot be checked.", "{count} cannot be checked."),
}
