"""What a step is called: its number and what it is a step of, and what a reader must know of it beforehand."""

from __future__ import annotations

from collections.abc import Iterator

from handgrad.render.document import Block, Paragraph
from handgrad.render.layout.context import Sheet
from handgrad.worked.record import StepRecord, words


def step_heading(sheet: Sheet, step: StepRecord, *, always: bool = False) -> Iterator[Block]:
    """The heading of a step, where there are several or the step is not one of the training; then what it is."""
    standing = sheet.record.standing
    if standing is None or not standing.chosen:
        count = max(sheet.record.total, step.number)
        if count > 1 or always:
            yield sheet.heading(0, "step_of", number=step.number, count=count)
        return
    if step.number != standing.following:
        yield sheet.heading(0, "step_on_rows", number=step.number, count=standing.taken)
        yield sheet.paragraph("step_on_rows_note", number=step.number)
        return
    yield sheet.heading(0, "step_after")
    steps, epochs = words("n_steps", count=standing.taken), words("n_epochs", count=standing.epochs)
    said = sheet.text("step_after_last", steps=steps, epochs=epochs)
    if standing.kept is not None:
        said = sheet.text("step_after_kept", steps=steps, epochs=epochs, epoch=standing.kept)
    if sheet.record.recipe is not None and "y" in step.quantities:
        said += " " + sheet.text("step_after_number", number=step.number)
    yield Paragraph((said,))


def outputs_are(sheet: Sheet) -> Iterator[Paragraph]:
    """What the outputs of a trained model stand for, by the names of its classes."""
    classes = sheet.record.classes
    if len(classes) == 2 and sheet.record.network.outputs == 1:
        yield sheet.paragraph("class_is", name=classes[1], other=classes[0])
    elif classes:
        yield sheet.paragraph("classes_are", names=", ".join(classes))


def parameters_key(sheet: Sheet, step: StepRecord) -> str:
    """The sentence that the parameters are given with."""
    standing = sheet.record.standing
    trained = standing is not None and standing.chosen and step.number == standing.following
    return "parameters_trained" if trained else "parameters_are"
