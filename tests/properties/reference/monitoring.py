"""Watching treatment: levels in their range, exchanges after rituximab, tests that are overdue."""

from datetime import date, timedelta
from decimal import Decimal

from tests.properties.reference.records import (
    MET,
    NOT_EVALUABLE,
    NOT_MET,
    STATUS,
    Answer,
    Known,
    Observation,
    Patient,
    agreed,
    any_of,
    below,
    later,
    more_than,
    newest,
    worst,
)
from tests.properties.reference.treatments import (
    clock_start,
    days_from,
    dose_filled,
    dose_on,
    given_rows,
    index_date,
    is_given,
)

LEVELS = {"tacrolimus": "tacrolimus_level", "ciclosporin": "ciclosporin_level"}
FIRST_DAYS = 90
TACROLIMUS_FIRST, TACROLIMUS_LATER = (10, 15), (5, 10)
CICLOSPORIN = {"C2": (800, 1200), "C0": (100, 150), "trough": (100, 150)}

EXCHANGE_WINDOW, HALF_REMOVED_BY = 14, 3

INDUCTION, MONTH_6, YEAR_1 = 28, 183, 365
WEEKLY = ("ferritin", "crp", "ldh", "blood_count", "creatinine")
FORTNIGHTLY = ("kl6", "cmv_pcr")
RESULTS = {
    "blood_count": ("wbc", "neutrophils", "lymphocytes"),
    "cmv_pcr": ("cmv_dna", "cmv_dna_copies", "cmv_dna_qualitative", "cmv_pp65"),
    "lung_function": ("fvc", "fvc_percent"),
}


def cni_level_out_of_range(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Per drug once given or measured: the levels of the newest day against the range of that day."""
    answers: dict[str | None, Answer] = {}
    for drug, analyte in LEVELS.items():
        levels = newest(patient.results(analyte, day))
        given = any(dose_on(patient, drug, one, pulses=False) for one in days_from(patient.first_day, day))
        if levels:
            answers[drug] = Answer(STATUS[worst(out_of_range(patient, drug, one) for one in levels)])
        elif given:
            answers[drug] = Answer(NOT_EVALUABLE)
    return answers or {None: Answer(NOT_MET if patient.drugs_recorded(day) else NOT_EVALUABLE)}


def out_of_range(patient: Patient, drug: str, level: Observation) -> Known:
    """Whether one level is outside; where the start of tacrolimus is not known, what both ranges agree on."""
    if drug == "ciclosporin":
        limits = CICLOSPORIN.get(level.sample_timing)
        return None if limits is None else outside(level, *limits)
    if level.sample_timing not in (None, "C0", "trough"):
        return None
    start = last_start(patient, drug, level.on_date)
    if start is None:
        return agreed(outside(level, *limits) for limits in (TACROLIMUS_FIRST, TACROLIMUS_LATER))
    return outside(level, *(TACROLIMUS_FIRST if (level.on_date - start).days < FIRST_DAYS else TACROLIMUS_LATER))


def outside(level: Observation, low: int | Decimal, high: int | Decimal) -> Known:
    return any_of([below(level, low), more_than(level, high)])


def last_start(patient: Patient, drug: str, day: date) -> date | None:
    """The last day by now on which the drug was given and had not been the day before, gaps of up to 3 days apart."""
    starts = [
        one
        for one in days_from(patient.first_day, day)
        if dose_on(patient, drug, one, pulses=False) and dose_filled(patient, drug, later(one, -1), day) is None
    ]
    return max(starts, default=None)


def exchange_after_rituximab(patient: Patient, day: date) -> dict[str | None, Answer]:
    """The last session came less than 14 days after rituximab, until the window ends; grade 2 within 3 days."""
    if not patient.drugs_recorded(day):
        return {None: Answer(NOT_EVALUABLE)}
    exchanged = max((one.on_date for one in patient.happened("procedure", "plasma_exchange", day)), default=None)
    if exchanged is None:
        return {None: Answer(NOT_MET)}
    rows = [row for row in given_rows(patient) if row.drug == "rituximab"]
    for days in range(EXCHANGE_WINDOW):
        infused = exchanged - timedelta(days)
        if any(is_given(patient, row, infused) for row in rows):
            if day >= later(infused, EXCHANGE_WINDOW):
                return {None: Answer(NOT_MET)}
            return {None: Answer(MET, 2 if days <= HALF_REMOVED_BY else 1)}
    return {None: Answer(NOT_MET)}


def overdue_tests(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Per test: no result between the last one (or the clock's start) and the day it was due."""
    start = clock_start(patient, "combination", day)
    answers: dict[str | None, Answer] = {
        test: Answer(overdue(patient, test, start, day)) for test in (*WEEKLY, *FORTNIGHTLY)
    }
    if igg_is_asked_for(patient, day):
        answers["igg"] = Answer(overdue(patient, "igg", start, day))
    answers["lung_function"] = Answer(overdue(patient, "lung_function", index_date(patient, day), day))
    return answers


def overdue(patient: Patient, test: str, start: date | None, day: date) -> str:
    if start is None:
        return NOT_EVALUABLE
    counted_from = start
    for analyte in RESULTS.get(test, (test,)):
        for one in patient.results(analyte, day):
            if one.on_date > counted_from and one.phase in (None, "pre"):
                counted_from = one.on_date
    days = interval(test, (counted_from - start).days)
    return MET if days is not None and later(counted_from, days) <= day else NOT_MET


def interval(test: str, since_start: int) -> int | None:
    """Days until the next result is due after one dated so many days after the start; None: no further one is due."""
    if test == "lung_function":
        return 180 if since_start + 180 < YEAR_1 else None
    if since_start < INDUCTION:
        return 7 if test in WEEKLY else 14 if test in FORTNIGHTLY else 28
    return 30 if since_start < MONTH_6 else 90


def igg_is_asked_for(patient: Patient, day: date) -> bool:
    """Rituximab, cyclophosphamide or an exchange has been given."""
    drugs = {row.drug for row in given_rows(patient) if row.start_date <= day}
    return bool(drugs & {"rituximab", "cyclophosphamide"} or patient.happened("procedure", "plasma_exchange", day))
