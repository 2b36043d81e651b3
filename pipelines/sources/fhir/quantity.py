"""Values and units of FHIR: value[x] as the text of a native cell, quantities with their unit, reference ranges.

A unit is the UCUM code where the system is UCUM, else as printed. Where code and printed unit are both known for the analyte and
convert differently, both are given as they stand ('mg/L (ng/mL)'), so that ingest holds the row.
"""

import functools
from decimal import Decimal, InvalidOperation

from pipelines import dictionary
from pipelines.dictionary.tables import arrow_table
from pipelines.sources.fhir.elements import (
    UCUM,
    Unreadable,
    choice,
    codings,
    invalid,
    local_columns,
    many,
    number,
    one,
    text,
)

NOT_READ = ("Range", "Ratio", "SampledData", "Time", "DateTime", "Period", "Attachment", "Reference")
READ = ("Quantity", "CodeableConcept", "String", "Boolean", "Integer")
# Coded answers that are read without their display: SNOMED CT and LOINC answer codes, from general knowledge (not verified).
ANSWERS = {
    "10828004": "positive", "260385009": "negative", "260373001": "positive", "260415000": "negative",
    "LA6576-8": "positive", "LA6577-6": "negative", "POS": "positive", "NEG": "negative", "82334004": "indeterminate",
}  # fmt: skip
# The units of the native oxygen columns.
OXYGEN_UNITS = {"oxygen_flow": "L/min", "spo2": "%", "respiratory_rate": "/min", "pao2": "mm[Hg]", "paco2": "mm[Hg]"}


def value(holder: dict, analyte: str | None) -> tuple[str | None, str | None]:
    """(value, unit) of value[x]; (None, None) when there is none. Raises Unreadable for a type that is no single value."""
    kind, given = choice(holder, "value")
    if not kind:
        return None, None
    if kind in NOT_READ:
        raise Unreadable("value_type_unread", f"value{kind}")
    if kind not in READ:
        raise invalid(f"value{kind}")
    if kind == "Quantity":
        return quantity(one(holder, "valueQuantity"), analyte)
    if kind == "CodeableConcept":
        return _answer(one(holder, "valueCodeableConcept")), None
    if kind == "Boolean":
        if not isinstance(given, bool):
            raise invalid("valueBoolean")
        return str(given).lower(), None
    return (number if kind == "Integer" else text)(holder, f"value{kind}"), None


def quantity(given: dict, analyte: str | None) -> tuple[str | None, str | None]:
    """(value with its comparator, unit) of a Quantity."""
    digits, comparator = number(given, "value"), text(given, "comparator") or ""
    printed = local_columns(given).get("value") if "extension" in given else None
    if "units" in given:  # before DSTU2
        raise Unreadable("resource_not_r4", "units")
    return printed or (f"{comparator}{digits}" if digits is not None else None), unit(given, analyte)


def unit(given: dict, analyte: str | None) -> str | None:
    """The unit of a Quantity."""
    printed, code = text(given, "unit"), text(given, "code") if text(given, "system") in UCUM else None
    if printed is None or code is None or printed == code:
        return code or printed
    factors = _factors().get(analyte, {})
    by_code, by_print = factors.get(dictionary.normal_unit(code)), factors.get(dictionary.normal_unit(printed))
    return f"{printed} ({code})" if by_code and by_print and by_code != by_print else code


@functools.cache
def _factors() -> dict[str, dict[str, tuple[Decimal, Decimal]]]:
    """analyte -> normalised unit -> what it is multiplied by, and what is added."""
    found: dict[str, dict[str, tuple]] = {}
    for row in arrow_table("unit_factor").to_pylist():
        canonical = dictionary.analytes()[row["analyte"]]["unit"]  # None: every unit is one of its own
        found.setdefault(row["analyte"], {})[row["unit"]] = (row["factor"], row["offset"], canonical or row["ucum"])
    return found


def _answer(concept: dict) -> str | None:
    """A coded result as printed; where a code says another thing than the text, both, so that ingest refuses it."""
    given, said = codings(concept), text(concept, "text")
    words = {ANSWERS[code] for _, code, _ in given if code in ANSWERS}
    printed = said or next((display for _, _, display in given if display), None)
    if len(words) == 1:
        word = words.pop()
        plain = dictionary.normal_name(printed or word)
        contradicts = plain.split(" ")[0] in {"positive", "negative", "indeterminate", "detected", "not"} - {
            word
        } and not (
            (plain.startswith("detected") and word == "positive")
            or (plain.startswith("not detected") and word == "negative")
        )
        return f"{printed} ({word})" if contradicts else (said or word)
    return printed or next((code for _, code, _ in given if code), None)


def oxygen_cell(analyte: str, printed: str | None, unit_printed: str | None) -> str | None:
    """A value as its native oxygen column holds it: in the column's unit, PaO2 and PaCO2 also from kPa. None when the unit is
    another or is not printed: ingest then judges it as a result of its own."""
    if printed is None or analyte == "oxygen_device" or (unit_printed is None and not _is_number(printed)):
        return printed
    plain = dictionary.normal_unit(unit_printed or "")
    if analyte == "fio2":
        fraction = _is_number(printed) and Decimal(printed) <= 1
        return printed if plain in _spellings("1" if fraction else "%") else None
    if plain in _spellings(OXYGEN_UNITS[analyte]):
        return printed
    factor = _factors().get(analyte, {}).get(plain)
    digits = printed.lstrip("<>=")
    if not factor or analyte not in ("pao2", "paco2") or not _is_number(digits):
        return None
    try:
        converted = (Decimal(digits) * factor[0]).quantize(Decimal("1.000000"))
    except InvalidOperation:
        return None
    return f"{printed[: len(printed) - len(digits)]}{converted.normalize():f}"


def _is_number(printed: str) -> bool:
    try:
        return Decimal(printed).is_finite()
    except InvalidOperation:
        return False


@functools.cache
def _spellings(code: str) -> frozenset[str]:
    return frozenset(dictionary.normal_unit(unit) for unit in (code, *dictionary.unit_spellings()[code]))


def reference_range(holder: dict, unit_printed: str | None) -> tuple[str | None, str | None, bool]:
    """(low, high, whether a range was left out): the one range that is not for a certain group of people or another unit."""
    ranges = many(holder, "referenceRange")
    if not ranges:
        return None, None, False
    usual = [
        r for r in ranges
        if "appliesTo" not in r and {code for _, code, _ in codings(one(r, "type"))} <= {"normal", "recommended"}
    ]  # fmt: skip
    if len(usual) != 1 or "meaning" in usual[0]:
        return None, None, True
    low, high = one(usual[0], "low"), one(usual[0], "high")
    units = {dictionary.normal_unit(found) for end in (low, high) if (found := unit(end, None))}
    if units - {dictionary.normal_unit(unit_printed or "")} and units - _units_of(holder):
        return None, None, True
    return number(low, "value"), number(high, "value"), not (low or high)


def _units_of(holder: dict) -> set[str]:
    given = one(holder, "valueQuantity") if isinstance(holder.get("valueQuantity"), dict) else {}
    return {dictionary.normal_unit(found) for name in ("unit", "code") if (found := text(given, name))}
