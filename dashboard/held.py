"""What a held row is about, as far as its text can tell, and the units in which it may be read."""

import csv
import re
from collections.abc import Iterable
from datetime import date
from functools import cache

from pipelines import dictionary

_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}(?!\d)")


def analyte_named(raw: str) -> str | None:
    """The analyte that a cell of the row names, if one does."""
    names = _names()
    return next((names[name] for cell in cells(raw) if (name := dictionary.normal_name(cell)) in names), None)


def cells(raw: str) -> list[str]:
    """The cells of a row as received, whichever of the usual delimiters parts it into the most."""
    parted = (next(csv.reader([raw], delimiter=delimiter), []) for delimiter in ",;\t|")
    return [cell.strip() for cell in max(parted, key=len)]


def counted(rows: list[dict], analytes: Iterable[str], as_of: date) -> int:
    """How many held rows (queries.HELD) are of some analytes, without those of later days: every day printed in them is after `as_of`."""
    return sum(row["analyte"] in analytes and not _later(row, as_of) for row in rows)


def _later(row: dict, as_of: date) -> bool:
    printed = _DAY.findall(row.get("date as printed") or row.get("row as received") or "")
    return bool(printed) and min(printed) > as_of.isoformat()


def units_of(row: dict) -> list[str]:
    """The units in which the analyte of a held row (`decisions.held_rows`) may be read, as UCUM codes; none where it has no choice."""
    row_cells = row["cells"]
    if "value" not in row_cells or not {"analyte", "measure", "code"} & row_cells.keys():
        return []
    by_code = {code["code"]: analyte for analyte, block in dictionary.analytes().items() for code in block["loinc"]}
    printed = dictionary.normal_name(row_cells.get("analyte") or row_cells.get("measure") or "")
    analyte = _names().get(printed) or by_code.get(row_cells.get("code", "").strip())
    block = dictionary.analytes().get(analyte)
    if not block or not block["unit"]:
        return []
    return [block["unit"], *block["units"], *(factor["unit"] for factor in block["factors"])]


@cache
def _names() -> dict[str, str]:
    """Every name of every analyte that is no plain word of two letters, in normal form."""
    return {
        dictionary.normal_name(name): analyte
        for analyte, block in dictionary.analytes().items()
        for name in (analyte, block.get("title", analyte), *block.get("synonyms", []))
        if len(name) > 2
    }
