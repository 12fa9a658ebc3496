"""k folds: each part of the rows validates once, on a model that the others trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from handgrad.data.tables import Table
from handgrad.models.fit_table import fit_prepared, network_for
from handgrad.models.metrics import Evaluation
from handgrad.models.prepared import prepare
from handgrad.models.splits import Parting
from handgrad.rich_repr import number


def folded_once(
    table: Table,
    target: Sequence[str],
    task: str | None,
    parting: Parting,
    shape: dict[str, Any],
    fitting: dict[str, Any],
    asked: dict[str, Any],
) -> Evaluation:
    """The metrics on the fold that `parting` names, of a model trained on the other rows.

    Means, deviations and categories come from those rows alone.
    """
    ready = prepare(table, target, task, parting=parting, **asked)
    model = fit_prepared(ready, network_for(ready.schema, **shape), **fitting)
    held = ready.split.validation
    return model.evaluate_encoded(ready.X[held], ready.Y[held])


def spread(found: Sequence[Evaluation]) -> str:
    """Mean and standard deviation of the main metric over the folds.

    >>> spread([Evaluation("binary", 9, 0.5, 0.75), Evaluation("binary", 9, 0.4, 0.25)])
    '2 folds: accuracy 0.5 ± 0.3536 (0.25 to 0.75)'
    """
    name = "R2" if found[0].task == "regression" else "accuracy"
    values = [getattr(one, name) for one in found if getattr(one, name) is not None]
    if not values:
        return f"{len(found)} folds"
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return (
        f"{len(found)} folds: {name} {number(float(np.mean(values)))} ± {number(deviation)} "
        f"({number(min(values))} to {number(max(values))})"
    )
