"""A page taken apart: its lines, the chains of equations in them, its tables, each with its context."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from handgrad.audit.page.chains import Chain, Line, chains_of, lines_of
from handgrad.audit.page.contexts import Contexts, context_after
from handgrad.audit.page.formula_trees import Listing, Name, Operation, names_in
from handgrad.audit.page.placing import Context
from handgrad.audit.page.script import Grid, Page, Passage, Script
from handgrad.cases.case import Case


@dataclass(slots=True)
class Gathered:
    """What was found on a page, in its order."""

    lines: list[Line] = field(default_factory=list)
    chains: list[tuple[Chain, Context]] = field(default_factory=list)
    grids: list[tuple[Grid, Context, int]] = field(default_factory=list)
    """Tables, with the number of the line of their first cell."""
    contexts: dict[int, Context] = field(default_factory=dict)
    """By the number of a line."""
    headings: list[tuple[str, int]] = field(default_factory=list)


def gather(page: Page, case: Case) -> Gathered:
    """The lines, chains and tables of a page."""
    found = Gathered()
    contexts = Contexts(case)
    last: Chain | None = None
    for number, block in enumerate(page.blocks):
        if isinstance(block, Grid):
            last = None
            _cells(found, block, number, contexts.now)
            continue
        if block.kind == "heading":
            text = block.script.plain().text
            contexts.heading(text, block.level)
            found.headings.append((text, block.script.line_at(0)))
            last = None
            continue
        lines = lines_of(block, number, len(found.lines))
        if block.kind == "text":
            contexts.paragraph(block.script.plain().text)
        found.lines += lines
        found.contexts.update(dict.fromkeys((line.number for line in lines), contexts.now))
        chains = chains_of(lines, last if block.kind != "text" else None)
        for chain in _with_sums(chains):
            found.chains.append((chain, _of_chain(chain, contexts.now, case)))
        if block.kind != "text" or chains:
            last = chains[-1] if chains else None
    return found


def _of_chain(chain: Chain, context: Context, case: Case) -> Context:
    """The context of a chain: the words before it may say more, and an update shows in its shape."""
    if chain.kind == "text" and chain.words:
        context = context_after(chain.words, context, case)
    head = chain.parts[0].tree
    if isinstance(head, Name) and head.base[:1] in "WwbBθΘ":
        below = chain.parts[1:]
        if any(isinstance(part.tree, Operation) and part.tree.sign in "+-" for part in below) or any(
            isinstance(part.tree, Listing) and _updates(part.tree) for part in below
        ):
            return replace(context, updating=True)
    return context


def _updates(listing: Listing) -> bool:
    return any(
        isinstance(item, Operation) or (isinstance(item, Listing) and _updates(item))
        for item in listing.items
    )


def _with_sums(chains: list[Chain]) -> list[Chain]:
    """Lone formulas of numbers under each other are one chain: each is the one above, worked out further."""
    made: list[Chain] = []
    for chain in chains:
        above = made[-1] if made else None
        if chain.bare and above is not None and above.bare and above.block == chain.block and _worked(above):
            above.parts.append(replace(chain.parts[0], relation="="))
        else:
            made.append(chain)
    return made


def _worked(chain: Chain) -> bool:
    return isinstance(chain.parts[-1].tree, Operation) and not any(
        True for _ in names_in(chain.parts[-1].tree)
    )


def _cells(found: Gathered, grid: Grid, block: int, context: Context) -> None:
    """The cells of a table as lines, so that their numbers are accounted for."""
    first = len(found.lines)
    for row in (grid.header, *grid.rows):
        for cell in row:
            script = cell.plain()
            passage = Passage("cell", script if script.text.strip() else Script.on(" ", grid.line))
            made = lines_of(passage, block, len(found.lines))
            if not made:
                made = [Line(len(found.lines), block, "cell", Script.on(" ", grid.line), ())]
            whole = made[0]
            found.lines.append(replace(whole, number=len(found.lines)))
            found.contexts[len(found.lines) - 1] = context
    found.grids.append((grid, context, first))
