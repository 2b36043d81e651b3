"""Lung function against earlier tests: OMERACT, PPF, INBUILD, improvement, and the decline that is a reason to list for transplant."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tests.properties.reference.records import (
    STATUS,
    Answer,
    Known,
    Observation,
    Patient,
    agreed,
    all_of,
    any_of,
    later,
    worst,
)
from tests.properties.reference.transplant import PAIR_DAYS, last_test_day, tests_of
from tests.properties.reference.treatments import classes_acting, combination_acts, diagnosed

MONTHS = {24: 730, 12: 365, 6: 183}
MEASURES = ("fvc", "dlco")
READINGS = ("improved", "stable", "worse")


@dataclass(frozen=True)
class Span:
    """Every value a difference can have; None: no bound. `*_open`: the bound itself is not reached."""

    low: Decimal | None
    low_open: bool
    high: Decimal | None
    high_open: bool

    def at_least(self, size: int) -> Known:
        if self.low is not None and self.low >= size:
            return True
        if self.high is not None and (self.high < size or (self.high == size and self.high_open)):
            return False
        return None

    def more_than(self, size: int) -> Known:
        if self.low is not None and (self.low > size or (self.low == size and self.low_open)):
            return True
        return False if self.high is not None and self.high <= size else None


def difference(times: int, more: Observation, other_times: int, less: Observation) -> Span:
    """times x more - other_times x less, for all that the two results can mean."""
    low = None if less.high is None else times * more.low - other_times * less.high
    high = None if more.high is None else times * more.high - other_times * less.low
    return Span(low, more.low_open or less.high_open, high, more.high_open or less.low_open)


def fell_by_percent(new: Observation, old: Observation, percent: int) -> Known:
    """100 x (old - new) >= percent x old."""
    return difference(100 - percent, old, 100, new).at_least(0)


def rose_by_percent(new: Observation, old: Observation, percent: int) -> Known:
    """100 x (new - old) >= percent x old."""
    return difference(100, new, 100 + percent, old).at_least(0)


def last_of(patient: Patient, measure: str, day: date) -> date | None:
    """The last day of one measure, with a percentage or without."""
    of_both = tests_of(patient, measure, day) + tests_of(patient, f"{measure}_percent", day)
    return max((one.on_date for one in of_both), default=None)


def counts_on(patient: Patient, measure: str, tested: date) -> date | None:
    """The day of the measure's latest test, that day or at most 28 days before."""
    last = last_of(patient, measure, tested)
    return last if last and last >= later(tested, -PAIR_DAYS) else None


def percents(patient: Patient, measure: str, day: date | None) -> list[Observation]:
    """The percentages of a day; none where only litres were measured."""
    return [one for one in tests_of(patient, f"{measure}_percent", day) if one.on_date == day] if day else []


def earlier(patient: Patient, new: Observation, months: int) -> list[Observation]:
    """The earlier results of so many months before, of the same measure and reference set."""
    since = later(new.on_date, -MONTHS[months])
    same = [one for one in tests_of(patient, new.analyte, new.on_date) if one.reference_set == new.reference_set]
    return [one for one in same if since <= one.on_date < new.on_date]


def first_tests(patient: Patient, new: Observation) -> list[Observation]:
    """The first test since ILD was recorded (not recorded: the first), as known on the day of the result: the last of its day
    by time, or each that may be it; none for that test itself."""
    recorded = [found for code in ("ild", "rp_ild") if (found := diagnosed(patient, code, new.on_date))]
    since = min(recorded, default=date.min)
    same = [one for one in tests_of(patient, new.analyte, new.on_date) if one.reference_set == new.reference_set]
    same = [one for one in same if one.on_date >= since]
    first = min(one.on_date for one in same)
    if first == new.on_date:
        return []
    of_day = [one for one in same if one.on_date == first]
    last = max((one.at for one in of_day if one.at), default=None)
    return [one for one in of_day if one.at in (None, last)]


Judge = Callable[[Observation], Known]
Choose = Callable[[Iterable[Known]], Known]


def answer_of(patient: Patient, day: date, judge: dict[str, Judge], choose: Choose = worst) -> dict[str | None, Answer]:
    """Any of the measures, each on the day that counts for the last test; of several results of that day `choose` decides."""
    tested = last_test_day(patient, day)
    if tested is None:
        return {None: Answer(STATUS[None])}
    parts = [
        choose(judge[measure](one) for one in percents(patient, measure, counts_on(patient, measure, tested)))
        for measure in judge
    ]
    return {None: Answer(STATUS[any_of(parts)])}


def omeract_progression(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Against the first test: FVC down by >= 10 %, or by >= 5 % with DLCO down by >= 15 %."""
    tested = last_test_day(patient, day)
    if tested is None:
        return {None: Answer(STATUS[None])}
    dlco = worst(
        agreed(fell_by_percent(one, first, 15) for first in first_tests(patient, one))
        for one in percents(patient, "dlco", counts_on(patient, "dlco", tested))
    )

    def progressed(new: Observation, first: Observation) -> Known:
        return any_of([fell_by_percent(new, first, 10), all_of([fell_by_percent(new, first, 5), dlco])])

    fvc = worst(
        agreed(progressed(one, first) for first in first_tests(patient, one))
        for one in percents(patient, "fvc", counts_on(patient, "fvc", tested))
    )
    return {None: Answer(STATUS[fvc])}


def ppf_physiology(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Within 12 months FVC down by >= 5 points or DLCO by >= 10, against any earlier test."""

    def fell(points: int) -> Judge:
        return lambda new: any_of(difference(1, old, 1, new).at_least(points) for old in earlier(patient, new, 12))

    return answer_of(patient, day, {"fvc": fell(5), "dlco": fell(10)})


def inbuild_fvc_decline(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Within 24 months FVC down by >= 10 % against any earlier test; a DLCO changes nothing."""
    news = percents(patient, "fvc", last_of(patient, "fvc", day))
    return {
        None: Answer(
            STATUS[worst(any_of(fell_by_percent(new, old, 10) for old in earlier(patient, new, 24)) for new in news)]
        )
    }


def reluctant(answers: Iterable[Known]) -> Known:
    """Of a day: one that has not risen decides, then one that has."""
    answers = list(answers)
    return False if False in answers else True if True in answers else None


def lung_function_improved(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Within 12 months FVC up by >= 10 % or DLCO by >= 15 % against the lowest: up against any is up against the lowest."""

    def rose(percent: int) -> Judge:
        return lambda new: any_of(rose_by_percent(new, old, percent) for old in earlier(patient, new, 12))

    return answer_of(patient, day, {"fvc": rose(10), "dlco": rose(15)}, choose=reluctant)


def imaging_worse(patient: Patient, old: Observation, day: date) -> Known:
    """A chest CT or X-ray read as worse after the earlier test, within six months of it."""
    last = min(day, later(old.on_date, MONTHS[6]))
    read = patient.happened("imaging", "chest_ct", last) + patient.happened("imaging", "chest_xray", last)
    return any_of(one.value == "worse" for one in read if one.on_date > old.on_date and one.value in READINGS)


def on_combination(patient: Patient, tested: date, day: date) -> Known:
    """Combination therapy acts on the day of the test; unknown until any drug is recorded."""
    if combination_acts(classes_acting(patient, tested)):
        return True
    return False if patient.drugs_recorded(day) else None


def listing_decline(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Within 6 months on combination therapy FVC or DLCO down by > 10 points, or FVC by > 5 with worse imaging."""
    tested = last_test_day(patient, day)
    if tested is None:
        return {None: Answer(STATUS[None])}

    def fell(new: Observation) -> Known:
        parts: list[Known] = []
        for old in earlier(patient, new, 6):
            fall = difference(1, old, 1, new)
            parts.append(fall.more_than(10))
            if new.analyte == "fvc_percent":
                parts.append(all_of([fall.more_than(5), imaging_worse(patient, old, day)]))
        return any_of(parts)

    measures = []
    for measure in MEASURES:
        measured = counts_on(patient, measure, tested)
        treated = on_combination(patient, measured or tested, day)
        news = percents(patient, measure, measured)
        measures.append(worst(all_of([treated, fell(new)]) for new in news) if news else all_of([treated, None]))
    return {None: Answer(STATUS[any_of(measures)])}
