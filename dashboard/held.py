"""Held rows of one patient: rows refused for a reason that a person can settle, found by their text."""

import csv
import re
from functools import cache

from pipelines import dictionary


def names_patient(raw: str, patient_id: str) -> bool:
    """Whether a row as received is this patient's, as far as its text can tell.

    A rejected row has no columns any more, so the id must stand alone in a cell, and an id that could as well be a number, a date
    or a single word of a result ('1', '2024', 'positive') is not looked for: a row must never be shown to the wrong patient.
    """
    if not re.search(r"[A-Za-z]", patient_id) or not re.search(r"[\d_-]", patient_id) or len(patient_id) < 5:
        return False
    return patient_id in cells(raw)


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
