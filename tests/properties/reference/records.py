"""What the twin reads: the records of one patient as plain objects, values as intervals, and answers of three kinds."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import duckdb

from pipelines.dictionary import tables

Known = bool | None  # None: cannot be told
MET, NOT_MET, NOT_EVALUABLE = "met", "not_met", "not_evaluable"
STATUS = {True: MET, False: NOT_MET, None: NOT_EVALUABLE}


@dataclass(frozen=True)
class Answer:
    """What stands on a day: status, and the grade of graded rules."""

    status: str
    grade: int | None = None


@dataclass(frozen=True)
class Observation:
    """One row of the engine's table `observation`; `low` is None when the result is coded only."""

    set_id: int
    analyte: str
    on_date: date
    at: datetime | None
    value: Decimal | None
    low: Decimal | None
    low_open: bool
    high: Decimal | None
    high_open: bool
    coded: str | None
    unit: str | None
    ref_high: Decimal | None
    assay: str | None
    laboratory: str | None
    sample_timing: str | None
    activity: str | None
    phase: str | None
    reference_set: str | None


@dataclass(frozen=True)
class Administration:
    """One row of the engine's table `administration`; `stop_date` is the last day given."""

    record_id: int
    drug: str
    route: str | None
    systemic: bool
    dose: Decimal | None
    per: str | None
    start_date: date
    stop_date: date | None
    ongoing: bool
    last_confirmed: date | None
    action: str


@dataclass(frozen=True)
class Event:
    """One row of the engine's table `event`."""

    kind: str
    code: str
    value: str | None
    number: Decimal | None
    on_date: date
    at: datetime | None
    until_date: date | None


@dataclass(frozen=True)
class Drug:
    """One row of the drug dictionary, with the routes that act for a time of their own."""

    drug_class: str
    agent: bool
    acts_for_days: int
    dosing: str
    prednisone_factor: Decimal | None
    pjp_cover_days: int | None
    acts_by_route: dict[str, int] = field(hash=False)


@dataclass(frozen=True, eq=False)
class Patient:
    """Everything recorded of one patient, in order of date, and the dictionary it is read with."""

    patient_id: str
    first_day: date
    birth_year: int | None
    observations: list[Observation]
    administrations: list[Administration]
    events: list[Event]
    drugs: dict[str, Drug]
    device_levels: dict[str, int]
    assay_cutoffs: dict[str, Decimal]

    def results(self, analyte: str, day: date) -> list[Observation]:
        """The results of one analyte dated on or before the day."""
        return [one for one in self.observations if one.analyte == analyte and one.on_date <= day]

    def happened(self, kind: str, code: str | None, day: date) -> list[Event]:
        """The events of one kind (and code) dated on or before the day."""
        return [
            one for one in self.events if one.kind == kind and (code is None or one.code == code) and one.on_date <= day
        ]

    def drugs_recorded(self, day: date) -> bool:
        """Whether anything is known about drugs and procedures: an unrecorded one then counts as not given."""
        return any(one.start_date <= day for one in self.administrations) or bool(self.happened("procedure", None, day))


def read_patients(con: duckdb.DuckDBPyConnection) -> list[Patient]:
    """The patients of a replayed connection, from the engine's input tables; the dictionary whole, whatever rules were replayed."""
    routes: dict[str, dict[str, int]] = {}
    for row in tables.arrow_table("drug_route").to_pylist():
        routes.setdefault(row["drug"], {})[row["route"]] = row["acts_for_days"]
    drugs = {
        row["drug"]: Drug(
            row["drug_class"], bool(row["agent"]), row["acts_for_days"], row["dosing"], row["prednisone_factor"],
            row["pjp_cover_days"], routes.get(row["drug"], {}),
        )
        for row in tables.arrow_table("drug").to_pylist()
    }  # fmt: skip
    levels = {row["device"]: row["level"] for row in tables.arrow_table("oxygen_device").to_pylist()}
    cutoffs = {
        row["assay"]: row["cutoff"] for row in tables.arrow_table("assay").to_pylist() if row["cutoff"] is not None
    }
    observations = _by_patient(_rows(con, "observation"), Observation, "on_date")
    administrations = _by_patient(_rows(con, "administration"), Administration, "start_date")
    events = _by_patient(_rows(con, "event"), Event, "on_date")
    return [
        Patient(
            row["patient_id"], row["first_day"], row["birth_year"], observations.get(row["patient_id"], []),
            administrations.get(row["patient_id"], []), events.get(row["patient_id"], []), drugs, levels, cutoffs,
        )
        for row in _rows(con, "patient")
    ]  # fmt: skip


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> list[dict]:
    found = con.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _by_patient(rows: list[dict], form: type, day: str) -> dict[str, list]:
    patients: dict[str, list] = {}
    for row in sorted(rows, key=lambda row: (row[day], row["record_id"])):
        made = form(**{name: row[name] for name in form.__dataclass_fields__})
        patients.setdefault(row["patient_id"], []).append(made)
    return patients


def any_of(parts: Iterable[Known]) -> Known:
    """Met if one is met, not met if all are not met, else unknown."""
    parts = list(parts)
    if True in parts:
        return True
    return None if None in parts or not parts else False


def all_of(parts: Iterable[Known]) -> Known:
    """Not met if one is not met, met if all are met, else unknown."""
    parts = list(parts)
    if False in parts:
        return False
    return None if None in parts or not parts else True


def agreed(readings: Iterable[Known]) -> Known:
    """One answer where the choice does not matter; unknown where it does, or where there is nothing to choose."""
    different = set(readings)
    return different.pop() if len(different) == 1 else None


def worst(statuses: Iterable[Known]) -> Known:
    """The worst record of a day decides: met, then not met, then not evaluable."""
    statuses = list(statuses)
    return True if True in statuses else False if False in statuses else None


def at_least(result: Observation, threshold: int | Decimal) -> Known:
    """value >= threshold, for every value the result can mean."""
    if result.low is None:
        return None
    if result.low >= threshold:
        return True
    if result.high is not None and (result.high < threshold or (result.high == threshold and result.high_open)):
        return False
    return None


def more_than(result: Observation, threshold: int | Decimal) -> Known:
    """value > threshold, for every value the result can mean."""
    if result.low is None:
        return None
    if result.low > threshold or (result.low == threshold and result.low_open):
        return True
    return False if result.high is not None and result.high <= threshold else None


def below(result: Observation, threshold: int | Decimal) -> Known:
    """value < threshold, for every value the result can mean."""
    reached = at_least(result, threshold)
    return None if reached is None else not reached


def newest(records: Iterable) -> list:
    """The records of the newest date among them."""
    records = list(records)
    last = max((one.on_date for one in records), default=None)
    return [one for one in records if one.on_date == last]


def last_of_day(records: list) -> list:
    """Of records of one date, the last by time; all of them where a time is wanting and the last cannot be told."""
    if any(one.at is None for one in records):
        return records
    last = max((one.at for one in records), default=None)
    return [one for one in records if one.at == last]


def later(day: date, days: int) -> date:
    """The day that many days after (before, if negative)."""
    return day + timedelta(days=days)
