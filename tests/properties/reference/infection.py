"""Infection: Pneumocystis prophylaxis missing under glucocorticoid, and cytomegalovirus."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache

from tests.properties.reference.records import (
    MET,
    NOT_EVALUABLE,
    NOT_MET,
    STATUS,
    Administration,
    Answer,
    Known,
    Observation,
    Patient,
    all_of,
    any_of,
    at_least,
    later,
)  # fmt: skip
from tests.properties.reference.treatments import (
    Dose,
    classes_filled,
    given_rows,
    is_given,
    is_one_dose,
    is_open,
    last_given,
    prednisone_on,
)  # fmt: skip

CONFIRMED_DAYS = 30
OPEN_DAYS = 28


def dose_reaches(dose: Dose, mg: int) -> Known:
    return True if dose.known >= mg else None if dose.unknown else False


def run_of(days: int, day: date, holds: Callable[[date], Known]) -> Known:
    """Whether the day is the n-th or a later consecutive one on which something holds."""
    return all_of(holds(later(day, -before)) for before in range(days))


def dose_at_risk(patient: Patient, day: date) -> Known:
    """The 28th day of >= 20 mg/day, or the 14th of >= 15 mg/day beside another agent; given on the day itself."""

    def dose(one: date) -> Dose:
        return prednisone_on(patient, one, known_on=day)

    def combined(one: date) -> Known:
        return all_of([dose_reaches(dose(one), 15), bool(classes_filled(patient, one, day) - {"glucocorticoid"})])

    return any_of([run_of(28, day, lambda one: dose_reaches(dose(one), 20)), run_of(14, day, combined)])


def _cover_days(patient: Patient, row: Administration) -> int | None:
    """How long a dose covers; TMP-SMX recorded dose by dose or per week is taken three times a week and covers 3 days."""
    by_the_dose = row.per == "week" or is_one_dose(row)
    return 3 if row.drug == "tmp_smx" and by_the_dose else patient.drugs[row.drug].pjp_cover_days


@cache
def covered(patient: Patient, day: date) -> Known:
    """PJP prophylaxis on a day; an ongoing drug counts through the 30th day after it was last confirmed."""
    answers: list[Known] = [False]
    for row in given_rows(patient):
        days = _cover_days(patient, row)
        last = last_given(patient, row, day)
        if days is None or last is None:
            continue
        if is_open(patient, row) and last == day:
            confirmed = row.last_confirmed if row.last_confirmed and row.last_confirmed <= day else row.start_date
            answers.append(True if day <= later(max(confirmed, row.start_date), CONFIRMED_DAYS) else None)
        else:
            answers.append(day < later(last, days))
    both = [any(row.drug == drug and is_given(patient, row, day) for row in given_rows(patient))
            for drug in ("clindamycin", "primaquine")]  # fmt: skip
    return any_of([*answers, all(both)])


def pjp_prophylaxis_gap(patient: Patient, day: date) -> dict[str | None, Answer]:
    """A dose at risk and no prophylaxis."""
    if not patient.drugs_recorded(day):
        return {None: Answer(NOT_EVALUABLE)}
    prophylaxis = covered(patient, day)
    uncovered = None if prophylaxis is None else not prophylaxis
    return {None: Answer(STATUS[all_of([dose_at_risk(patient, day), uncovered])])}


@dataclass
class Infection:
    """A recorded CMV infection: all records of one moment, and the last day where an end is recorded."""

    on_date: date
    until: date | None
    end_organ: Known


def cmv_infections(patient: Patient, day: date) -> list[Infection]:
    """CMV infections recorded by the day; an end dated later is not yet known."""
    found = []
    recorded = patient.happened("infection", None, day)
    for moment in {(one.on_date, one.at) for one in recorded}:
        rows = [one for one in recorded if (one.on_date, one.at) == moment]
        said = {(one.code, (one.value or "").lower()) for one in rows}
        if ("organism", "cmv") in said:
            ends = [one.until_date for one in rows if one.until_date and one.until_date <= day]
            end_organ = True if ("end_organ", "yes") in said else False if ("end_organ", "no") in said else None
            found.append(Infection(moment[0], max(ends, default=None), end_organ))
    return found


def reactivated(result: Observation) -> Known:
    """A quantified PCR, or pp65 in one cell or more; a value below the limit of quantification is not one.

    Virus that was detected, or is above 0, may have been quantified or not; a qualitative PCR that detects it is one.
    """
    if result.low is None:
        quantitative = result.analyte in ("cmv_dna", "cmv_dna_copies")
        return {"positive": None if quantitative else True, "negative": False}.get(result.coded)
    if result.analyte == "cmv_pp65":
        return at_least(result, 1)
    if result.low > 0:  # '>100000' is quantified
        return True
    return False if result.high is not None else None  # '<34.5' begins at 0, and so does '>0'


def cmv_reactivation(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Walks through the days: what was last heard of the virus, and for how long it counts."""
    return {None: _cmv(patient, day)}


@cache
def _cmv(patient: Patient, day: date) -> Answer:
    pcrs = [one for name in ("cmv_dna", "cmv_dna_copies", "cmv_dna_qualitative") for one in patient.results(name, day)]
    cells = patient.results("cmv_pp65", day)
    infections = cmv_infections(patient, day)
    over = [later(one.until, 1) for one in infections if one.until and one.until < day]
    below, no_cell = days_below(pcrs), days_below(cells)
    open_ones = [one for one in infections if stands(one.on_date, below) and not (one.until and one.until < day)]
    ill = [one for one in open_ones if one.end_organ]
    if any(day <= later(one.on_date, OPEN_DAYS) or one.until for one in ill):
        return Answer(MET, 2)
    seen = [one for one in days_shown(pcrs) if stands(one, below + over)]
    seen += [one for one in days_shown(cells) if stands(one, below + over + no_cell)]
    open_to_doubt = [one for one in days_undecided(pcrs) if stands(one, below + over + days_shown(pcrs))]
    open_to_doubt += [one for one in days_undecided(cells) if stands(one, below + over + no_cell + days_shown(cells))]
    if any(day <= later(one, OPEN_DAYS) for one in seen):
        return Answer(MET, 1)
    unsure = open_to_doubt or ill or [one for one in open_ones if one.end_organ is None]
    ever = below or no_cell or days_shown(pcrs + cells) or any(one.end_organ for one in infections)
    return Answer(NOT_EVALUABLE) if seen or unsure or not ever else Answer(NOT_MET)


def days_shown(tests: list[Observation]) -> list[date]:
    return [one.on_date for one in tests if reactivated(one)]


def days_below(tests: list[Observation]) -> list[date]:
    """The days of a test below the threshold with none above it on the same day."""
    shown = days_shown(tests)
    return [one.on_date for one in tests if reactivated(one) is False and one.on_date not in shown]


def days_undecided(tests: list[Observation]) -> list[date]:
    """The days of a test that cannot be told, with none on the same day that can."""
    told = [one.on_date for one in tests if reactivated(one) is not None]
    return [one.on_date for one in tests if one.on_date not in told]


def stands(shown: date, cleared: list[date]) -> bool:
    return not any(one > shown for one in cleared)
