"""The verbs by name; each is imported when it is called, so that no command waits for the libraries of another."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

VERBS = {
    "inspect": "inspect.inspect",
    "train": "train.train",
    "predict": "predict.predict",
    "evaluate": "evaluate.evaluate",
    "explain": "explain.explain",
    "check": "check.check",
    "read": "read.read",
    "exercise": "exercise.exercise",
    "mark": "mark.mark",
    "gradcheck": "gradcheck.gradcheck",
    "matrix": "matrix.matrix",
    "open": "open.open_training",
    "diagram": "diagram.diagram",
    "export": "export.export",
    "tune": "tune.tune",
    "why": "why.why",
    "importance": "why.importance",
    "verify": "verify.verify",
    "bench": "bench.bench",
}
"""Each verb and its function, in the order in which help lists them."""


class Verbs(TyperGroup):
    """The commands of `VERBS`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The verbs in their order."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a verb, imported now; None for a name that is none."""
        if cmd_name not in VERBS:
            return None
        if cmd_name not in self.commands:
            module, _, function = VERBS[cmd_name].partition(".")
            verb = getattr(import_module(f"handgrad.cli.{module}"), function)
            alone = typer.Typer(add_completion=False)
            alone.command(cmd_name)(verb)
            self.commands[cmd_name] = typer.main.get_command(alone)
        return self.commands[cmd_name]
