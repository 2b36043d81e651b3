"""Counts and infection markers: blood counts and IgG by grade, a rising CMV PCR, beta-D-glucan, and counts on a JAK inhibitor."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tests.properties.reference.records import (
    NOT_EVALUABLE,
    NOT_MET,
    STATUS,
    Administration,
    Answer,
    Known,
    Observation,
    Patient,
    agreed,
    any_of,
    at_least,
    below,
    later,
    more_than,
    newest,
    worst,
)  # fmt: skip
from tests.properties.reference.treatments import acts, dose_filled, given_rows

LYMPHOCYTES = [
    Decimal("1.0"),
    Decimal("0.8"),
    Decimal("0.5"),
    Decimal("0.2"),
]  # below which a grade begins, from grade 1
NEUTROPHILS = [Decimal("1.8"), Decimal("1.5"), Decimal("1.0"), Decimal("0.5")]
IGG = [Decimal(7), Decimal(4), Decimal(3)]
MET_FROM_GRADE = 2
RISE = Decimal("3.1623")  # 0.5 log10
RISE_DAYS = 21
HALF = Decimal("0.5")  # 10*9/L at which a JAK inhibitor is stopped
ENDLESS = Decimal("Infinity")


def lymphopenia(patient: Patient, day: date) -> dict[str | None, Answer]:
    return graded(patient.results("lymphocytes", day), LYMPHOCYTES)


def neutropenia(patient: Patient, day: date) -> dict[str | None, Answer]:
    return graded(patient.results("neutrophils", day), NEUTROPHILS)


def hypogammaglobulinaemia(patient: Patient, day: date) -> dict[str | None, Answer]:
    return graded(patient.results("igg", day), IGG)


def graded(results: list[Observation], limits: list[Decimal]) -> dict[str | None, Answer]:
    """The newest result, met from grade 2; the grade is the highest certainly reached, of the worst record of the day."""
    told = [(below(one, limits[MET_FROM_GRADE - 1]), certain_grade(one, limits)) for one in newest(results)]
    status = worst(known for known, _ in told)
    grade = max((grade for known, grade in told if known == status), default=0)
    return {None: Answer(STATUS[status], None if status is None and grade == 0 else grade)}


def certain_grade(result: Observation, limits: list[Decimal]) -> int:
    return sum(below(result, limit) is True for limit in limits)


@dataclass(frozen=True)
class Amount:
    """What a quantitative PCR can mean: from `least` to `most`, the ends included or not."""

    least: Decimal
    least_open: bool
    most: Decimal
    most_open: bool


def amount(result: Observation) -> Amount | None:
    """Nothing where it is negative, anything where it is positive without a number."""
    if result.low is not None:
        return Amount(result.low, result.low_open, ENDLESS if result.high is None else result.high, result.high_open)
    zero = Decimal(0)
    return {"negative": Amount(zero, False, zero, False), "positive": Amount(zero, False, ENDLESS, True)}.get(
        result.coded
    )


def has_risen(old: Amount, new: Amount) -> Known:
    """new >= 3.1623 x old, for all that the two can be, for none, or for some of it; nothing is no rise from nothing."""
    if new.most == 0:
        return False
    surely_something = new.least > 0 or new.least_open
    if surely_something and new.least >= RISE * old.most:
        return True
    reach = RISE * old.least  # the least that would be a rise
    never = new.most < reach or (new.most == reach and (new.most_open or old.least_open))
    return False if never else None


def cmv_rising(patient: Patient, day: date) -> dict[str | None, Answer]:
    """The samples of the newest day, each against any earlier one of 21 days, of its laboratory and unit."""
    samples = [
        (one, amount(one))
        for name in ("cmv_dna", "cmv_dna_copies")
        for one in patient.results(name, day)
        if amount(one) is not None
    ]
    last = {id(one) for one in newest(one for one, _ in samples)}
    answers = [any_of(rises(samples, one, new)) for one, new in samples if id(one) in last]
    return {None: Answer(STATUS[worst(answers)])}


def rises(samples: list[tuple[Observation, Amount]], result: Observation, new: Amount) -> list[Known]:
    """One answer for each earlier sample."""
    return [
        has_risen(old, new)
        for one, old in samples
        if (one.analyte, one.laboratory) == (result.analyte, result.laboratory)
        and later(result.on_date, -RISE_DAYS) <= one.on_date < result.on_date
    ]


def beta_d_glucan_positive(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Of each assay the newest results; before the first one nothing can be told."""
    results = patient.results("beta_d_glucan", day)
    assays = {one.assay for one in results}
    if not assays:
        return {None: Answer(NOT_EVALUABLE)}
    return {
        assay or "assay not named": Answer(
            STATUS[worst(is_glucan_positive(one) for one in newest(one for one in results if one.assay == assay))]
        )
        for assay in assays
    }


def is_glucan_positive(result: Observation) -> Known:
    """Fungitell and Wako have limits; nothing is told of other assays."""
    if result.assay not in ("fungitell", "wako"):
        return None
    if result.low is None:
        return {"positive": True, "negative": False}.get(result.coded)
    if result.assay == "wako":
        return at_least(result, 11)
    if at_least(result, 80):
        return True
    return False if at_least(result, 60) is False else None


def jaki_stop_counts(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Any of the label's limits, on the newest counts, while a JAK inhibitor acts."""
    if not patient.drugs_recorded(day):
        return {None: Answer(NOT_EVALUABLE)}
    given = {row.drug for row in given_rows(patient) if _is_jaki(patient, row) and acts(patient, row, day)}
    if not given:
        return {None: Answer(NOT_MET, 0)}
    lymphocytes = newest(patient.results("lymphocytes", day))
    neutrophils = newest(patient.results("neutrophils", day))
    haemoglobin = newest(patient.results("haemoglobin", day))
    stop = [worst(below(one, HALF) for one in lymphocytes), worst(below(one, HALF) for one in neutrophils)]
    interrupt = [
        worst(at_most(one, 1) for one in neutrophils),
        worst(below(one, 8) for one in haemoglobin),
        *(haemoglobin_fell(patient, haemoglobin, run_start(patient, drug, day)) for drug in given),
    ]
    status = any_of(stop + interrupt)
    return {None: Answer(STATUS[status], 2 if True in stop else 1 if status else 0 if status is False else None)}


def _is_jaki(patient: Patient, row: Administration) -> bool:
    return patient.drugs[row.drug].drug_class == "jak_inhibitor"


def at_most(result: Observation, limit: int) -> Known:
    above = more_than(result, limit)
    return None if above is None else not above


def run_start(patient: Patient, drug: str, day: date) -> date:
    """The first day of an unbroken run; gaps of up to 3 days do not break it."""
    first = day
    while dose_filled(patient, drug, later(first, -1), known_on=day):
        first = later(first, -1)
    return first


def haemoglobin_fell(patient: Patient, current: list[Observation], start: date) -> Known:
    """By more than 2 g/dL from the last one on or before the start, whichever of its day that was; none has fallen on that very day."""
    before = newest(patient.results("haemoglobin", start))
    if not before:
        return None
    if current[0].on_date == before[0].on_date:
        return False
    last = max((one.at for one in before if one.at), default=None)
    candidates = [one for one in before if one.at in (None, last)]
    return worst(agreed(fell(one, now) for one in candidates) for now in current)


def fell(before: Observation, now: Observation) -> Known:
    """before - now > 2, for every value that the two can mean."""
    least = None if now.high is None else before.low - now.high
    if least is not None and (least > 2 or (least == 2 and (before.low_open or now.high_open))):
        return True
    return False if before.high is not None and before.high - now.low <= 2 else None
