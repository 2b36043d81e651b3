"""Blood gases and oxygen: which results of an OBR group are one oxygen row.

Those that share a time, a status and an issue time, as long as each analyte occurs once among them; where one occurs twice, nothing
says what belongs together and each is a row of its own. A result printed in the unit of its column goes there; PaO2 and PaCO2 in
kPa are converted with the dictionary's factor, to stay in their set; any other unit, or none, makes it a labs row, where ingest judges the
unit. record_id: the one that all members have, else OBR-3|oxygen|time.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from pipelines import dictionary
from pipelines.dictionary.units import conversion
from pipelines.sources import kinds
from pipelines.sources.hl7v2.result import Result
from pipelines.sources.hl7v2.rows import Row

# The units of the native oxygen columns.
OXYGEN_UNITS = {
    "oxygen_flow": "L/min", "spo2": "%", "respiratory_rate": "/min", "pao2": "mm[Hg]", "paco2": "mm[Hg]", "oxygen_device": "",
}  # fmt: skip


def oxygen_rows(gases: list[Result], patient: str | None, combine: bool, odd: Counter[str]) -> Iterator[Row]:
    """The rows of the oxygen results of a group."""
    moments: dict[tuple[str, str, str], list[tuple[Result, str]]] = {}
    for result in gases:
        cell = _oxygen_cell(result, odd)
        if cell is None:
            yield result.lab_row(patient, "")
        elif result.fault or not combine:
            yield _oxygen_row([(result, cell)], patient)
        else:
            moments.setdefault((result.at, result.status, result.reported_at), []).append((result, cell))
    for members in moments.values():
        if len({result.observed.analyte for result, _ in members}) == len(members):
            yield _oxygen_row(members, patient)
        else:
            odd["sets of oxygen results hold a measurement twice: each result is a row of its own"] += 1
            yield from (_oxygen_row([member], patient) for member in members)


def _oxygen_row(members: list[tuple[Result, str]], patient: str | None) -> Row:
    first = members[0][0]
    columns = first.versioned(patient)
    ids = {result.record_id for result, _ in members}
    if len(ids) > 1:
        start = first.derived.partition("|")[0]
        columns["record_id"] = f"{start}|oxygen|{first.at}" if start and all(r.derived for r, _ in members) else ""
    for result, cell in members:
        columns |= {kinds.OXYGEN[result.observed.analyte]: cell} | result.extra
    place = first.place
    if len(members) > 1:
        place = f"{place[:-1]} and {len(members) - 1} more of its group)"
    return Row("oxygen", place, "\n".join(result.raw for result, _ in members), columns, first.fault)


def _oxygen_cell(result: Result, odd: Counter[str]) -> str | None:
    """The value as its native column holds it; None when its unit is another, or not printed."""
    analyte, unit = result.observed.analyte, dictionary.normal_unit(result.unit)
    if analyte not in kinds.OXYGEN:
        return None
    if not result.value or analyte == "oxygen_device":
        return result.value
    if analyte == "fio2":
        return _fio2(result.value, unit)
    if unit == "kpa" and analyte in ("pao2", "paco2"):
        return _in_mmhg(result.value, odd)
    column_unit = OXYGEN_UNITS[analyte]
    spellings = (column_unit, *dictionary.unit_spellings()[column_unit])
    return result.value if unit in map(dictionary.normal_unit, spellings) else None


def _fio2(value: str, unit: str) -> str | None:
    """The column takes a fraction or a percentage, and tells them by their size: the unit has to agree."""
    try:
        is_fraction = float(value) <= 1
    except ValueError:
        return value if unit else None
    spellings = ("1", *dictionary.unit_spellings()["1"]) if is_fraction else ("%", *dictionary.unit_spellings()["%"])
    return value if unit in map(dictionary.normal_unit, spellings) else None


def _in_mmhg(value: str, odd: Counter[str]) -> str | None:
    number = value.lstrip("<>=")
    try:
        factor, _ = conversion("kPa", "mm[Hg]")
        converted = (Decimal(number) * factor).quantize(Decimal("1.000000"))
    except InvalidOperation:
        return None
    odd["blood gases in kPa were converted to mm[Hg], to stay in their set"] += 1
    return f"{value[: len(value) - len(number)]}{converted.normalize():f}"
