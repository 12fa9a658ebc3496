"""Places to write into as inputs of a page; what is typed stays in the page that is saved, or goes to a TOML file."""

from __future__ import annotations

from html import escape
from typing import Protocol

from handgrad.render.document import Blanks, Field
from handgrad.writing.phrasebook import Spans

STYLE = """\
.blanks { display: flex; flex-wrap: wrap; align-items: center; gap: 0.4em 0.6em; margin: 1em 0; }
.blanks .places { display: grid; gap: 0.35em; padding: 2px; max-width: 100%; overflow-x: auto; }
.blanks .places.matrix { padding: 0.35em 0.5em; border: solid var(--ink); border-width: 0 1.5px; border-radius: 4px; }
.blanks input { font: 1rem var(--labels); width: calc(var(--digits) * 0.75em + 1.2em); max-width: 100%;
  padding: 0.4em 0.5em; color: var(--ink); background: var(--shade); border: 1px solid var(--quiet);
  border-radius: 4px; }
.blanks .remark { color: var(--quiet); font: 0.875rem/1.5 var(--labels); }
.save button { font: 600 1rem var(--labels); padding: 0.6em 1.2em; color: var(--sheet); background: var(--accent);
  border: 0; border-radius: 6px; cursor: pointer; }
@media print { .save { display: none; } .blanks input { background: none; } }"""

SCRIPT = """\
const fields = () => [...document.querySelectorAll("input[name]")];
addEventListener("input", event => event.target.setAttribute("value", event.target.value));
document.getElementById("save").addEventListener("click", () => {
  const line = field => JSON.stringify(field.name) + " = " + JSON.stringify(field.value);
  const plain = fields().filter(field => !field.dataset.quantity);
  const answers = fields().filter(field => field.dataset.quantity);
  const text = [...plain.map(line), "", "[answers]", ...answers.map(line), ""].join("\\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/toml" }));
  link.download = "answers.toml";
  link.click();
  URL.revokeObjectURL(link.href);
});"""
"""A saved page has what was typed in it; the button saves the answers alone."""


class Words(Protocol):
    """Writes running text."""

    def spans(self, spans: Spans) -> str: ...


def blanks(page: Words, block: Blanks) -> str:
    """target = a matrix of inputs, or one input."""
    hidden = "".join(_hidden(field) for row in block.rows for field in row if field.hidden)
    rows = [[field for field in row if not field.hidden] for row in block.rows]
    rows = [row for row in rows if row]
    if not rows:
        return f"<div hidden>{hidden}</div>"
    matrix = " matrix" if len(rows) > 1 or len(rows[0]) > 1 else ""
    least = "minmax(4.5em, max-content)" if matrix else "minmax(0, max-content)"
    columns = f"grid-template-columns: repeat({len(rows[0])}, {least}); --digits: {block.digits}"
    inputs = "\n".join(_input(field) for row in rows for field in row)
    remark = f'\n<span class="remark">{page.spans(block.remark)}</span>' if block.remark else ""
    return (
        f'<div class="blanks"><span>{page.spans(block.target)}</span>\n'
        f'<div class="places{matrix}" style="{columns}">\n{inputs}\n</div>{remark}{hidden}</div>'
    )


def button(label: str) -> str:
    """What saves the answers."""
    return f'<p class="save"><button type="button" id="save">{escape(label, quote=False)}</button></p>'


def _input(field: Field) -> str:
    where = ""
    if field.quantity:
        index = ",".join(map(str, field.index))
        where = f' data-quantity="{escape(field.quantity)}" data-index="{index}" data-step="{field.step}"'
        where += ' inputmode="text" spellcheck="false"'
    return (
        f'<input name="{escape(field.name)}" value="{escape(field.value)}" aria-label="{escape(field.label)}"'
        f'{where} autocomplete="off">'
    )


def _hidden(field: Field) -> str:
    return f'<input type="hidden" name="{escape(field.name)}" value="{escape(field.value)}">'
