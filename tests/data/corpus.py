"""Small awkward tables, each with what must be found in it."""

# ruff: noqa: E501  a file a line

from __future__ import annotations

import gzip
import io
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet


@dataclass(frozen=True)
class Awkward:
    """A file: its name, its bytes; and what must be found: kinds by column, values of the first rows, words said."""

    name: str
    data: bytes
    kinds: dict[str, str]
    values: dict[str, list[Any]] = field(default_factory=dict)
    rows: int | None = None
    says: tuple[str, ...] = ()
    missing: dict[str, int] = field(default_factory=dict)
    target: str | None = None
    task: str | None = None
    suffix: str = ".csv"


def table(header: str | None, line: Callable[[int], str], rows: int = 30, end: str = "\n") -> str:
    """A header and `rows` lines."""
    return end.join(([] if header is None else [header]) + [line(k) for k in range(rows)]) + end


def u(text: str) -> bytes:
    return text.encode()


R = np.random.default_rng(5)
NUMBERS = [round(float(v), 2) for v in R.normal(50, 20, 600)]
WORDS = [("red", "green", "blue")[int(k)] for k in R.integers(0, 3, 600)]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def day(k: int) -> np.datetime64:
    """A day somewhere in some years, not in order."""
    return np.datetime64("2010-01-13") + np.timedelta64(k * 37 % 900, "D")


def ymd(k: int) -> tuple[int, int, int]:
    y, m, d = str(day(k)).split("-")
    return int(y), int(m), int(d)


def days(count: int) -> list[float]:
    return [float(day(k).astype(int)) for k in range(count)]


def comma(value: float) -> str:
    return str(value).replace(".", ",")


MONATE = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
]
MAS = [
    "জানুয়ারি",
    "ফেব্রুয়ারি",
    "মার্চ",
    "এপ্রিল",
    "মে",
    "জুন",
    "জুলাই",
    "আগস্ট",
    "সেপ্টেম্বর",
    "অক্টোবর",
    "নভেম্বর",
    "ডিসেম্বর",
]


def packed(how: str, text: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, how) as stream:
        stream.write(text.encode())
    return sink.getvalue().to_pybytes()


def written(how: str) -> bytes:
    """A typed table in a file of its kind."""
    sink = io.BytesIO()
    if how == "npz":
        np.savez(sink, X=np.array(NUMBERS[:60]).reshape(2, 30).T, c=np.array(WORDS[:30]))
        return sink.getvalue()
    truth = [None if k == 9 else k % 3 > 0 for k in range(30)]
    made = pa.table(
        {"x": NUMBERS[:30], "c": WORDS[:30], "d": pa.array(np.array([day(k) for k in range(30)])), "b": truth}
    )
    if how == "parquet":
        pyarrow.parquet.write_table(made, sink)
    elif how == "feather":
        pyarrow.feather.write_feather(made, sink)
    else:
        with pa.ipc.new_stream(sink, made.schema) as stream:
            stream.write_table(made)
    return sink.getvalue()


N, C, D = {"x": "numeric"}, {"x": "numeric", "c": "categorical"}, {"d": "date"}
XC = {"x": NUMBERS[:3]}

CORPUS = (
    Awkward("plain", u(table("x,c", lambda k: f"{NUMBERS[k]},{WORDS[k]}")), C, XC, 30),
    Awkward("semicolons and decimal commas", u(table("x;c", lambda k: f"{comma(NUMBERS[k])};{WORDS[k]}")), C, XC, 30),
    Awkward("semicolons and decimal points", u(table("x;c", lambda k: f"{NUMBERS[k]};{WORDS[k]}")), C, XC),
    Awkward("tabs in a csv", u(table("x\tc", lambda k: f"{NUMBERS[k]}\t{WORDS[k]}")), C, XC),
    Awkward("tsv", u(table("x\tc", lambda k: f"{NUMBERS[k]}\t{WORDS[k]}")), C, XC, suffix=".tsv"),
    Awkward("pipes", u(table("x|c", lambda k: f"{NUMBERS[k]}|{WORDS[k]}")), C, XC),
    Awkward("carets", u(table("x^c", lambda k: f"{NUMBERS[k]}^{WORDS[k]}")), C, XC, says=("'^'",)),
    Awkward("runs of spaces", u(table("x   c", lambda k: f"{NUMBERS[k]:<12}{WORDS[k]}")), C, XC, says=("spaces",),
            suffix=".txt"),
    Awkward("spaces before each line", u(table("  x c", lambda k: f"  {NUMBERS[k]} {WORDS[k]}")), C, XC,
            suffix=".dat"),
    Awkward("sep= of a spreadsheet", u("sep=;\n" + table("x;c", lambda k: f"{NUMBERS[k]};{WORDS[k]}")), C, XC, 30),
    Awkward("remarks first", u("# made by hand\n# in May\n" + table("x,c", lambda k: f"{NUMBERS[k]},{WORDS[k]}")),
            C, XC, 30, says=("2 lines",)),
    Awkward("a header after #", u("#" + table("x,c", lambda k: f"{NUMBERS[k]},{WORDS[k]}")), C, XC, 30),
    Awkward("no header", u(table(None, lambda k: f"{NUMBERS[k]},{WORDS[k]}")),
            {"column 1": "numeric", "column 2": "categorical"}, {"column 1": NUMBERS[:3]}, 30, ("no names",)),
    Awkward("no header, words alone", u(table(None, lambda k: f"{WORDS[k]},{WORDS[-k]}")),
            {"column 1": "categorical", "column 2": "categorical"}, rows=30),
    Awkward("years as names", u(table("country,2019,2020,2021", lambda k: f"c{k % 4},{NUMBERS[k]},{k * k % 31},5.{k}")),
            {"country": "categorical", "2019": "numeric", "2020": "numeric", "2021": "numeric"}, rows=30),
    Awkward("byte order mark", b"\xef\xbb\xbf" + u(table("x,c", lambda k: f"{NUMBERS[k]},{WORDS[k]}")), C, XC),
    Awkward("utf-16", table("x,c", lambda k: f"{NUMBERS[k]},größe {WORDS[k]}").encode("utf-16"), C, XC, 30,
            ("utf-16",)),
    Awkward("utf-16 without a mark", table("x,c", lambda k: f"{NUMBERS[k]},{WORDS[k]}").encode("utf-16-le"), C, XC),
    Awkward("latin letters", table("x;größe", lambda k: f"{NUMBERS[k]};weiß {WORDS[k]}").encode("cp1252"),
            {"x": "numeric", "größe": "categorical"}, XC, 30, ("cp1252",)),
    Awkward("carriage returns", u(table("x,c", lambda k: f"{NUMBERS[k]},{WORDS[k]}", end="\r\n")), C, XC, 30),
    Awkward("old carriage returns", u(table("x,c", lambda k: f"{NUMBERS[k]},{WORDS[k]}", end="\r")), C, XC, 30),
    Awkward("blank lines", u(table("x,c", lambda k: f"{NUMBERS[k]},{WORDS[k]}", end="\n\n")), C, XC, 30),
    Awkward("line breaks in quotes", u(table("x,c", lambda k: f'{NUMBERS[k]},"{WORDS[k]},\nsaid ""he"""')), C, XC, 30),
    Awkward("single quotes", u(table("x,c", lambda k: f"'{NUMBERS[k]}','{WORDS[k]}, or'")), C, XC, 30),
    Awkward("escaped quotes", u(table("x,c", lambda k: f'{NUMBERS[k]},"{WORDS[k]} \\"or\\", so"')), C, XC, 30),
    Awkward("a comma at the end of each line", u(table("x,c,", lambda k: f"{NUMBERS[k]},{WORDS[k]},")),
            {**C, "column 3": "empty"}, XC, 30),
    Awkward("row names of R", u(table("x c", lambda k: f'"{k + 1}" {NUMBERS[k]} {WORDS[k]}')),
            {"column 1": "identifier", **C}, XC, 30),
    Awkward("thousands", u(table("x", lambda k: f'"{1941 * (k + 3):,}"')), N, {"x": [5823, 7764, 9705]},
            says=("between thousands",)),
    Awkward("thousands and decimals", u(table("x", lambda k: f'"{1941.5 * (k + 1):,.2f}"')), N,
            {"x": [1941.5, 3883, 5824.5]}),
    Awkward("points between thousands", u(table("x;c", lambda k: f"{1941 * (k * 7 % 30 + 1):,},5;a".replace(",", ".", 1)
            if k * 7 % 30 else "1.941,5;b")), C, {"x": [1941.5]}),
    Awkward("spaces between thousands", u(table("x;c", lambda k: f"{1941 * (k * 7 % 30 + 1):,};{WORDS[k]}".replace(",", " "))),
            C, {"x": [1941, 15528, 29115]}),
    Awkward("no-break spaces", u(table("x;c", lambda k: f"{1941 * (k * 7 % 30 + 1):,};{WORDS[k]}".replace(",", "\u202f"))),
            C, {"x": [1941, 15528, 29115]}),
    Awkward("apostrophes of Switzerland", u(table("x,c", lambda k: f"{1941 * (k * 7 % 30 + 1):,}.5;{WORDS[k]}".replace(
            ",", "'").replace(";", ","))), C, {"x": [1941.5, 15528.5, 29115.5]}),
    Awkward("lakhs", u(table("x", lambda k: f'"{k * 7 % 30 + 1},23,456"')), N, {"x": [123456, 823456, 1523456]}),
    Awkward("dollars", u(table("x,c", lambda k: f"${NUMBERS[k] + 100:.2f},{WORDS[k]}")), C,
            {"x": [round(v + 100, 2) for v in NUMBERS[:3]]}),
    Awkward("euros behind", u(table("x;c", lambda k: f"{comma(NUMBERS[k])} €;{WORDS[k]}")), C, XC),
    Awkward("taka", u(table("x,c", lambda k: f"৳ {NUMBERS[k]},{WORDS[k]}")), C, XC),
    Awkward("accountants", u(table("x,c", lambda k: f"({k * 7 % 30 + 1}.5),{WORDS[k]}")), C, {"x": [-1.5, -8.5]}),
    Awkward("percent", u(table("x,c", lambda k: f"{NUMBERS[k]} %,{WORDS[k]}")), C, XC, says=()),
    Awkward("minus signs of typography", u(table("x,c", lambda k: f"\u2212{k * 7 % 30 + .5},{WORDS[k]}")), C,
            {"x": [-0.5, -7.5]}),
    Awkward("dots for missing", u(table("x,c", lambda k: f"{'.' if k % 10 == 4 else NUMBERS[k]},{WORDS[k]}")), C, XC,
            missing={"x": 3, "c": 0}),
    Awkward("many words for missing", u(table("x,c", lambda k: f"{['NA', '', 'n/a', '-', 'null', '?', 'NaN'][k]},{WORDS[k]}"
            if k < 7 else f"{NUMBERS[k]},{WORDS[k]}")), C, missing={"x": 7}),
    Awkward("yes and no", u(table("x,b", lambda k: f"{NUMBERS[k]},{'yes' if k % 3 else 'no'}")), {**N, "b": "boolean"},
            {"b": [0, 1, 1]}),
    Awkward("ja und nein", u(table("x,b", lambda k: f"{NUMBERS[k]},{'Ja' if k % 3 else 'Nein'}")),
            {**N, "b": "boolean"}, {"b": [0, 1, 1]}),
    Awkward("true and FALSE", u(table("x,b", lambda k: f"{NUMBERS[k]},{'true' if k % 3 else 'FALSE'}")),
            {**N, "b": "boolean"}, {"b": [0, 1, 1]}),
    Awkward("m and f are no truth", u(table("x,b", lambda k: f"{NUMBERS[k]},{'m' if k % 3 else 'f'}")),
            {**N, "b": "categorical"}),
    Awkward("iso dates", u(table("d", lambda k: str(day(k)))), D, {"d": days(3)}),
    Awkward("iso moments", u(table("d", lambda k: f"{day(k)}T12:00:00Z")), D, {"d": [v + 0.5 for v in days(3)]}),
    Awkward("months first", u(table("d", lambda k: "{1:02}/{2:02}/{0}".format(*ymd(k)))), D, {"d": days(3)}),
    Awkward("days first", u(table("d", lambda k: "{2:02}.{1:02}.{0}".format(*ymd(k)))), D, {"d": days(3)}),
    Awkward("slashes, days first", u(table("d", lambda k: "{2}/{1}/{0} 6:00 PM".format(*ymd(k)))), D,
            {"d": [v + 0.75 for v in days(3)]}),
    Awkward("month names", u(table("d;c", lambda k: f"{ymd(k)[2]} {MONTHS[ymd(k)[1] - 1]} {ymd(k)[0]};{WORDS[k]}")),
            {**D, "c": "categorical"}, {"d": days(3)}),
    Awkward("month names first", u(table("d;c", lambda k: f"{MONTHS[ymd(k)[1] - 1]} {ymd(k)[2]}, {ymd(k)[0]};{WORDS[k]}")),
            {**D, "c": "categorical"}, {"d": days(3)}),
    Awkward("years of two digits", u(table("d", lambda k: f"{ymd(k)[1]}/{ymd(k)[2]}/{ymd(k)[0] % 100:02}")), D,
            {"d": days(3)}, says=()),
    Awkward("compact dates", u(table("d,c", lambda k: f"{str(day(k)).replace('-', '')},{WORDS[k]}")),
            {**D, "c": "categorical"}, {"d": days(3)}),
    Awkward("times of the day", u(table("d,c", lambda k: f"{k % 24:02}:{k * 7 % 60:02},{WORDS[k]}")),
            {**D, "c": "categorical"}, {"d": [0.0, (60 + 7) / 1440]}),
    Awkward("one bad date in 500", u(table("d,x", lambda k: f"{'soon' if k == 320 else day(k)},{NUMBERS[k]}", 500)),
            {**D, **N}, {"d": days(3)}, says=("line 322", "'soon'"), missing={"d": 1}),
    Awkward("one bad number in 500", u(table("x,c", lambda k: f"{'lots' if k == 320 else NUMBERS[k]},{WORDS[k]}", 500)),
            C, XC, says=("line 322", "'lots'"), missing={"x": 1}),
    Awkward("undecided days", u("d,x\n01/02/2010,1.5\n03/04/2011,2.5\n05/06/2012,4\n07/08/2012,3\n"), {**D, **N},
            says=("day-first",)),
    Awkward("a counter", u(table("n,x", lambda k: f"{k + 1},{NUMBERS[k]}")), {"n": "identifier", **N},
            says=("counts the rows",)),
    Awkward("a counter from 1001", u(table("n,x", lambda k: f"{k + 1001},{NUMBERS[k]}")), {"n": "identifier", **N}),
    Awkward("years count no rows", u(table("year,x", lambda k: f"{k + 1990},{NUMBERS[k]}")), {"year": "numeric", **N}),
    Awkward("zero-padded numbers", u(table("n,x", lambda k: f"{k * 7 % 30 + 3:05},{NUMBERS[k]}")),
            {"n": "identifier", **N}, says=("zero-padded",)),
    Awkward("postal codes", u(table("zip,x", lambda k: f"0{2134 + k % 5},{NUMBERS[k]}")), {"zip": "categorical", **N}),
    Awkward("customer numbers", u(table("customer_id,x", lambda k: f"{k * 7919 % 100003},{NUMBERS[k]}")),
            {"customer_id": "identifier", **N}),
    Awkward("codes", u(table("ref,x", lambda k: f"AB-{k * 7919 % 10007:04},{NUMBERS[k]}")), {"ref": "identifier", **N}),
    Awkward("addresses", u(table("who,x", lambda k: f"a{k}@b{k % 3}.org,{NUMBERS[k]}")), {"who": "identifier", **N}),
    Awkward("sentences", u(table("said,x", lambda k: f"it was the number {k} of all these days,{NUMBERS[k]}")),
            {"said": "text", **N}, says=("free text",)),
    Awkward("constant and empty", u(table("a,b,x", lambda k: f"7,,{NUMBERS[k]}")),
            {"a": "constant", "b": "empty", **N}, missing={"b": 30}, says=("constant",)),
    Awkward("a huge outlier", u(table("x,c", lambda k: f"{1e9 if k == 17 else NUMBERS[k]},{WORDS[k]}")), C, XC,
            says=("1000000000", "line 19", "outlier")),
    Awkward("-999 for missing", u(table("x,c", lambda k: f"{-999 if k % 9 == 4 else NUMBERS[k]},{WORDS[k]}", 60)), C, XC,
            says=("-999", "--missing-marker")),
    Awkward("a leak", u(table("x,c,y", lambda k: f"{NUMBERS[k]},{WORDS[k]}1,{WORDS[k]}", 60)),
            {**C, "y": "categorical"}, target="y", task="multiclass", says=("'c' may be a leak",)),
    Awkward("imbalance", u(table("x,y", lambda k: f"{NUMBERS[k]},{'rare' if k % 50 == 1 else 'usual'}", 500)),
            {**N, "y": "categorical"}, target="y", task="binary", says=("imbalanced", "'rare'")),
    Awkward("whole numbers as classes", u(table("x,y", lambda k: f"{NUMBERS[k]},{k % 7}", 70)), {**N, "y": "numeric"},
            target="y", task="multiclass"),
    Awkward("whole numbers as counts", u(table("x,y", lambda k: f"{NUMBERS[k]},{R.poisson(3)}", 500)),
            {**N, "y": "numeric"}, target="y", task="regression"),
    Awkward("a target that is missing at times", u(table("x,y", lambda k: f"{NUMBERS[k]},{'' if k == 3 else WORDS[k]}")),
            {**N, "y": "categorical"}, target="y", task="multiclass", missing={"y": 1}),
    Awkward("json lines", u("\n".join(json.dumps({"x": v, "c": w, "in": {"y": 2.5 * k}}) for k, (v, w) in
            enumerate(zip(NUMBERS[:30], WORDS, strict=False)))), {**C, "in.y": "numeric"}, XC, 30, suffix=".jsonl"),
    Awkward("a list of objects", u(json.dumps([{"x": v, "c": w} for v, w in zip(NUMBERS[:30], WORDS, strict=False)])),
            C, XC, 30, suffix=".json"),
    Awkward("one column", u(table("x", lambda k: f"{NUMBERS[k]}")), N, XC, 30),
    Awkward("one column of decimal commas", u(table("x", lambda k: comma(NUMBERS[k]))), N, XC, 30),
    # -- forms that no other file has
    Awkward("latin-1, not cp1252", u("x;c\n") + "".join(f"{comma(NUMBERS[k])};\x81{WORDS[k]}\n" for k in
            range(30)).encode("latin-1"), C, XC, 30, ("latin-1",)),
    Awkward("packed by gzip", gzip.compress(u(table("x,c", lambda k: f"{NUMBERS[k]},{WORDS[k]}"))), C, XC, 30,
            suffix=".csv.gz"),
    Awkward("packed by zstd", packed("zstd", table("x;c", lambda k: f"{comma(NUMBERS[k])};{WORDS[k]}")), C, XC, 30,
            suffix=".csv.zst"),
    Awkward("packed tabs", packed("bz2", table("x\tc", lambda k: f"{NUMBERS[k]}\t{WORDS[k]}")), C, XC, 30,
            suffix=".tsv.bz2"),
    Awkward("pounds", u(table("x,c", lambda k: f"£{1000 * (k * 7 % 30 + 1) + .5},{WORDS[k]}")), C, {"x": [1000.5, 8000.5]}),
    Awkward("rupees in lakhs", u(table("x;c", lambda k: f"₹ {k * 7 % 30 + 1},23,456.50;{WORDS[k]}")), C,
            {"x": [123456.5, 823456.5]}),
    Awkward("a minus behind", u(table("x,c", lambda k: f"{k * 7 % 30 + 1}.5-,{WORDS[k]}")), C, {"x": [-1.5, -8.5]}),
    Awkward("exponents", u(table("x,c", lambda k: f"{NUMBERS[k]}e-3,{WORDS[k]}")), C,
            {"x": [round(v / 1000, 8) for v in NUMBERS[:3]]}),
    Awkward("vrai et faux", u(table("x;b", lambda k: f"{comma(NUMBERS[k])};{'vrai' if k % 3 else 'faux'}")),
            {**N, "b": "boolean"}, {"b": [0, 1, 1]}),
    Awkward("on and off", u(table("x,b", lambda k: f"{NUMBERS[k]},{'on' if k % 3 else 'off'}")), {**N, "b": "boolean"},
            {"b": [0, 1, 1]}),
    Awkward("t and f", u(table("x,b", lambda k: f"{NUMBERS[k]},{'t' if k % 3 else 'f'}")), {**N, "b": "boolean"},
            {"b": [0, 1, 1]}),
    Awkward("moments with offsets", u(table("d", lambda k: f"{day(k)}T06:00:00+06:00")), D, {"d": days(3)}),
    Awkward("quarters", u(table("d,x", lambda k: f"20{10 + k % 9}-Q{k % 4 + 1},{NUMBERS[k]}")), {**D, **N},
            {"d": [14610.0, 15065.0]}),
    Awkward("days and hours", u(table("d,x", lambda k: f"{day(k)} {k % 24:02}:30,{NUMBERS[k]}")), {**D, **N},
            {"d": [days(1)[0] + 0.5 / 24]}),
    Awkward("German months", u(table("d;x", lambda k: f"{ymd(k)[2]}. {MONATE[ymd(k)[1] - 1]} {ymd(k)[0]};{comma(NUMBERS[k])}")),
            {**D, **N}, {"d": days(3)}),
    Awkward("Bengali months", u(table("d;x", lambda k: f"{ymd(k)[2]} {MAS[ymd(k)[1] - 1]} {ymd(k)[0]};{NUMBERS[k]}")),
            {**D, **N}, {"d": days(3)}),
    Awkward("UUIDs", u(table("key,x", lambda k: f"{uuid.UUID(int=k * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)},{NUMBERS[k]}")),
            {"key": "identifier", **N}),
    Awkward("cells missing at the ends of lines", u("x,c,z\n" + "".join(f"{NUMBERS[k]},{WORDS[k]},{'' if k % 4 == 1 else k * 7 % 11}\n"
            for k in range(30))), {**C, "z": "numeric"}, XC, missing={"z": 8}),
    Awkward("an escaped header", u('"the ""x""","c, too"\n' + table(None, lambda k: f"{NUMBERS[k]},{WORDS[k]}")),
            {'the "x"': "numeric", "c, too": "categorical"}, rows=30),
    Awkward("names in Bengali", u(table("দাম,রং", lambda k: f"{NUMBERS[k]},{WORDS[k]}")), {"দাম": "numeric", "রং": "categorical"},
            {"দাম": NUMBERS[:3]}),
    Awkward("parquet", written("parquet"), {**C, **D, "b": "boolean"}, {**XC, "d": days(3)}, 30, suffix=".parquet"),
    Awkward("feather", written("feather"), {**C, **D, "b": "boolean"}, {**XC, "d": days(3)}, 30, suffix=".feather"),
    Awkward("an Arrow stream", written("stream"), {**C, **D, "b": "boolean"}, {**XC, "d": days(3)}, 30, suffix=".arrows"),
    Awkward("npz", written("npz"), {"X1": "numeric", "X2": "numeric", "c": "categorical"}, {"X1": NUMBERS[:3]}, 30,
            suffix=".npz"),
    # -- mixtures
    Awkward("a bank of the West", table("Datum;Betrag;Art", lambda k: "{2:02}.{1:02}.{0};".format(*ymd(k)) + f"{1941.5 * (k + 1):,.2f} €;"
            .replace(",", "_").replace(".", ",").replace("_", ".") + ("Überweisung" if k % 3 else "Gebühr")).encode("cp1252"),
            {"Datum": "date", "Betrag": "numeric", "Art": "categorical"}, {"Datum": days(3), "Betrag": [1941.5, 3883, 5824.5]}, 30,
            ("cp1252",)),
    Awkward("utf-16, tabs, percent, no header", table(None, lambda k: f"{NUMBERS[k]} %\t{WORDS[k]}\t{day(k)}").encode("utf-16"),
            {"column 1": "numeric", "column 2": "categorical", "column 3": "date"}, {"column 1": NUMBERS[:3], "column 3": days(3)},
            30, ("utf-16", "no names")),
    Awkward("packed, remarks, semicolons, missing words", gzip.compress(u("# from the scale\n" + table("x;b", lambda k:
            f"{'k.A.' if k == 4 else 'n/a' if k % 9 == 7 else comma(NUMBERS[k])};{'Ja' if k % 3 else 'Nein'}", 500))),
            {**N, "b": "boolean"}, XC, 500, ("1 line", "'k.A.'"), {"x": 56}, suffix=".csv.gz"),
    Awkward("quoted thousands in accounts, carriage returns", u(table("n,x,day", lambda k:
            f'{k + 1},"({1941 * (k + 3):,})","{MONTHS[ymd(k)[1] - 1]} {ymd(k)[2]}, {ymd(k)[0]}"', end="\r\n")),
            {"n": "identifier", **N, "day": "date"}, {"x": [-5823, -7764, -9705], "day": days(3)}, 30),
)  # fmt: skip
