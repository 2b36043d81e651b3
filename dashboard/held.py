"""Held rows of one patient: rows refused for a reason that a person can settle, found by their text."""

import csv
import re


def names_patient(raw: str, patient_id: str) -> bool:
    """Whether a row as received is this patient's, as far as its text can tell.

    A rejected row has no columns any more, so the id must stand alone in a cell, and an id that could as well be a number, a date
    or a single word of a result ('1', '2024', 'positive') is not looked for: a row must never be shown to the wrong patient.
    """
    if not re.search(r"[A-Za-z]", patient_id) or not re.search(r"[\d_-]", patient_id) or len(patient_id) < 5:
        return False
    for delimiter in ",;\t|":
        cells = next(csv.reader([raw], delimiter=delimiter), [])
        if len(cells) > 2 and patient_id in (cell.strip() for cell in cells):
            return True
    return False
