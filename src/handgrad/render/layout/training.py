"""Training: the loss by epoch, and where this step stands on the curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handgrad.diagram.curve import Curve, Words, draw_curves
from handgrad.render.document import Block, Figure, Table
from handgrad.render.layout.context import Sheet
from handgrad.worked.expressions import Ellipsis
from handgrad.writing.phrasebook import Spans

MOST_EPOCHS = 10


def training(sheet: Sheet) -> Iterator[Block]:
    """For a trained model: its curve, and a table of the epochs."""
    losses, epoch = sheet.record.losses, sheet.record.epoch
    if not losses:
        return
    yield sheet.paragraph("training_curve", first=losses[0], last=losses[-1])
    if epoch is not None:
        standing = sheet.record.standing
        after = (
            standing is not None and standing.chosen and sheet.record.steps[0].number == standing.following
        )
        yield sheet.paragraph(
            "training_parameters" if after else "training_step", epoch=epoch, epochs=len(losses)
        )
        if 1 <= epoch <= len(losses) and not after:
            yield sheet.paragraph("training_curve_at", value=losses[epoch - 1], epoch=epoch)
    if sheet.settings.figures and len(losses) > 1:
        words = Words(
            sheet.text("training_caption"),
            sheet.text("training_description", first=losses[0], last=losses[-1]),
            sheet.text("epoch"),
            sheet.text("logarithmic"),
        )
        curve = Curve(sheet.text("loss_label"), losses)
        scene = draw_curves([curve], words, lambda value: str(sheet.phrasebook.show(value)), epoch)
        yield Figure(scene, sheet.say("training_caption"))
    yield _table(sheet, losses, epoch)


def _table(sheet: Sheet, losses: Sequence[float], epoch: int | None) -> Table:
    places = _places(len(losses), epoch)
    texts = sheet.shown_column([losses[place] for place in places], "loss")
    rows: list[tuple[Spans, ...]] = []
    for row, place in enumerate(places):
        if row and places[row - 1] != place - 1:
            rows.append(((Ellipsis("vertical"),), (Ellipsis("vertical"),)))
        name = f"{place + 1} ←" if epoch == place + 1 else str(place + 1)
        rows.append(((name,), (texts[row],)))
    return Table((sheet.say("epoch"), sheet.say("loss_label")), tuple(rows), "lr")


def _places(count: int, epoch: int | None) -> list[int]:
    """Epochs shown: the first, the last, and those around this step."""
    if count <= MOST_EPOCHS:
        return list(range(count))
    here = [] if epoch is None else [epoch - 2, epoch - 1, epoch]
    return sorted({*range(3), *(place for place in here if 0 <= place < count), *range(count - 3, count)})
