"""Infection under immunosuppression: how much acts, what is open, and what was tested before a drug was started."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache

from tests.properties.reference.records import (
    NOT_EVALUABLE,
    NOT_MET,
    STATUS,
    Answer,
    Known,
    Observation,
    Patient,
    all_of,
    any_of,
    below,
    later,
    newest,
    worst,
)
from tests.properties.reference.treatments import acts, classes_acting, given_rows, in_pulses, prednisone_on

INFECTION_OPEN_DAYS = 28
COUNT_DAYS = 14
LIMITS = {"wbc": Decimal("3.0"), "neutrophils": Decimal("1.5")}
NEEDS_HBV_SCREEN = {"rituximab", "jak_inhibitor", "cyclophosphamide"}
NEEDS_TB_SCREEN = {"rituximab", "jak_inhibitor", "tnf_inhibitor"}


@cache
def infection_open(patient: Patient, day: date) -> Known:
    """Whether an infection is open on a day: any of those recorded by then; unknown when none ever was."""
    found: dict[tuple[str | None, str | None], list[tuple[date, date | None]]] = {}
    recorded = patient.happened("infection", None, day)
    for moment in {(one.on_date, one.at) for one in recorded}:
        rows = [one for one in recorded if (one.on_date, one.at) == moment]
        site = max((one.value for one in rows if one.code == "site"), default=None)
        last_days = {
            one.value: [one.until_date, *(other.until_date for other in rows if other.code != "organism")]
            for one in rows
            if one.code == "organism"
        }
        for organism, ends in (last_days or {None: [one.until_date for one in rows]}).items():
            known = [end for end in ends if end and end <= day]
            found.setdefault((organism, site), []).append((moment[0], max(known, default=None)))
    return any_of(_still_open(records, day) for records in found.values())


def _still_open(records: list[tuple[date, date | None]], day: date) -> Known:
    """One infection: to its recorded last day, else for 28 days after its last record, then unknown."""
    last_record = max(on_date for on_date, _ in records)
    last_day = max((end for _, end in records if end), default=None)
    if last_day and last_day >= last_record:
        return day <= last_day
    return True if day <= later(last_record, INFECTION_OPEN_DAYS) else None


def active_infection(patient: Patient, day: date) -> dict[str | None, Answer]:
    """An infection is open while two immunosuppressants act."""
    if not patient.drugs_recorded(day):
        return {None: Answer(NOT_EVALUABLE)}
    return {None: Answer(STATUS[all_of([infection_open(patient, day), len(classes_acting(patient, day)) >= 2])])}


def intense_immunosuppression(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Three agents, or two with 20 mg/day prednisone equivalent; the grade is how many act."""
    if not patient.drugs_recorded(day):
        return {None: Answer(NOT_EVALUABLE)}
    agents = len(classes_acting(patient, day))
    dose = prednisone_on(patient, day)
    high = True if dose.known >= 20 else None if dose.unknown else False
    return {None: Answer(STATUS[any_of([agents >= 3, all_of([agents >= 2, high])])], agents)}


def _screen_missing(
    patient: Patient, day: date, classes: set[str], tested: Callable[[Patient, date], bool]
) -> dict[str | None, Answer]:
    """Per drug once given: it acts and its test has no result by now, so had none at its start either."""
    answers: dict[str | None, Answer] = {}
    for row in given_rows(patient):
        if patient.drugs[row.drug].drug_class in classes and row.systemic and row.start_date <= day:
            acting = any(acts(patient, other, day) for other in given_rows(patient) if other.drug == row.drug)
            answers[row.drug] = Answer(STATUS[acting and not tested(patient, day)])
    return answers or {None: Answer(NOT_MET if patient.drugs_recorded(day) else NOT_EVALUABLE)}


def hbv_screen_missing(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Both HBsAg and anti-HBc are asked for."""

    def tested(patient: Patient, day: date) -> bool:
        return bool(patient.results("hbsag", day)) and bool(patient.results("anti_hbc", day))

    return _screen_missing(patient, day, NEEDS_HBV_SCREEN, tested)


def tb_screen_missing(patient: Patient, day: date) -> dict[str | None, Answer]:
    """IGRA or skin test: one analyte."""
    return _screen_missing(patient, day, NEEDS_TB_SCREEN, lambda patient, day: bool(patient.results("igra", day)))


def cyclophosphamide_hold(patient: Patient, day: date) -> dict[str | None, Answer]:
    """On the newest day of a pulse given or ordered: low counts of the past 14 days, or an open infection."""
    if not patient.drugs_recorded(day):
        return {None: Answer(NOT_EVALUABLE)}
    pulses = [
        row.start_date
        for row in patient.administrations
        if row.drug == "cyclophosphamide" and row.action != "not_given" and row.systemic and in_pulses(patient, row)
        and row.start_date <= day
    ]  # fmt: skip
    if not pulses:
        return {None: Answer(NOT_MET)}
    pulse = max(pulses)
    low_counts = [_low(patient.results(cells, pulse), pulse, limit) for cells, limit in LIMITS.items()]
    return {None: Answer(STATUS[any_of([*low_counts, infection_open(patient, pulse)])])}


def _low(counts: list[Observation], pulse: date, limit: Decimal) -> Known:
    """Whether the latest count of the past 14 days is below a limit; the worst of its day."""
    recent = [one for one in counts if one.on_date >= later(pulse, -COUNT_DAYS)]
    return worst(below(one, limit) for one in newest(recent))
