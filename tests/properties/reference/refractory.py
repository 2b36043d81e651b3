"""Refractory disease: five components judged on two clocks, and their combinations."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache

from tests.properties.reference.oxygen import OxygenRecord, invasively_supported, oxygen_by
from tests.properties.reference.records import (
    STATUS,
    Answer,
    Event,
    Known,
    Observation,
    Patient,
    agreed,
    all_of,
    any_of,
    last_of_day,
    later,
    newest,
    worst,
)  # fmt: skip
from tests.properties.reference.treatments import CLOCKS, clock_ever_started, clock_start

WAIT_DAYS = 7
BASELINE_DAYS = 28
FRESH_DAYS = 14


@dataclass(frozen=True)
class Judgement:
    """A component's answer, and the date of the newest record that decided it."""

    status: Known
    decided_on: date | None = None


NOTHING = Judgement(None)


def baselines(records: list, day0: date, judged: date) -> list:
    """The last record in the 28 days up to day 0, else the first after it and before the one judged.

    More than one where the last of that day cannot be told.
    """
    before = [one for one in records if later(day0, -BASELINE_DAYS) <= one.on_date <= day0]
    if before:
        return last_of_day(newest(before))
    after = [one for one in records if day0 < one.on_date < judged]
    first = min((one.on_date for one in after), default=None)
    return last_of_day([one for one in after if one.on_date == first])


def due(records: list, day0: date) -> list:
    """The newest records dated on or after day 7."""
    return newest(one for one in records if one.on_date >= later(day0, WAIT_DAYS))


def from_day_7(day0: date, records: list, compare: Callable[[object, list], Known]) -> Judgement:
    """Judges each of the newest records against its baselines; the worst of the day decides."""
    judged = due(records, day0)
    if not judged:
        return NOTHING
    on = judged[0].on_date
    return Judgement(worst(compare(one, baselines(records, day0, on)) for one in judged), on)


def ferritin_rose(new: Observation, old: Observation) -> Known:
    """Up by >= 20 % and >= 100 ng/mL, for every pair of values the two results can mean."""
    least = None if old.high is None else (100 * new.low - 120 * old.high, new.low - old.high - 100)
    most = None if new.high is None else (100 * new.high - 120 * old.low, new.high - old.low - 100)
    if least is not None and min(least) >= 0:
        return True
    open_end = new.high_open or old.low_open
    if most is not None and (min(most) < 0 or (min(most) == 0 and open_end)):
        return False
    return None


def ferritin(patient: Patient, day0: date, day: date) -> Judgement:
    numeric = [one for one in patient.results("ferritin", day) if one.low is not None]
    return from_day_7(day0, numeric, lambda new, olds: agreed(ferritin_rose(new, old) for old in olds))


def comparable_activity(one: OxygenRecord, other: OxygenRecord) -> bool:
    return one.activity is None or other.activity is None or one.activity == other.activity


def support_rose(new: OxygenRecord, old: OxygenRecord) -> Known:
    """Level up, or on the same level flow or set FiO2 up."""
    parts: list[Known] = [new.level > old.level]
    if new.level == old.level and new.level in (1, 2, 3) and None not in (new.flow, old.flow):
        parts.append(new.flow - old.flow >= 2)
    if new.level == old.level and new.level in (4, 5, 6) and new.fio2_set and old.fio2_set:
        parts.append(10 * (new.fio2 - old.fio2) >= 1)
    return any_of(parts)


def oxygen_worse(new: OxygenRecord, records: list[OxygenRecord], day0: date) -> Known:
    """The comparisons that exist at both ends, if the support level is one of them."""
    if new.level is None:
        return None
    olds = [one for one in records if comparable_activity(one, new)]
    level = baselines([one for one in olds if one.level is not None], day0, new.on_date)
    if not level:
        return None
    parts = [agreed(support_rose(new, old) for old in level)]
    if new.aado2 is not None:
        same = [one for one in olds if one.aado2 is not None and 50 * abs(one.fio2 - new.fio2) <= 1]
        if found := baselines(same, day0, new.on_date):
            parts.append(agreed(new.aado2 - old.aado2 >= 10 for old in found))
    if new.pf is not None:
        same = [one for one in olds if one.pf_method == new.pf_method]
        if found := baselines(same, day0, new.on_date):
            parts.append(agreed(100 * new.pf <= 80 * old.pf for old in found))
    return any_of(parts)


def gas_exchange(patient: Patient, day0: date, day: date) -> Judgement:
    records = oxygen_by(patient, day)
    return from_day_7(day0, records, lambda new, _: oxygen_worse(new, records, day0))


def mmrc_rose(new: Event, olds: list[Event]) -> Known:
    return agreed(new.number - old.number >= 1 for old in olds)


def symptoms(patient: Patient, day0: date, day: date) -> Judgement:
    """mMRC up, or a symptom record 'worse'; judged on whichever exists, not on ventilation or ECMO."""
    if invasively_supported(patient, day):
        return NOTHING
    grades = patient.happened("measure", "mmrc", day)
    scale = from_day_7(day0, grades, mmrc_rose)
    if scale.decided_on and not baselines(grades, day0, scale.decided_on):
        scale = NOTHING
    words = from_day_7(day0, patient.happened("symptom", "dyspnoea", day), lambda new, _: new.value == "worse")
    existing = [one for one in (scale, words) if one.decided_on]
    status = any_of(one.status for one in existing)
    return Judgement(status, max((one.decided_on for one in existing if one.status == status), default=None))


def imaging(patient: Patient, day0: date, day: date) -> Judgement:
    """A reading 'worse'; a blank or not comparable reading changes nothing."""
    readings = [
        one
        for code in ("chest_ct", "chest_xray")
        for one in patient.happened("imaging", code, day)
        if one.value in ("improved", "stable", "worse")
    ]
    return from_day_7(day0, readings, lambda new, _: new.value == "worse")


def impression(patient: Patient, day0: date, day: date) -> Judgement:
    return from_day_7(day0, patient.happened("impression", None, day), lambda new, _: new.code == "worse_on_therapy")


COMPONENTS: dict[str, Callable[[Patient, date, date], Judgement]] = {
    "refractory_symptoms": symptoms,
    "refractory_gas_exchange": gas_exchange,
    "refractory_imaging": imaging,
    "refractory_ferritin": ferritin,
    "refractory_impression": impression,
}
FOUR = [name for name in COMPONENTS if name != "refractory_impression"]


@cache
def component(patient: Patient, name: str, clock: str, day: date) -> Judgement:
    """A component's answer on one clock as it stands on a day."""
    day0 = clock_start(patient, clock, day)
    return COMPONENTS[name](patient, day0, day) if day0 else NOTHING


def published(answers: dict[str, Known]) -> Known:
    """All of the five."""
    return all_of(answers[name] for name in COMPONENTS)


def possible(answers: dict[str, Known]) -> Known:
    """At least 2 of symptoms, gas exchange, imaging, ferritin, with gas exchange or imaging among them."""

    def holds(unknown_counts_as: bool) -> bool:
        met = {name for name in FOUR if answers[name] or (answers[name] is None and unknown_counts_as)}
        return len(met) >= 2 and bool(met & {"refractory_gas_exchange", "refractory_imaging"})

    return True if holds(False) else None if holds(True) else False


COMPOSITES: dict[str, tuple[list[str], Callable[[dict[str, Known]], Known]]] = {
    "refractory_published": (list(COMPONENTS), published),
    "refractory_possible": (FOUR, possible),
}


@cache
def composite(patient: Patient, name: str, clock: str, day: date) -> Known:
    """Judged when a component answers met or not met on a new record; older answers than 14 days are unknown."""
    names, combine = COMPOSITES[name]
    day0 = clock_start(patient, clock, day)
    if day0 is None:
        return None
    judged = day
    while judged >= later(day0, WAIT_DAYS):
        found = {one: component(patient, one, clock, judged) for one in names}
        if any(one.status is not None and one.decided_on == judged for one in found.values()):
            fresh = later(judged, -FRESH_DAYS)
            known = {
                one: answer.status if answer.decided_on and answer.decided_on >= fresh else None
                for one, answer in found.items()
            }
            return combine(known)
        judged = later(judged, -1)
    return None


def per_clock(patient: Patient, day: date, judge: Callable[[str], Known]) -> dict[str | None, Answer]:
    """One answer per clock that ever started; before that one answer with no item."""
    found = {clock: Answer(STATUS[judge(clock)]) for clock in CLOCKS if clock_ever_started(patient, clock, day)}
    return found or {None: Answer(STATUS[None])}
