"""The timeline of treatments, a day at a time: what was given, at which dose, what acts, and when the clocks started."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from tests.properties.reference.records import Administration, Known, Patient, later

PULSE_MG = 250  # prednisone equivalent a day from which a dose is a pulse
GAP_DAYS = 3
ANEW_AFTER_DAYS = 90
PARTNERS = {"cni", "cyclophosphamide", "mycophenolate", "rituximab", "jak_inhibitor"}
CLOCKS = ("combination", "triple")


@dataclass(frozen=True)
class Dose:
    """The known part of a day's dose, and whether some of it cannot be read."""

    known: Decimal
    unknown: bool


def in_pulses(patient: Patient, row: Administration) -> bool:
    """A drug given in single pulses; cyclophosphamide by mouth is taken daily."""
    drug = patient.drugs[row.drug]
    return drug.dosing == "pulse" and drug.acts_by_route.get(row.route) != 1


def per_day(patient: Patient, row: Administration, day: date) -> Decimal | None:
    """The dose on a day of the row; per dose over several days does not say how often, but on the first day one dose is known."""
    if row.dose is None:
        return None
    if row.per == "day":
        return row.dose
    if row.per == "week":
        return row.dose / 7
    return row.dose if is_single(patient, row, day) else None


def is_single(patient: Patient, row: Administration, day: date) -> bool:
    """One dose on the day, as far as known on it, not a day of daily dosing."""
    first = not is_open(patient, row) and day == row.start_date
    return first and (row.per in (None, "dose") or in_pulses(patient, row))


def is_one_dose(row: Administration) -> bool:
    """An empty stop without ongoing is one dose, not daily dosing."""
    return row.stop_date is None and not row.ongoing


def is_open(patient: Patient, row: Administration) -> bool:
    """Ongoing with no recorded stop; pulse drugs are never ongoing."""
    return row.ongoing and row.stop_date is None and not in_pulses(patient, row)


def is_glucocorticoid(patient: Patient, row: Administration) -> bool:
    return row.systemic and patient.drugs[row.drug].drug_class == "glucocorticoid"


def is_pulse(patient: Patient, row: Administration) -> bool:
    """A glucocorticoid dose of 250 mg/day prednisone equivalent or more; of a row per dose with a known end each dose is such a day."""
    dose = per_day(patient, row, row.start_date)
    factor = patient.drugs[row.drug].prednisone_factor
    return is_glucocorticoid(patient, row) and dose is not None and dose * factor >= PULSE_MG


def ends(patient: Patient, newer: Administration, older: Administration) -> bool:
    """Whether a row ends an earlier open one on its start."""
    if newer.start_date <= older.start_date or newer.systemic != older.systemic:
        return False
    if is_pulse(patient, newer) or is_one_dose(newer):
        return False
    if newer.drug == older.drug:
        return True
    glucocorticoids = is_glucocorticoid(patient, newer) and is_glucocorticoid(patient, older)
    return glucocorticoids and not is_pulse(patient, older)


def given_rows(patient: Patient) -> list[Administration]:
    """Orders are never given doses."""
    return [row for row in patient.administrations if row.action == "given"]


@cache
def ended_by(patient: Patient, row: Administration) -> date | None:
    """The first day on which an open row is over because a later row replaced it."""
    return min((other.start_date for other in given_rows(patient) if ends(patient, other, row)), default=None)


def last_given(patient: Patient, row: Administration, day: date) -> date | None:
    """The last day up to `day` on which the row was given; None: not yet started."""
    if row.start_date > day:
        return None
    if not is_open(patient, row):
        return min(row.stop_date or row.start_date, day)
    replaced = ended_by(patient, row)
    return day if replaced is None or replaced > day else later(replaced, -1)


def is_given(patient: Patient, row: Administration, day: date) -> bool:
    return last_given(patient, row, day) == day


@cache
def dose_on(patient: Patient, drug: str, day: date, pulses: bool) -> Dose | None:
    """The systemic dose of one drug on a day as given, pulses apart; None: not given.

    Single doses of a day add up; of overlapping rows the higher dose counts.
    """
    rows = [
        row
        for row in given_rows(patient)
        if row.drug == drug and row.systemic and is_given(patient, row, day) and is_pulse(patient, row) == pulses
    ]
    if not rows:
        return None
    doses = [(per_day(patient, row, day), is_single(patient, row, day)) for row in rows]
    singles = sum((dose for dose, single in doses if single and dose is not None), Decimal(0))
    known = max([singles, *(dose for dose, single in doses if not single and dose is not None)])
    return Dose(known, any(dose is None for dose, _ in doses))


@cache
def dose_filled(patient: Patient, drug: str, day: date, known_on: date) -> Dose | None:
    """Like dose_on without pulses, with the days of a gap of up to 3 at the earlier dose once the later row has started."""
    given = dose_on(patient, drug, day, pulses=False)
    if given or patient.drugs[drug].dosing != "daily":
        return given
    for before in range(1, GAP_DAYS + 1):
        earlier = dose_on(patient, drug, later(day, -before), pulses=False)
        if not earlier:
            continue
        for after in range(1, GAP_DAYS + 2 - before):
            resumed = later(day, after)
            if resumed <= known_on and dose_on(patient, drug, resumed, pulses=False):
                return earlier
        return None
    return None


@cache
def prednisone_on(patient: Patient, day: date, known_on: date | None = None) -> Dose:
    """mg/day of systemic glucocorticoid as prednisone: as given, or, seen from `known_on`, with gaps filled."""
    known, unknown = Decimal(0), False
    for drug in {row.drug for row in given_rows(patient) if is_glucocorticoid(patient, row)}:
        base = (
            dose_on(patient, drug, day, pulses=False) if known_on is None else dose_filled(patient, drug, day, known_on)
        )
        for part in (base, dose_on(patient, drug, day, pulses=True)):
            if part:
                known += part.known * patient.drugs[drug].prednisone_factor
                unknown = unknown or part.unknown
    return Dose(known, unknown)


def acts_for(patient: Patient, row: Administration) -> int:
    drug = patient.drugs[row.drug]
    return drug.acts_by_route.get(row.route, drug.acts_for_days)


def acts(patient: Patient, row: Administration, day: date) -> bool:
    """A dose on day D acts on [D, D + acts_for_days)."""
    last = last_given(patient, row, day)
    return row.systemic and last is not None and day < later(last, acts_for(patient, row))


@cache
def classes_acting(patient: Patient, day: date) -> frozenset[str]:
    """The classes of the agents that act on a day."""
    return frozenset(
        patient.drugs[row.drug].drug_class
        for row in given_rows(patient)
        if patient.drugs[row.drug].agent and acts(patient, row, day)
    )


def classes_filled(patient: Patient, day: date, known_on: date) -> frozenset[str]:
    """The same seen from a later day: gaps of up to 3 days do not break a run."""
    return classes_acting(patient, day) | {
        patient.drugs[row.drug].drug_class
        for row in given_rows(patient)
        if row.systemic and patient.drugs[row.drug].agent and dose_filled(patient, row.drug, day, known_on)
    }


def days_from(first: date, last: date) -> list[date]:
    return [later(first, days) for days in range((last - first).days + 1)]


def diagnosed(patient: Patient, code: str, day: date) -> date | None:
    """The first day a diagnosis was recorded as present, as known on a day."""
    return min((one.on_date for one in patient.happened("diagnosis", code, day) if one.value != "absent"), default=None)


def rp_ild(patient: Patient, day: date) -> Known:
    """RP-ILD recorded as present, else as absent; unknown until an event says one of them."""
    if diagnosed(patient, "rp_ild", day):
        return True
    return False if patient.happened("diagnosis", "rp_ild", day) else None


def index_date(patient: Patient, day: date) -> date:
    """RP-ILD recorded, else ILD recorded, else the first record, as known on a day."""
    return diagnosed(patient, "rp_ild", day) or diagnosed(patient, "ild", day) or patient.first_day


def combination_acts(classes: frozenset[str]) -> bool:
    return "glucocorticoid" in classes and bool(classes & PARTNERS)


def triple_acts(classes: frozenset[str]) -> bool:
    return classes >= {"glucocorticoid", "cni", "cyclophosphamide"}


REGIMEN: dict[str, Callable[[frozenset[str]], bool]] = {"combination": combination_acts, "triple": triple_acts}


@cache
def clock_start(patient: Patient, clock: str, day: date) -> date | None:
    """Day 0 of a clock as known on a day; None: not started. More than 90 days without the regimen start it anew."""
    start = last = None
    for one in days_from(index_date(patient, day), day):
        if REGIMEN[clock](classes_acting(patient, one)):
            if last is None or (one - last).days - 1 > ANEW_AFTER_DAYS:
                start = one
            last = one
    return start


@cache
def clock_ever_started(patient: Patient, clock: str, day: date) -> bool:
    """Whether the clock had started as known on this or any earlier day: it then has an answer of its own."""
    return any(clock_start(patient, clock, one) for one in days_from(patient.first_day, day))


@cache
def is_high_dose(patient: Patient, day: date) -> Known:
    """>= 0.5 mg/kg/day prednisone equivalent, or > 30 mg/day with no weight; the newest weight by that day, event or result."""
    dose = prednisone_on(patient, day)
    weights = [
        (one.on_date, one.number) for one in patient.happened("measure", "weight_kg", day) if one.number is not None
    ]
    weights += [(one.on_date, one.value) for one in patient.results("weight", day) if one.value is not None]
    newest_on = max((on_date for on_date, _ in weights), default=None)
    lightest = min((kg for on_date, kg in weights if on_date == newest_on), default=None)
    high = 2 * dose.known >= lightest if weights else dose.known > 30
    return True if high else None if dose.unknown else False
