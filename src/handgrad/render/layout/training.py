"""Training: the loss by epoch, and where this step stands on the curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from handgrad.render.document import Block, Figure, Table
from handgrad.render.layout.context import Sheet
from handgrad.worked.expressions import Ellipsis
from handgrad.writing.phrasebook import Spans

WIDTH, HEIGHT, LEFT, BOTTOM, EDGE = 480.0, 240.0, 70.0, 40.0, 16.0
LINE, MARK, INK = "#1565c0", "#c62828", "#767676"
MOST_EPOCHS = 10


def training(sheet: Sheet) -> Iterator[Block]:
    """For a trained model: its curve, and a table of the epochs."""
    losses, epoch = sheet.record.losses, sheet.record.epoch
    if not losses:
        return
    yield sheet.paragraph("training_curve", first=losses[0], last=losses[-1])
    if epoch is not None:
        yield sheet.paragraph("training_step", epoch=epoch, epochs=len(losses))
        if 1 <= epoch <= len(losses):
            yield sheet.paragraph("training_curve_at", value=losses[epoch - 1], epoch=epoch)
    if sheet.settings.figures and len(losses) > 1:
        caption = sheet.say("training_caption")
        description = sheet.text("training_description", first=losses[0], last=losses[-1])
        yield Figure(curve(sheet, losses, epoch, description), description, caption, WIDTH, HEIGHT)
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


def curve(sheet: Sheet, losses: Sequence[float], epoch: int | None, description: str) -> str:
    """The loss by epoch as SVG, with a dot at this step's epoch."""
    low, high = min(losses), max(losses)
    span = high - low or 1.0

    def point(place: int) -> tuple[float, float]:
        across = place / (len(losses) - 1)
        x = LEFT + across * (WIDTH - LEFT - EDGE)
        return x, EDGE + (high - losses[place]) / span * (HEIGHT - EDGE - BOTTOM)

    path = " ".join(f"{x:.2f},{y:.2f}" for x, y in (point(place) for place in range(len(losses))))
    floor = HEIGHT - BOTTOM
    title = escape(sheet.text("training_caption"))
    texts = [
        (LEFT - 6, EDGE + 4, "end", str(sheet.phrasebook.show(high))),
        (LEFT - 6, floor + 4, "end", str(sheet.phrasebook.show(low))),
        (LEFT, floor + 16, "middle", "1"),
        (WIDTH - EDGE, floor + 16, "middle", str(len(losses))),
        ((LEFT + WIDTH) / 2, floor + 32, "middle", sheet.text("epoch")),
    ]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}"'
        f' height="{HEIGHT:g}" role="img" font-family="sans-serif" font-size="11">',
        f"<title>{title}</title><desc>{escape(description)}</desc>",
        f'<path d="M{LEFT:g},{EDGE:g} V{floor:g} H{WIDTH - EDGE:g}" fill="none" stroke="{INK}"/>',
        f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="2"/>',
        *(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{INK}">{escape(text)}</text>'
            for x, y, anchor, text in texts
        ),
    ]
    if epoch is not None and 1 <= epoch <= len(losses):
        x, y = point(epoch - 1)
        parts.append(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="4" fill="{MARK}"/>')
    return "".join((*parts, "</svg>"))
