"""The live sheet in a notebook, as an anywidget: the same page, its state visible from Python in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from handgrad.errors import MissingExtraError
from handgrad.live.page import live_sheet
from handgrad.worksheets.worksheet import Worksheet

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise MissingExtraError("the live sheet in a notebook", "notebook") from error

HEIGHT = 700  # pixels


class LiveSheet(anywidget.AnyWidget):
    """A live sheet whose `step`, `edits` and `quantities` are those of the page that is shown.

    `edits` are [quantity, index, value], such as ["W1", [0, 1], 0.5]; assign to `step` or `edits`, or call `set`, and
    the page follows; what the reader changes in the page stands here. `quantities` are those of the step that is
    shown, once a browser shows it: the names and nested lists of the sheet's JSON.
    """

    _esm = Path(__file__).with_name("widget.js")
    page = traitlets.Unicode().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    height = traitlets.Int(HEIGHT).tag(sync=True)
    step = traitlets.Int(1).tag(sync=True)
    edits: traitlets.List[Any] = traitlets.List().tag(sync=True)
    quantities = traitlets.Dict().tag(sync=True)

    def set(self, quantity: str, index: Sequence[int], value: float) -> None:
        """Changes a number of the start: `set("W1", (0, 1), 0.5)`, `set("learning_rate", (), 0.1)`."""
        place = list(index)
        others = [edit for edit in self.edits if edit[:2] != [quantity, place]]
        self.edits = [*others, [quantity, place, float(value)]]

    def reset(self) -> None:
        """Everything as given."""
        self.edits = []


def live_widget(worksheet: Worksheet, height: int = HEIGHT) -> Any:
    """The live sheet of a worksheet, for a notebook; see `handgrad.live.page.live_sheet`."""
    return LiveSheet(
        page=live_sheet(worksheet).decode(),
        title=worksheet.source.title,
        step=worksheet.first,
        height=height,
    )
