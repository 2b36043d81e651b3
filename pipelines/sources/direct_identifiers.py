"""Columns that identify a person directly: they are dropped at the door, and the load says what was dropped."""

import re
from collections import Counter
from collections.abc import Iterable

DROPPED = "[dropped]"
# What is dropped, and the names of columns that hold it, as compared: lower case, blanks and hyphens as underscores.
COLUMNS = {
    "names": r"(patient_?|family_?|given_?|first_?|last_?|middle_?|maiden_?|full_?|mothers?_?)name|sur_?name|nom|prenom|nachname|vorname|"
    r"(patient_)?initials|氏名|患者名|name",
    "birth dates": r"dob|(date_of_)?birth(_?date|_?day)?|birth_?date|geburtsdatum|geb(_?(datum|dat|tag))?|geburtstag|geboren(_am)?|"
    r"date_naissance|ne_le|date_de_naissance|fecha_de_nacimiento|生年月日",
    "addresses": r"(home_?|street_?|postal_?)?address(_line)?(_?\d)?|street|zip(_?code)?|post(al)?_?code|plz|city|town|adresse|住所",
    "telephone numbers and mail addresses": r"(home_|mobile_|cell_|work_)?(tele)?phone(_number)?|mobile|tel|fax|電話番号|"
    r"e_?mail(_address)?",
    "identity numbers": r"ssn|social_security(_number)?|nhs_?(number|no)|national_?id|passport(_number)?|insurance_?(number|no|id)|nir",
}
IDENTIFYING = [(what, re.compile(pattern)) for what, pattern in COLUMNS.items()]


def identifying(column: str) -> str | None:
    """What kind of direct identifier a column holds, by its name in normal form; None for any other column."""
    column = "_".join(column.replace(".", " ").replace("_", " ").split())
    return next((what for what, pattern in IDENTIFYING if pattern.fullmatch(column)), None)


def dropped_note(found: Iterable[str]) -> str:
    """The sentence of a load: what was dropped, and in how many columns."""
    counted = Counter(found)
    return "dropped at the door: " + ", ".join(
        f"{what} ({number} column{'s' * (number > 1)})" for what, number in counted.items()
    )
