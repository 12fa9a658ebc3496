"""handgrad trains feed-forward neural networks and shows its work.

    >>> import handgrad as hg
    >>> network = hg.Network(2, [hg.Dense(2, "tanh"), hg.Dense(1, "sigmoid")], "binary_cross_entropy")
    >>> result = hg.fit(network, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], epochs=10)
    >>> result.steps
    10

Names are imported when they are first used, so that `import handgrad` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from handgrad.version import __version__ as __version__

if TYPE_CHECKING:
    from handgrad.audit.page.beside import check
    from handgrad.cases.case import Case
    from handgrad.errors import HandgradError
    from handgrad.interop.opening import explain, load
    from handgrad.interop.watching import watch
    from handgrad.models.fit_table import fit_table
    from handgrad.models.model import Model
    from handgrad.nn.activations import Activation
    from handgrad.nn.clipping import Clipping
    from handgrad.nn.dropout import Dropout
    from handgrad.nn.initializers import Initializer
    from handgrad.nn.losses import Loss
    from handgrad.nn.network import Dense, Network
    from handgrad.nn.optimizers import SGD, Adam, AdamW, Momentum
    from handgrad.nn.optimizers import Nesterov as Nesterov
    from handgrad.nn.optimizers import RMSprop as RMSprop
    from handgrad.nn.regularization import Regularization
    from handgrad.nn.schedules import Schedule
    from handgrad.training.fit import fit
    from handgrad.training.history import Fit
    from handgrad.training.plan import EarlyStopping
    from handgrad.worksheets.worksheet import Worksheet

_HOMES = {
    "handgrad.audit.page.beside": ("check",),
    "handgrad.cases.case": ("Case",),
    "handgrad.errors": ("HandgradError",),
    "handgrad.interop.opening": ("explain", "load"),
    "handgrad.interop.watching": ("watch",),
    "handgrad.worksheets.worksheet": ("Worksheet",),
    "handgrad.training.history": ("Fit",),
    "handgrad.training.plan": ("EarlyStopping",),
    "handgrad.models.model": ("Model",),
    "handgrad.nn.activations": ("Activation",),
    "handgrad.nn.clipping": ("Clipping",),
    "handgrad.nn.dropout": ("Dropout",),
    "handgrad.nn.initializers": ("Initializer",),
    "handgrad.nn.losses": ("Loss",),
    "handgrad.nn.network": ("Dense", "Network"),
    "handgrad.nn.optimizers": ("SGD", "Adam", "AdamW", "Momentum", "Nesterov", "RMSprop"),
    "handgrad.nn.regularization": ("Regularization",),
    "handgrad.nn.schedules": ("Schedule",),
    "handgrad.models.fit_table": ("fit_table",),
    "handgrad.training.fit": ("fit",),
}
# the rarer optimizers are names of handgrad.nn.optimizers; these two still come from here, and are not listed
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "SGD",
    "Activation",
    "Adam",
    "AdamW",
    "Case",
    "Clipping",
    "Dense",
    "Dropout",
    "EarlyStopping",
    "Fit",
    "HandgradError",
    "Initializer",
    "Loss",
    "Model",
    "Momentum",
    "Network",
    "Regularization",
    "Schedule",
    "Worksheet",
    "check",
    "explain",
    "fit",
    "fit_table",
    "load",
    "watch",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'handgrad' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted((*__all__, "__version__"))
