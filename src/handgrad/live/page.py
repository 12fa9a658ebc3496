"""The live sheet: one file that holds the record's program as data, and a module that evaluates trees."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from handgrad.cases.case import Case
from handgrad.live.calculation import Beginning, Calculation
from handgrad.live.models import part_of_training
from handgrad.live.trees import Plain, as_data
from handgrad.live.variants import variants
from handgrad.render.html.page import stylesheet
from handgrad.render.settings import DEFAULT_DIGITS, Settings
from handgrad.rich_repr import printable
from handgrad.version import __version__
from handgrad.worked.expressions import Expression
from handgrad.worked.forms.optimizers import STATES
from handgrad.worksheets.steps import CaseSource, ModelSource
from handgrad.worksheets.worksheet import Worksheet
from handgrad.writing.letter_parts import Notation
from handgrad.writing.letters import FUNCTIONS, LABELS, LETTERS
from handgrad.writing.messages import LIVE
from handgrad.writing.phrasebook import Phrasebook, chosen_language, languages

HERE = Path(__file__).parent
MODULES = (
    "numerals",
    "matrices",
    "functions",
    "evaluate",
    "letters",
    "typeset",
    "entries",
    "substitute",
    "variants",
    "training",
    "state",
    "judge",
    "figure",
    "curve",
    "plane",
    "drawn",
    "inputs",
    "sheet",
    "cards",
    "pictures",
    "page",
)
"""The modules of the page, each after those that it imports: together they are one module in the file."""


def live_page(
    case: Case, settings: Settings | None = None, beginning: Beginning | None = None, remark: str = ""
) -> bytes:
    """The live sheet of a case as one HTML file, UTF-8: no server, no network.

    >>> page = live_page(Case.from_dict({
    ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
    ...     "data": {"x": [[3.0]], "y": [[5.0]]},
    ... }))
    >>> page.startswith(b"<!DOCTYPE html>")
    True

    Raises SpecificationError for a case without numbers, or with more than a page can hold.
    """
    chosen = settings or Settings()
    language = chosen_language(chosen.language)
    data = page_data(case, chosen, language, beginning)
    encoded = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    safe = encoded.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    skeleton = (HERE / "page.html").read_text(encoding="utf-8")
    parts = {
        "language": language,
        "title": _escaped(data["title"]),
        "source": _escaped(data["source"]),
        "remark": _remark(remark, data["words"][language]),
        "style": f"{stylesheet()}\n{(HERE / 'page.css').read_text(encoding='utf-8')}",
        "data": safe,
        "module": module(),
        "without_script": _escaped(data["words"][language]["live_without_script"]),
        **_choices(data, language),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place.group(1)], skeleton).encode()


def live_sheet(worksheet: Worksheet) -> bytes:
    """The live sheet of a worksheet's case, with the worksheet's choices of notation, digits and language.

    Of a trained model it begins before the step that is shown, with the parameters and the optimizer's state of that
    place, and walks on with the batches that came next.

    Raises SpecificationError for rows that the reader chose.
    """
    source = worksheet.source
    if isinstance(source, CaseSource):
        return live_page(source.case, worksheet.settings)
    assert isinstance(source, ModelSource)
    part = part_of_training(source, worksheet.first)
    single = source.model.fit.plan.dtype == "float32"
    return live_page(part.case, worksheet.settings, part.beginning, "live_single" if single else "")


def _remark(key: str, words: dict[str, str]) -> str:
    """A sentence below the title; none without a key."""
    return f'<p class="note" data-say="{key}">{_escaped(words[key])}</p>\n' if key else ""


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


_IMPORT = re.compile(r"^import \{([^}]*)\} from '\./(\w+)\.js';\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:function|const|class|let) (\w+))", re.MULTILINE)
_INDENT = re.compile(r"^ +", re.MULTILINE)
_COMMENT = re.compile(r"^ *(?:/\*\*(?:[^*]|\*(?!/))*\*/|//[^\n]*)\n", re.MULTILINE)


@cache
def module() -> str:
    """The modules as one script: each in a scope of its own that hands out what it exports.

    What only the sources' readers need, comments and indents, stays there.
    """
    return "\n".join(
        _scoped(name, (HERE / "js" / f"{name}.js").read_text(encoding="utf-8")) for name in MODULES
    )


def _scoped(name: str, text: str) -> str:
    exported = [found.group(2) for found in _EXPORT.finditer(text)]
    body = _EXPORT.sub(r"\1", _IMPORT.sub(_taken, _INDENT.sub("", _COMMENT.sub("", text)))).strip()
    return f"const module_{name} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();"


def _taken(statement: re.Match[str]) -> str:
    names, module = statement.group(1).replace(" as ", ": "), statement.group(2)
    return f"const {{{names}}} = module_{module};\n"


def page_data(case: Case, settings: Settings, language: str, beginning: Beginning | None = None) -> Plain:
    """All that the page holds: the calculation, the letters, the words, the reader's choices."""
    notation = settings.notation or _notation(case)
    calculation = Calculation(case, notation.orientation, beginning)
    computed = calculation.data()
    others = variants(calculation)
    network = case.network
    digits = settings.digits if settings.digits is not None else case.rounding.digits
    pool: dict[str, int] = {}
    for program in _programs(computed, others):
        _pooled(program, pool)
    return {
        "handgrad": __version__,
        "trees": [json.loads(tree) for tree in pool],
        "title": printable(case.title) or "-".join(map(str, network.sizes)),
        "source": printable(case.source),
        "language": language,
        "calculation": computed,
        "variants": others,
        "symbols": calculation.symbols,
        "network": {
            "sizes": list(network.sizes),
            "activations": [layer.function.name for layer in network.layers],
            "loss": None if network.loss is None else network.loss.name,
            "optimizer": None if case.recipe is None else case.recipe.optimizer.name,
            "dropout": any(layer.dropout is not None for layer in network.layers),
        },
        "alphabet": alphabet(),
        "notation": {
            "layer": notation.layer,
            "names": notation.names,
            "first": notation.first,
            "decimal": notation.decimal,
            "depth": notation.depth,
        },
        "precision": {
            "decimals": DEFAULT_DIGITS if digits is None else digits,
            "significant": settings.significant,
        },
        "words": {name: _words(name) for name in languages()},
        "reasons": {name: _reasons(name, calculation) for name in languages()},
    }


def _programs(computed: Plain, others: Plain) -> Iterator[list[Plain]]:
    """The assignments of every program of the page."""
    for program in computed["programs"]:
        yield program["assignments"]
    for choices in others.values():
        for choice in choices.values():
            yield from choice["programs"].values()


def _pooled(assignments: list[Plain], pool: dict[str, int]) -> None:
    """Puts each tree and each part of one into the pool once, and its number in its place: choices share most."""

    def place(tree: Plain) -> int:
        parts = {name: reference(value) for name, value in tree.items()}
        return pool.setdefault(json.dumps(parts), len(pool))

    def reference(value: Any) -> Any:
        if isinstance(value, dict):
            return {"at": place(value)}
        return [reference(part) for part in value] if isinstance(value, list) else value

    for line in assignments:
        line["letters"] = place(line["letters"])
        if "shown" in line:
            line["shown"] = [place(tree) for tree in line["shown"]]


def _notation(case: Case) -> Notation:
    asked = case.notation
    return Notation(
        layer=asked.layer or "bracket",
        names=asked.names or "az",
        first=1 if asked.first is None else asked.first,
        orientation=asked.orientation or "column",
        depth=case.network.depth,
    )


def alphabet() -> Plain:
    """The tables of letters, as the page writes them."""
    return {
        "letters": {
            name: {
                "base": row.base,
                "hy": row.hy,
                "xyz": row.xyz,
                "capital": row.capital,
                "accent": row.accent,
                "xyz_accent": row.xyz_accent,
                "subscript": row.subscript,
                "array": row.array,
            }
            for name, row in LETTERS.items()
        },
        "states": {name: list(row) for name, row in STATES.items()},
        "labels": LABELS,
        "functions": {
            name: {"base": row.base, "subscript": row.subscript, "upright": row.upright}
            for name, row in FUNCTIONS.items()
        },
    }


def _words(language: str) -> dict[str, str]:
    """The words of the page, their places left open for the module to fill."""
    book = Phrasebook(language)
    places = {name: f"{{{name}}}" for key in LIVE for name in re.findall(r"\{(\w+)\}", LIVE[key])}
    words = {key: book.text(key, **places) for key in LIVE}
    return words | {"otherwise": book.text("otherwise")}


def _reasons(language: str, calculation: Calculation) -> Plain:
    """The sentences: each piece of text stands once, a sentence is the places of its pieces and its letters."""
    book, texts = Phrasebook(language), dict[str, int]()

    def piece(span: str | Expression) -> Any:
        if isinstance(span, str):
            return texts.setdefault(span, len(texts))
        tree = as_data(span)
        known = calculation.symbols.get(tree.get("name", ""))
        return tree["name"] if known == tree else tree

    sentences = [[piece(span) for span in book.spans(words)] for words in calculation.reasons.words]
    return {"texts": list(texts), "sentences": sentences}


def _choices(data: Plain, language: str) -> dict[str, str]:
    """The menus: what may be put in the place of the case's own functions."""
    book = Phrasebook(language)

    def named(group: str, name: str) -> str:
        if group == "ending":
            output, _, loss = name.partition("+")
            return f"{book.text(f'activation:{output}')} + {book.text(f'loss:{loss}')}"
        return book.text(f"{'activation' if group == 'hidden' else group}:{name}")

    menus = []
    for group, choices in data["variants"].items():
        options = "".join(
            f'<option value="{name}">{_escaped(named(group, name))}</option>' for name in sorted(choices)
        )
        own = f'<option value="" data-say="live_as_given">{_escaped(book.text("live_as_given"))}</option>'
        label = _escaped(book.text(f"live_swap_{group}"))
        menus.append(
            f'<label><span data-say="live_swap_{group}">{label}</span> '
            f'<select data-swap="{group}">{own}{options}</select></label>'
        )
    return {"menus": "\n".join(menus)}
