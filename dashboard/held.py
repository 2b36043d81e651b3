"""What a held row is about, as far as its text can tell: it was refused, so it has no columns any more."""

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


@cache
def _names() -> dict[str, str]:
    """Every name of every analyte that is no plain word of two letters, in normal form."""
    return {
        dictionary.normal_name(name): analyte
        for analyte, block in dictionary.analytes().items()
        for name in (analyte, block.get("title", analyte), *block.get("synonyms", []))
        if len(name) > 2
    }
