"""What a held row is about, as far as its text can tell, and the units in which it may be read."""

import csv
from functools import cache

from pipelines import dictionary


def analyte_named(raw: str) -> str | None:
    """The analyte that a cell of the row names, if one does."""
    names = _names()
    return next((names[name] for cell in cells(raw) if (name := dictionary.normal_name(cell)) in names), None)


def cells(raw: str) -> list[str]:
    """The cells of a row as received, whichever of the usual delimiters parts it into the most."""
    parted = (next(csv.reader([raw], delimiter=delimiter), []) for delimiter in ",;\t|")
    return [cell.strip() for cell in max(parted, key=len)]


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
