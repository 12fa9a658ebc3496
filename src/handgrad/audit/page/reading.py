"""A page read beside a case: what it says each quantity is, its arithmetic, and what became of each number on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from handgrad.audit.page.accounts import Account, Fate
from handgrad.audit.page.arithmetic import Slip, slips
from handgrad.audit.page.chains import Chain
from handgrad.audit.page.formula_trees import Derivative, Listing, names_in, numbers_in
from handgrad.audit.page.gathering import Gathered, gather
from handgrad.audit.page.loose import blocks_of_numbers, loose_arrays, prose
from handgrad.audit.page.names import Scheme
from handgrad.audit.page.placement import Placed, Result, placed, results, schemes
from handgrad.audit.page.placing import Context, Place, Quantities, near
from handgrad.audit.page.ranges import Known, signed_numbers
from handgrad.audit.page.scales import mark_scales
from handgrad.audit.page.script import Page
from handgrad.audit.page.tables import of_table
from handgrad.audit.printed import Printed
from handgrad.cases.case import Case

_MOST_SCORED = 400
"""Chains by which the scheme is chosen; the notation of a page does not change after so many."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a number stands: its line on the page, its row and its place in that."""

    line: int
    row: int
    start: int


@dataclass(frozen=True, slots=True)
class Stated:
    """What a page says that a quantity is."""

    place: Place
    numbers: tuple[Printed, ...]
    spots: tuple[Spot, ...]
    shape: tuple[int, ...]
    line: int
    text: str
    """The name as the page writes it."""
    also: tuple[int, ...] = ()
    """Further lines that say the same."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was read of a page beside a case."""

    page: Page
    scheme: Scheme
    stated: tuple[Stated, ...]
    slips: tuple[Slip, ...]
    differs: tuple[tuple[Stated, float], ...]
    """Given numbers that the page has otherwise than the case: what is said, and what the case has."""
    account: Account
    blocks: Mapping[int, int]
    """The block of the page that each row stands in."""


@dataclass(slots=True)
class Work:
    """The chains of a page with what was found out about each."""

    chain: Chain
    context: Context
    found: list[Result]
    placed: Placed | None = None
    compared: set[int] = field(default_factory=set)
    wrong: list[Slip] = field(default_factory=list)


def read(page: Page, case: Case) -> Reading:
    """Reads the page beside the case."""
    gathered = gather(page, case)
    quantities = Quantities(case)
    with np.errstate(all="ignore"):
        work = work_of(gathered, case)
        scheme = _scheme(work, quantities)
        known = _known(case, quantities, work)
        for one in work:
            one.placed = placed(one.chain, one.found, scheme, one.context, quantities)
            one.wrong, one.compared = slips(one.chain, known)
        _without_bias(work, quantities)
        return _result(page, gathered, work, scheme, quantities)


def work_of(gathered: Gathered, case: Case) -> list[Work]:
    """The chains of a page: its equations, its tables, what it says in words."""
    return [Work(chain, context, results(chain)) for chain, context in _all_chains(gathered, case)]


def score(work: Iterable[Work], scheme: Scheme, quantities: Quantities) -> float:
    """How well the printed results are what the names say: one for each that could be, half off for others."""
    total = 0.0
    with np.errstate(all="ignore"):
        for one in work:
            where = placed(one.chain, one.found, scheme, one.context, quantities)
            if where is None:  # leaving a number out is no better than finding it wrong
                total -= 0.5 * sum(len(result.numbers) for result in one.found)
            else:
                total += where.agrees - 0.5 * (where.of - where.agrees)
    return total


def _all_chains(gathered: Gathered, case: Case) -> Iterator[tuple[Chain, Context]]:
    tables = [
        pair
        for grid, context, first in gathered.grids
        for pair in of_table(grid, gathered.lines, first, context, case)
    ]
    taken = {(part.row, n.start) for chain, _ in (*gathered.chains, *tables) for part in chain.parts
             for n in numbers_in(part.tree)}  # fmt: skip
    said = [
        (chain, gathered.contexts.get(chain.parts[-1].row, Context()))
        for line in gathered.lines
        for chain in prose(line, taken)
    ]
    order = [*gathered.chains, *tables, *said]
    yield from sorted(order, key=lambda pair: pair[0].parts[-1].row)


def _scheme(work: list[Work], quantities: Quantities) -> Scheme:
    """The notation under which most of the printed results are what the names say."""
    case = quantities.case
    asked = case.notation
    with_results = [one for one in work if one.found][:_MOST_SCORED]
    flat = any(_counted_through(one.chain, case) for one in with_results)
    best: tuple[float, Scheme] | None = None
    for scheme in schemes(asked.layer, asked.first, flat):
        here = score(with_results, scheme, quantities)
        if best is None or here > best[0] + 1e-9:
            best = (here, scheme)
    assert best is not None
    return best[1]


def _counted_through(chain: Chain, case: Case) -> bool:
    """True where a weight has one number that is beyond the layers."""
    for part in chain.parts:
        for name in names_in(part.tree):
            by = name.by if isinstance(name, Derivative) else name
            digits = by.base[1:] or next(iter(by.lowered), "")
            if by.base[:1] in ("w", "W") and digits.isdigit() and not by.raised and len(by.lowered) <= 1:
                units = digits.isdigit() and case.network.depth < int(digits) < 10
                if units or int(digits) in range(10, 11):
                    return True
    return False


def _known(case: Case, quantities: Quantities, work: list[Work]) -> Known:
    """The numbers of the case: those given, and those computed in the steps that the page is about."""
    steps = sorted({1, *(one.context.step for one in work), *(one.context.step + 1 for one in work)})
    given = [0.0, 1.0, 2.0, 0.5]
    computed: list[float] = []
    for step in steps[:8]:
        for name, value in quantities.of_step(step).items():
            flat = np.asarray(value, dtype=np.float64).ravel()[:2_000].tolist()
            (given if name in quantities.given and step == 1 else computed).extend(flat)
    if case.recipe is not None:
        given.append(case.recipe.optimizer.learning_rate)
    return Known.of((*given, *(-value for value in given)), computed)


def _without_bias(work: list[Work], quantities: Quantities) -> None:
    """A weighted sum printed once with and once without its bias under one name: the second is that sum."""
    right = {
        one.placed.place for one in work if one.placed is not None and one.placed.agrees == one.placed.of
    }
    for one in work:
        here = one.placed
        if (
            here is None
            or here.agrees
            or here.place not in right
            or here.place.quantity[0] != "z"
            or one.wrong
        ):
            continue
        layer = int(here.place.quantity[1:])
        before = "x" if layer == 1 else f"a{layer - 1}"
        other = here.place._replace(quantity=f"{before} @ W{layer}.T")
        value = quantities.value(other)
        if value is None:
            continue
        flat = np.asarray(value).ravel()
        last = one.found[-1]
        if flat.size == len(last.numbers) and all(map(near, last.numbers, flat.tolist())):
            one.placed = replace(here, place=other, agrees=here.of)


def _result(
    page: Page, gathered: Gathered, work: list[Work], scheme: Scheme, quantities: Quantities
) -> Reading:
    account = Account(gathered.lines)
    stated: list[Stated] = []
    differs: list[tuple[Stated, float]] = []
    found_slips: list[Slip] = []
    for one in work:
        found_slips += one.wrong
        _terms(one, account)
        for result in one.found if one.placed is not None else ():
            said = _stated(one, result)
            fate, other = _fate_of(said, one, quantities)
            for spot in said.spots:
                account.set(spot.row, spot.start, fate)
            if fate is Fate.CLAIM:
                stated.append(said)
            elif other is not None:
                differs.append((said, other))
    stated += _unnamed(work, quantities, account)
    stated += _loose(gathered, work, quantities, account)
    mark_scales(gathered.lines, account)
    blocks = {line.number: line.block for line in gathered.lines}
    return Reading(page, scheme, _merged(stated), tuple(_once(found_slips)), tuple(differs), account, blocks)


def _rows_of(work: Iterable[Work]) -> set[tuple[int, int]]:
    """Where the numbers of equations stand; a list that stands alone is none."""
    chains = [one.chain for one in work if len(one.chain.parts) > 1 or one.placed is not None]
    return {(part.row, n.start) for chain in chains for part in chain.parts for n in numbers_in(part.tree)}


def _terms(one: Work, account: Account) -> None:
    """The fates of the numbers between the results of a chain."""
    chain = one.chain
    about = one.placed is not None
    for number, part in enumerate(chain.parts):
        symbolic = any(True for _ in names_in(part.tree))
        for n in numbers_in(part.tree):
            if symbolic:
                fate = Fate.CONSTANT if "." not in n.text or about else Fate.UNPLACED
            elif number in one.compared or (about and not any(number == result.part for result in one.found)):
                fate = Fate.TERM
            else:
                fate = Fate.UNPLACED
                if part.relation == ":" and "." not in n.text:
                    fate = Fate.WORD
            account.set(part.row, n.start, fate)


def _stated(one: Work, result: Result) -> Stated:
    assert one.placed is not None
    part = one.chain.parts[result.part]
    assert part.tree is not None
    spots = tuple(Spot(n.line, part.row, n.start) for n, _ in signed_numbers(part.tree))
    head = next(
        (p.text for p in one.chain.parts if p.tree is not None and any(True for _ in names_in(p.tree))), ""
    )
    return Stated(one.placed.place, result.numbers, spots, result.shape, part.line, head)


def _fate_of(said: Stated, one: Work, quantities: Quantities) -> tuple[Fate, float | None]:
    """A given number is as the case has it, or otherwise; anything else is a claim."""
    place = said.place
    value = quantities.value(place)
    if place.quantity != "rate" and not (place.quantity in quantities.given and place.step == 1):
        if value is not None and np.asarray(value).size != len(said.numbers):
            return Fate.UNPLACED, None
        return Fate.CLAIM, None
    if value is None:
        return Fate.UNPLACED, None
    array = np.asarray(value, dtype=np.float64)
    if array.size != len(said.numbers):
        return Fate.UNPLACED, None
    ways = [list(zip(said.numbers, turned.ravel().tolist(), strict=True)) for turned in (array, array.T)]
    pairs = max(ways, key=lambda way: sum(printed.stands_for(v) for printed, v in way))
    if all(printed.stands_for(v) for printed, v in pairs):
        return Fate.GIVEN, None
    other = next(v for printed, v in pairs if not printed.stands_for(v))
    # a bare W or b of some general rule is not yet the layer that the headings speak of
    plain = place.quantity[0] in "Wb" and quantities.case.network.depth > 1 and not _has_digit(said.text)
    sure = one.placed is not None and one.placed.sure and not plain
    return (Fate.GIVEN, other) if sure else (Fate.UNPLACED, None)


def _has_digit(text: str) -> bool:
    return any(letter.isdigit() for letter in text)


def _unnamed(work: list[Work], quantities: Quantities, account: Account) -> list[Stated]:
    """Results of calculations without a name: one that is a single quantity's value, to all its digits, is that."""
    found = []
    for one in work:
        last = one.found[-1] if one.chain.bare and one.found and one.placed is None else None
        if last is None or one.wrong or last.part not in one.compared or len(last.numbers) != 1:
            continue
        if abs(last.numbers[0].value) < 100 * last.numbers[0].unit:
            continue  # two digits are met by chance
        held = {name: np.asarray(value).ravel() for name, value in quantities.of_step(1).items()}
        name = next(
            (n for n, v in held.items() if v.size == 1 and last.numbers[0].stands_for(float(v[0]))), None
        )
        part = one.chain.parts[last.part]
        if name is None or name in quantities.given or part.tree is None:
            continue
        spots = tuple(Spot(n.line, part.row, n.start) for n, _ in signed_numbers(part.tree))
        for spot in spots:
            account.set(spot.row, spot.start, Fate.CLAIM)
        found.append(Stated(Place(name), last.numbers, spots, (), part.line, part.text))
    return found


def _loose(gathered: Gathered, work: list[Work], quantities: Quantities, account: Account) -> list[Stated]:
    """Lists and blocks of numbers without a name: what they are shows in their numbers, all of them."""
    taken = _rows_of(work)
    found: list[Stated] = []

    def keep(rows: list[Listing], lines: list[tuple[int, int]]) -> bool:
        name = _known_array(rows, quantities)
        if name is None:
            return False
        fate = Fate.GIVEN if name in quantities.given else Fate.CLAIM
        signed = [pair for row in rows for pair in signed_numbers(row)]
        for (row, start), (_, _) in zip(lines, signed, strict=True):
            account.set(row, start, fate)
        if fate is Fate.CLAIM:
            numbers = tuple(Printed(sign * n.printed.value, n.printed.unit) for n, sign in signed)
            spots = tuple(
                Spot(n.line, row, start) for (row, start), (n, _) in zip(lines, signed, strict=True)
            )
            shape = (len(rows), len(numbers) // len(rows)) if len(rows) > 1 else (len(numbers),)
            found.append(Stated(Place(name), numbers, spots, shape, spots[0].line, name))
        return True

    for line, array in loose_arrays(gathered.lines, taken):
        places = [(line.number, number.start) for number, _ in signed_numbers(array)]
        if not keep([array], places):
            for row, start in places:
                account.set(row, start, Fate.UNPLACED)
    for rows, places in blocks_of_numbers(gathered.lines, taken):
        if keep(rows, places):
            continue
        inner = [Listing(row.items[1:]) for row in rows]
        width = len(rows[0].items)
        if keep(inner, [place for k, place in enumerate(places) if k % width]):
            # the column at the edge is what the others were made of
            edges = [Listing((row.items[0],)) for row in rows]
            fate = Fate.TERM if _known_array(edges, quantities) is not None else Fate.UNPLACED
        else:
            fate = Fate.UNPLACED
        for row, start in places:
            account.set(row, start, fate)
    return found


def _known_array(rows: list[Listing], quantities: Quantities) -> str | None:
    """The quantity whose numbers these are, all of them in their order."""
    numbers = [
        Printed(sign * n.printed.value, n.printed.unit) for row in rows for n, sign in signed_numbers(row)
    ]
    if len(numbers) < 3:
        return None
    for name, value in quantities.of_step(1).items():
        held = np.asarray(value, dtype=np.float64)
        for flat in (held.ravel(), held.T.ravel()):
            if flat.size == len(numbers) and all(
                p.stands_for(v) for p, v in zip(numbers, flat.tolist(), strict=True)
            ):
                return name
    return None


def _merged(stated: list[Stated]) -> tuple[Stated, ...]:
    """What is said twice in the same digits is one claim with two lines."""
    made: dict[tuple[object, ...], Stated] = {}
    for said in stated:
        key = (said.place, said.numbers)
        if key in made:
            made[key] = replace(made[key], also=(*made[key].also, said.line))
        else:
            made[key] = said
    return tuple(made.values())


def _once(found: list[Slip]) -> list[Slip]:
    return list(dict.fromkeys(found))
