"""The sentences of an audit of a page: what was read of it, its own lines, what could not be placed."""

from __future__ import annotations

PAGE: dict[str, str] = {
    "page_title": "Audit of {page} beside: {title}",
    "page_several": "Audit of {page} beside {count} cases",
    "page_beside": "Beside: {title}",
    "page_lowered_layer": "How the names were read: a lowered number on W, b, z, a and δ is the layer.",
    "page_lowered_unit": "How the names were read: a lowered number on W, b, z, a and δ is the unit.",
    "page_first": (
        "Entries are counted from {lowered} where they are lowered, and from {brackets} in brackets."
    ),
    "page_y_target": "y is the target.",
    "page_y_yhat": "y is the output of the network.",
    "page_y_a": "y is the output of the hidden layer.",
    "page_line": "line",
    "page_cell": "cell {cell}, {line}",
    "page_on_page": "on the page",
    "page_should": "it should read",
    "page_case": "the case has",
    "page_no_bias": (
        "Line {line}: {name} stands there for the sum without the bias; elsewhere the page prints it with the bias."
    ),
    "page_no_claims": "No number on this page is said to be a quantity, so there was nothing to judge.",
    "page_at": "Line {line}:",
    "page_gives": "{left} gives {gives}, not {says}.",
    "page_follow": "Lines that follow from a wrong number",
    "page_arithmetic": "Lines whose arithmetic does not hold",
    "page_differs": "Given numbers that differ from the case",
    "page_unplaced": "Numbers that could not be placed",
    "page_unplaced_line": "line {line}: {numbers}",
}

PAGE_PLURALS: dict[str, tuple[str, str]] = {
    "page_numbers": (
        "{count} number on the page belongs to a calculation.",
        "{count} numbers on the page belong to a calculation.",
    ),
    "page_fate_claim": (
        "{count} is said to be a quantity, and was judged.",
        "{count} are said to be quantities, and were judged.",
    ),
    "page_fate_given": ("{count} is given.", "{count} are given."),
    "page_fate_term": (
        "{count} stands within a calculation, which was worked out.",
        "{count} stand within calculations, which were worked out.",
    ),
    "page_fate_constant": ("{count} is part of a formula.", "{count} are parts of formulas."),
    "page_fate_unplaced": (
        "{count} could not be placed and is listed below.",
        "{count} could not be placed and are listed below.",
    ),
    "page_scale": (
        "{count} more, a number in a column that climbs by equal steps and stands in no equation (line {first} to "
        "line {last}), was taken for a mark of a scale.",
        "{count} more, numbers that climb by equal steps line by line and stand in no equation (line {first} to "
        "line {last}), were taken for the marks of a scale.",
    ),
    "page_words": (
        "{count} more, a whole number in running text or a size, was not judged.",
        "{count} more, whole numbers in running text and sizes, were not judged.",
    ),
    "page_more_lines": ("{count} more line is left out here.", "{count} more lines are left out here."),
}
