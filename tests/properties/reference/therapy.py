"""Therapy pattern: stepping up, drugs advised against, levels, exchanges and infusions."""

from datetime import date
from functools import cache

from tests.properties.reference.prognosis import is_positive
from tests.properties.reference.records import (
    MET,
    NOT_EVALUABLE,
    NOT_MET,
    STATUS,
    Answer,
    Known,
    Patient,
    agreed,
    all_of,
    any_of,
    later,
    newest,
    worst,
)
from tests.properties.reference.refractory import component
from tests.properties.reference.treatments import (
    PARTNERS,
    acts,
    classes_acting,
    clock_start,
    days_from,
    diagnosed,
    dose_filled,
    dose_on,
    given_rows,
    in_pulses,
    is_given,
    is_high_dose,
    rp_ild,
)  # fmt: skip

SECOND_BY, THIRD_BY, BEFORE_RP_ILD = 7, 14, 90
NOT_RECOMMENDED = {
    "azathioprine",
    "methotrexate",
    "leflunomide",
    "tnf_inhibitor",
    "abatacept",
    "tocilizumab",
    "antifibrotic",
}
LEVELS = {"tacrolimus": "tacrolimus_level", "ciclosporin": "ciclosporin_level"}


def step_up_pattern(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Met once the second or third agent is late after the first high-dose glucocorticoid, and then for good."""
    recorded = diagnosed(patient, "rp_ild", day)
    if recorded is None:
        return {None: Answer(STATUS[rp_ild(patient, day)])}
    negative = [one.on_date for one in patient.results("anti_mda5", day) if is_positive(patient, one) is False]
    if not patient.drugs_recorded(day):
        return {None: Answer(NOT_MET if negative else NOT_EVALUABLE)}
    starts = first_high_dose(patient, day)
    late = {start: start and _late_from(patient, start, recorded, day) for start in starts}
    status = agreed(bool(on) and not any(one <= on for one in negative) for on in late.values())
    return {None: Answer(STATUS[status], days_to_triple(patient, starts, day) if status else None)}


def _late_from(patient: Patient, start: date, recorded: date, day: date) -> date | None:
    """The first day by now on which the second or the third agent is late after this glucocorticoid start, in RP-ILD."""
    days = [
        max(recorded, later(start, limit + 1))
        for limit, enough in ((SECOND_BY, 1), (THIRD_BY, 2))
        if len(agents_by(patient, start, later(start, limit))) < enough
    ]
    return min((one for one in days if one <= day), default=None)


@cache
def first_high_dose(patient: Patient, day: date) -> tuple[date | None, ...]:
    """The days that can be the first of a high dose, not earlier than 90 days before RP-ILD was recorded.

    More than one where doses cannot be read; None among them: there may be none. Before RP-ILD is recorded: none.
    """
    recorded = diagnosed(patient, "rp_ild", day)
    if recorded is None:
        return (None,)
    possible: list[date | None] = []
    for one in days_from(max(later(recorded, -BEFORE_RP_ILD), patient.first_day), day):
        high = is_high_dose(patient, one)
        if high is not False:
            possible.append(one)
        if high:
            return tuple(possible)
    return (*possible, None)


@cache
def agents_by(patient: Patient, start: date, limit: date) -> set[str]:
    """The further agents acting at the glucocorticoid's start or started by the limit."""
    return {agent for one in days_from(start, limit) for agent in classes_acting(patient, one) & PARTNERS}


def days_to_triple(patient: Patient, starts: tuple[date | None, ...], day: date) -> int | None:
    """Days from the glucocorticoid to the third agent, once it has started; unknown where the first day is."""
    if len(starts) != 1 or starts[0] is None:
        return None
    days = days_from(starts[0], day)
    return next(((one - starts[0]).days for one in days if len(agents_by(patient, starts[0], one)) >= 2), None)


def _no_item(patient: Patient, day: date) -> Answer:
    """Before any drug of the rule was given: with other drugs recorded, those unrecorded count as not given."""
    return Answer(NOT_MET if patient.drugs_recorded(day) else NOT_EVALUABLE)


def not_recommended_agent(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Per drug once given: whether it acts, in RP-ILD as last recorded: in chronic disease some are allowed."""
    answers: dict[str | None, Answer] = {}
    in_rp_ild = worst(one.value != "absent" for one in newest(patient.happened("diagnosis", "rp_ild", day)))
    for row in given_rows(patient):
        if patient.drugs[row.drug].drug_class in NOT_RECOMMENDED and row.start_date <= day:
            acting = any(acts(patient, other, day) for other in given_rows(patient) if other.drug == row.drug)
            answers[row.drug] = Answer(STATUS[all_of([acting, in_rp_ild])])
    return answers or {None: _no_item(patient, day)}


def cni_level_missing(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Per drug once given: no level by day 7 of a start or change, or none for 14 days in the first 90."""
    answers: dict[str | None, Answer] = {}
    for drug, analyte in LEVELS.items():
        given = [one for one in days_from(patient.first_day, day) if dose_on(patient, drug, one, pulses=False)]
        if given:
            levels = [one.on_date for one in patient.results(analyte, day)]
            answers[drug] = Answer(STATUS[_level_is_missing(patient, drug, given, levels, day)])
    return answers or {None: _no_item(patient, day)}


def _level_is_missing(patient: Patient, drug: str, given: list[date], levels: list[date], day: date) -> Known:
    starts = [one for one in given if dose_filled(patient, drug, later(one, -1), day) is None]
    certain: dict[date, Known] = {
        one: True if one in starts else _dose_changed(patient, drug, one, day) for one in given
    }
    due = [
        known
        for trigger, known in certain.items()
        if later(trigger, 7) <= day and not any(one > trigger for one in levels)
    ]
    start = starts[-1]
    last = max([start, *(level for level in levels if level >= start)])
    none_for_long = given[-1] == day and day < later(start, 90) and (day - last).days >= 14
    return any_of([*due, none_for_long])


def _dose_changed(patient: Patient, drug: str, day: date, known_on: date) -> Known:
    """Whether the dose differs from the day before; unknown where one of the two cannot be read."""
    before = dose_filled(patient, drug, later(day, -1), known_on)
    now = dose_on(patient, drug, day, pulses=False)
    if before.unknown or now.unknown:
        return False if _same_rows(patient, drug, day) else None
    return before.known != now.known


def _same_rows(patient: Patient, drug: str, day: date) -> bool:
    """The same records on this day and the day before: an unreadable dose that simply goes on."""
    yesterday = later(day, -1)
    rows = [row for row in given_rows(patient) if row.drug == drug]
    return all(is_given(patient, row, day) == is_given(patient, row, yesterday) for row in rows)


def sessions(patient: Patient, day: date) -> list[date]:
    """The days of plasma exchange so far."""
    return [one.on_date for one in patient.happened("procedure", "plasma_exchange", day)]


def exchange_after_ivig(patient: Patient, day: date) -> dict[str | None, Answer]:
    """The last session came less than 21 days after IVIG; until the window ends."""
    if not patient.drugs_recorded(day):
        return {None: Answer(NOT_EVALUABLE)}
    exchanged = max(sessions(patient, day), default=None)
    if exchanged is None:
        return {None: Answer(NOT_MET)}
    rows = [row for row in given_rows(patient) if row.drug == "ivig"]
    infused = [
        one for one in days_from(later(exchanged, -20), exchanged) if any(is_given(patient, row, one) for row in rows)
    ]
    return {None: Answer(MET if infused and day < later(infused[-1], 21) else NOT_MET)}


def cyclophosphamide_interval(patient: Patient, day: date) -> dict[str | None, Answer]:
    """More than 28 days since the last of fewer than 6 pulses, none recorded as stopped."""
    if not patient.drugs_recorded(day):
        return {None: Answer(NOT_EVALUABLE)}
    rows = [row for row in given_rows(patient) if row.drug == "cyclophosphamide" and in_pulses(patient, row)]
    pulses = [one for one in days_from(patient.first_day, day) if any(is_given(patient, row, one) for row in rows)]
    stops = [one for one in patient.happened("drug_stopped", None, day) if "cyclophosphamide" in (one.code, one.value)]
    stopped = bool(pulses) and any(one.on_date >= pulses[-1] for one in stops)
    late = bool(pulses) and len(pulses) < 6 and day > later(pulses[-1], 28)
    return {None: Answer(MET if late and not stopped else NOT_MET)}


def early_exchange_window(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Gas exchange failing on the combination clock, by its day 14, and no session yet."""
    day0 = clock_start(patient, "combination", day)
    if day0 is None:
        return {None: Answer(NOT_EVALUABLE)}
    failing: Known = component(patient, "refractory_gas_exchange", "combination", day).status
    return {None: Answer(STATUS[all_of([failing, day <= later(day0, 14), not sessions(patient, day)])])}
