"""Transplant: early referral, lung function, oxygen and refractory disease as reasons to refer."""

from datetime import date

from tests.properties.reference.oxygen import referral_oxygen
from tests.properties.reference.prognosis import antibody
from tests.properties.reference.records import (
    MET,
    NOT_MET,
    STATUS,
    Answer,
    Known,
    Observation,
    Patient,
    agreed,
    all_of,
    any_of,
    below,
    last_of_day,
    later,
    newest,
    worst,
)  # fmt: skip
from tests.properties.reference.refractory import COMPOSITES, composite
from tests.properties.reference.treatments import CLOCKS, clock_start, diagnosed

PAIR_DAYS = 28
TWO_YEARS = 730


def ild(patient: Patient, day: date) -> Known:
    """ILD recorded, which RP-ILD implies; unknown until an event says present or absent."""
    if diagnosed(patient, "ild", day) or diagnosed(patient, "rp_ild", day):
        return True
    return False if patient.happened("diagnosis", "ild", day) else None


def transplant_early_referral(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Anti-MDA5 positive and ILD recorded."""
    return {None: Answer(STATUS[all_of([antibody(patient, day), ild(patient, day)])])}


def tests_of(patient: Patient, measure: str, day: date) -> list[Observation]:
    """Results by the day: before a bronchodilator, never a challenge stage."""
    return [one for one in patient.results(measure, day) if one.phase in (None, "pre") and one.low is not None]


def last_test_day(patient: Patient, day: date) -> date | None:
    """The last day with an FVC or a DLCO, in litres or its unit too: that is a test, with no percentage to judge."""
    measures = ("fvc", "fvc_percent", "dlco", "dlco_percent")
    return max((one.on_date for measure in measures for one in tests_of(patient, measure, day)), default=None)


def paired(patient: Patient, measure: str, tested: date) -> list[Observation]:
    """The values of a test day, else the newest of the 28 days before."""
    return newest(one for one in tests_of(patient, measure, tested) if one.on_date >= later(tested, -PAIR_DAYS))


def current(patient: Patient, litres: str, tested: date) -> list[Observation]:
    """What is judged of a measure: a newer test in litres alone leaves no percentage standing."""
    alone = [one for one in tests_of(patient, litres, tested) if one.on_date >= later(tested, -PAIR_DAYS)]
    percents = paired(patient, f"{litres}_percent", tested)
    newer = any(one.on_date > percents[0].on_date for one in alone) if percents else False
    return [] if newer else percents


def referral_lung_function(patient: Patient, day: date) -> dict[str | None, Answer]:
    """FVC < 80 % or DLCO < 40 % predicted, on the last day of a test, in litres too."""
    tested = last_test_day(patient, day)
    if tested is None:
        return {None: Answer(STATUS[None])}
    fvc = worst(below(one, 80) for one in current(patient, "fvc", tested))
    dlco = worst(below(one, 40) for one in current(patient, "dlco", tested))
    return {None: Answer(STATUS[any_of([fvc, dlco])])}


def earlier_tests(patient: Patient, measure: str, new: Observation) -> list[Observation]:
    """The earlier results of the two years before a result, of the same reference set."""
    return [
        old
        for old in tests_of(patient, measure, new.on_date)
        if later(new.on_date, -TWO_YEARS) <= old.on_date < new.on_date and old.reference_set == new.reference_set
    ]


def fell(new: Observation, old: Observation, percent: int) -> Known:
    """100 x (old - new) >= percent x old, for every pair of values."""
    kept = 100 - percent
    if new.high is not None and 100 * new.high <= kept * old.low:
        return True
    if old.high is None:
        return None
    least_kept, not_reached = 100 * new.low - kept * old.high, new.low_open or old.high_open
    return False if least_kept > 0 or (least_kept == 0 and not_reached) else None


def worse_symptoms(patient: Patient, since: date, day: date) -> Known:
    """After the earlier test: dyspnoea recorded worse, or an mMRC above the one before; a later better one does not undo it."""
    last = min(day, later(since, TWO_YEARS))
    signs = [one.value == "worse" for one in patient.happened("symptom", "dyspnoea", last) if one.on_date > since]
    grades = patient.happened("measure", "mmrc", last)
    for one in grades:
        before = newest(other for other in grades if other.on_date < one.on_date)
        if one.on_date > since and before:
            signs.append(agreed(one.number > other.number for other in last_of_day(before)))
    return any_of(signs)


def worse_imaging(patient: Patient, since: date, day: date) -> Known:
    """After the earlier test: a chest CT or X-ray read as worse."""
    last = min(day, later(since, TWO_YEARS))
    readings = patient.happened("imaging", "chest_ct", last) + patient.happened("imaging", "chest_xray", last)
    told = [one for one in readings if one.value in ("improved", "stable", "worse") and one.on_date > since]
    return any_of(one.value == "worse" for one in told)


def fvc_declined(patient: Patient, new: Observation, day: date) -> Known:
    """Down >= 10 %, or >= 5 % with worse symptoms or imaging since the earlier test, against any earlier one."""
    parts = []
    for old in earlier_tests(patient, "fvc_percent", new):
        worse = any_of([worse_symptoms(patient, old.on_date, day), worse_imaging(patient, old.on_date, day)])
        parts += [fell(new, old, 10), all_of([fell(new, old, 5), worse])]
    return any_of(parts)


def dlco_declined(patient: Patient, new: Observation) -> Known:
    """Down >= 15 % against any earlier one."""
    return any_of(fell(new, old, 15) for old in earlier_tests(patient, "dlco_percent", new))


def referral_decline(patient: Patient, day: date) -> dict[str | None, Answer]:
    """A relative fall within two years, judged on the last test day; the worst record of the day decides."""
    tested = last_test_day(patient, day)
    if tested is None:
        return {None: Answer(STATUS[None])}
    fvc = worst(fvc_declined(patient, new, day) for new in current(patient, "fvc", tested))
    dlco = worst(dlco_declined(patient, new) for new in current(patient, "dlco", tested))
    return {None: Answer(STATUS[any_of([fvc, dlco])])}


def referral_refractory(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Possibly or by the published definition refractory, on either clock that has started."""
    started = [clock for clock in CLOCKS if clock_start(patient, clock, day)]
    return {
        None: Answer(STATUS[any_of(composite(patient, name, clock, day) for name in COMPOSITES for clock in started)])
    }


def transplant_referral(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Any of the four reasons to refer."""
    known = {MET: True, NOT_MET: False}
    reasons = (referral_lung_function, referral_decline, referral_oxygen, referral_refractory)
    return {None: Answer(STATUS[any_of(known.get(reason(patient, day)[None].status) for reason in reasons)])}
