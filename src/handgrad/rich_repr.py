"""How results show themselves: in a terminal by rich, in a notebook as plain text and HTML."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

_SHOWN_EPOCHS = 10


class Presented:
    """Gives a class that rich can draw its form for notebooks."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        console = Console(file=io.StringIO(), record=True, width=100, force_jupyter=False, color_system=None)
        console.print(self, highlight=False)
        text = console.export_text(clear=False)
        page = console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
        return {"text/plain": text, "text/html": page}


def printable(text: str) -> str:
    """The text in one line; characters that command a terminal or turn the direction of writing as escapes.

    >>> printable("a\\n b\\x1b[31m")
    'a b\\\\x1b[31m'
    """
    return visible(" ".join(text.split()))


def visible(text: str) -> str:
    """The text with escapes for characters that command a terminal or turn the direction of writing.

    Ends of lines and tabs stay. Source: Unicode 16.0, UAX 9, table 4 (explicit directional formatting).

    >>> print(visible("pay \\u202e100\\x1b[2J"))
    pay \\u202e100\\x1b[2J
    """
    return _COMMANDS.sub(_escape, text)


def visible_json(text: str) -> str:
    r"""The JSON text with those characters in JSON's own form; whoever reads it gets them back.

    >>> visible_json('{"a": "\x9b"}')
    '{"a": "\\u009b"}'
    """
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def number(value: float | None, digits: int = 4) -> str:
    """A number as tables show it, or a dash where there is none.

    >>> number(0.000012345), number(12.5), number(None)
    ('1.234e-05', '12.5', '-')
    """
    return "-" if value is None else f"{value:.{digits}g}"


class HistoryLine(Protocol):
    """What a table of a training's history shows of an epoch (counted from 1)."""

    @property
    def epoch(self) -> int: ...
    @property
    def loss(self) -> float: ...
    @property
    def validation_loss(self) -> float | None: ...
    @property
    def metric(self) -> float | None: ...
    @property
    def rate(self) -> float: ...


def history_table(history: Sequence[HistoryLine], metric: str, best_epoch: int | None = None) -> Table:
    """The history, thinned to some ten lines; the best epoch bears a star."""
    table = Table(box=None, pad_edge=False)
    for heading in ("epoch", "loss", "validation loss", metric, "rate"):
        table.add_column(heading, justify="right")
    stride = max(1, len(history) // _SHOWN_EPOCHS)
    for line in history:
        if line.epoch in (1, len(history), best_epoch) or line.epoch % stride == 0:
            table.add_row(
                str(line.epoch) + (" *" if line.epoch == best_epoch else ""),
                number(line.loss),
                number(line.validation_loss),
                number(line.metric),
                number(line.rate),
            )
    return table
