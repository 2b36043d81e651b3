"""Prognosis: current ferritin, what the values nearest to the index date say, and who does badly on therapy."""

from datetime import date
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
    all_of,
    any_of,
    at_least,
    last_of_day,
    later,
    more_than,
    newest,
    worst,
)  # fmt: skip
from tests.properties.reference.treatments import clock_start, days_from, diagnosed, index_date, is_high_dose

NEAR_DAYS = 14
BEFORE_DAYS = 28
CRP_POSITIVE, CRP_NEGATIVE = Decimal("0.8"), Decimal("1.1")  # mg/dL from which it counts, by the antibody
BLOT = {"negative": 0, "+": 2, "++": 3, "+++": 4}
Range = tuple[int, int]  # fewest and most points


def high_ferritin(patient: Patient, day: date) -> dict[str | None, Answer]:
    """The current value: grade 1 above 500, 2 above 1000, 3 from 1500 ng/mL; the worst of the day."""
    found = [_ferritin_grade(one) for one in newest(patient.results("ferritin", day)) if one.low is not None]
    status = worst(known for known, _ in found)
    grades = [grade for known, grade in found if known == status and known is not None]
    return {None: Answer(STATUS[status], max(grades, default=None))}


def _ferritin_grade(result: Observation) -> tuple[Known, int]:
    certain = [more_than(result, 500), more_than(result, 1000), at_least(result, 1500)]
    return certain[0], sum(one is True for one in certain)


def nearest(patient: Patient, records: list, day: date) -> list:
    """Of the records so far the nearest to the index date, within 14 days either side, ties to the earlier."""
    index = index_date(patient, day)
    near = [one for one in records if abs((one.on_date - index).days) <= NEAR_DAYS]
    best = min(((abs((one.on_date - index).days), one.on_date) for one in near), default=None)
    return [one for one in near if best and one.on_date == best[1]]


def points(known: list[Known], worth: int) -> Range:
    """Points of an item of which the worst record of a day decides."""
    met = worst(known)
    return (worth, worth) if met else (0, worth) if met is None else (0, 0)


def flair_range(patient: Patient, day: date) -> Range:
    """The fewest and the most points possible."""
    ferritin = [at_least(one, 636) for one in nearest(patient, _numeric(patient, "ferritin", day), day)]
    ldh = [at_least(one, 355) for one in nearest(patient, _numeric(patient, "ldh", day), day)]
    scores = [one for one in patient.happened("imaging", "hrct_score", day) if one.number is not None]
    hrct = [one.number >= 133 for one in nearest(patient, scores, day)]
    parts = [points(ferritin, 2), points(ldh, 2), points(hrct, 3), _blot(patient, day), _rp_ild(patient, day)]
    return sum(least for least, _ in parts), sum(most for _, most in parts)


def _numeric(patient: Patient, analyte: str, day: date) -> list[Observation]:
    return [one for one in patient.results(analyte, day) if one.low is not None]


def _blot(patient: Patient, day: date) -> Range:
    """A line blot's intensity; units of an ELISA are never translated."""
    blots = [
        one for one in patient.results("anti_mda5", day) if one.low is None and one.coded in BLOT and _is_blot(one)
    ]
    found = [BLOT[one.coded] for one in nearest(patient, blots, day)]
    return (max(found), max(found)) if found else (0, 4)


def _is_blot(result: Observation) -> bool:
    return "blot" in (result.assay or "") or result.coded in ("+", "++", "+++")


def _rp_ild(patient: Patient, day: date) -> Range:
    if diagnosed(patient, "rp_ild", day):
        return 2, 2
    return (0, 0) if patient.happened("diagnosis", "rp_ild", day) else (0, 2)


def flair_group(total: int) -> int:
    return 0 if total <= 4 else 1 if total <= 9 else 2


def flair_score(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Met in the high group; evaluable where all possible totals lie in one group."""
    least, most = (flair_group(total) for total in flair_range(patient, day))
    if least != most:
        return {None: Answer(NOT_EVALUABLE)}
    return {None: Answer(MET if least == 2 else NOT_MET, least)}


def antibody(patient: Patient, day: date) -> Known:
    """Anti-MDA5: positive once a result was, else negative once a result was."""
    return worst(is_positive(patient, one) for one in patient.results("anti_mda5", day))


def is_positive(patient: Patient, result: Observation) -> Known:
    """At or above the row's own upper limit, else the assay's cut-off, else the coded result."""
    if result.low is not None and result.ref_high is not None:
        return at_least(result, result.ref_high)
    if result.low is not None and result.assay in patient.assay_cutoffs:
        return at_least(result, patient.assay_cutoffs[result.assay])
    return {"positive": True, "+": True, "++": True, "+++": True, "negative": False}.get(result.coded)


def mck_score(patient: Patient, day: date) -> dict[str | None, Answer]:
    """One point each for CRP and KL-6; met at 2."""
    positive = antibody(patient, day)
    crp = points([_crp_counts(one, positive) for one in nearest(patient, _numeric(patient, "crp", day), day)], 1)
    kl6 = points([at_least(one, 1000) for one in nearest(patient, _numeric(patient, "kl6", day), day)], 1)
    least, most = crp[0] + kl6[0], crp[1] + kl6[1]
    if least < 2 <= most:
        return {None: Answer(NOT_EVALUABLE)}
    return {None: Answer(MET if least == 2 else NOT_MET, least)}


def _crp_counts(result: Observation, positive: Known) -> Known:
    low, high = at_least(result, CRP_POSITIVE), at_least(result, CRP_NEGATIVE)
    if positive is None:
        return low if low == high else None
    return low if positive else high


def risk_factors(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Age over 60, ferritin over 500, CRP over 1 at the index date: met from one, the grade is their number."""
    factors = [
        _older_than(patient, day, 60),
        worst(more_than(one, 500) for one in nearest(patient, _numeric(patient, "ferritin", day), day)),
        worst(more_than(one, 1) for one in nearest(patient, _numeric(patient, "crp", day), day)),
    ]
    status = any_of(factors)
    return {None: Answer(STATUS[status], None if status is None else factors.count(True))}


def _older_than(patient: Patient, day: date, years: int) -> Known:
    """Completed years on the index date: the birthday of that year may be over or not."""
    if patient.birth_year is None:
        return None
    after_birthday = index_date(patient, day).year - patient.birth_year
    return agreed(age > years for age in (after_birthday - 1, after_birthday))


def titre_rise(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Per assay the newest results: negative to positive, or at least twice the lowest earlier value."""
    series: dict[str, list[Observation]] = {}
    for one in patient.results("anti_mda5", day):
        series.setdefault(_series(one), []).append(one)
    found: dict[str | None, Answer] = {}
    for item, results in series.items():
        judged = newest(results)
        earlier = [one for one in results if one.on_date < judged[0].on_date]
        found[item] = Answer(STATUS[worst(_rose(patient, one, earlier) for one in judged)])
    return found or {None: Answer(NOT_EVALUABLE)}


def _series(result: Observation) -> str:
    """What a result is compared within: its assay, or the laboratory and unit of an assay not named, and the sample timing."""
    unnamed = ["assay not named", result.laboratory, (result.unit or "").strip("{}")]
    parts = [result.assay] if result.assay else unnamed
    return ", ".join(part for part in (*parts, result.sample_timing) if part)


def _rose(patient: Patient, result: Observation, earlier: list[Observation]) -> Known:
    if not earlier:
        return None
    return any_of([_turned_positive(patient, result, earlier), _doubled(result, earlier)])


def _turned_positive(patient: Patient, result: Observation, earlier: list[Observation]) -> Known:
    was_negative = any_of(
        None if positive is None else not positive for positive in (is_positive(patient, one) for one in earlier)
    )
    return all_of([is_positive(patient, result), was_negative])


def _doubled(result: Observation, earlier: list[Observation]) -> Known:
    """At least twice the lowest earlier value of the unit and more than nothing, for every value that the results can mean."""
    if result.low is None:
        return False if result.coded == "negative" else None
    values = [one for one in earlier if one.low is not None and one.unit == result.unit]
    if not values:
        return None
    highest = min((one.high for one in values if one.high is not None), default=None)
    least = min(values, key=lambda one: (one.low, one.low_open))  # of equal ends the closed one reaches lower
    if highest is not None and result.low >= 2 * highest and (result.low > 0 or result.low_open):
        return True
    if result.high is not None:
        open_end = result.high_open or least.low_open
        if result.high == 0 or result.high < 2 * least.low or (result.high == 2 * least.low and open_end):
            return False
    return None


def therapy_start(patient: Patient, day: date) -> date | None:
    """Combination therapy, else the first high-dose glucocorticoid, as known on a day; None: not started, or a dose cannot be read."""
    return clock_start(patient, "combination", day) or _first_high_dose(patient, day)


def _first_high_dose(patient: Patient, day: date) -> date | None:
    for one in days_from(patient.first_day, day):
        high = is_high_dose(patient, one)
        if high is not False:
            return one if high else None
    return None


def kurasawa_triad(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Ferritin over 1000 and ground glass in all six fields before therapy, infiltrates worse during it: all three."""
    start = therapy_start(patient, day)
    if start is None:
        return {None: Answer(NOT_EVALUABLE)}
    ferritin = before_therapy(_numeric(patient, "ferritin", day), start)
    fields = before_therapy(
        [one for one in patient.happened("imaging", "ggo_fields", day) if one.number is not None], start
    )
    readings = {
        one.value
        for code in ("chest_ct", "chest_xray")
        for one in patient.happened("imaging", code, day)
        if one.on_date > start and one.value in ("improved", "stable", "worse")
    }
    signs = [
        agreed(more_than(one, 1000) for one in ferritin),
        agreed(one.number >= 6 for one in fields),
        "worse" in readings if readings else None,
    ]
    return {None: Answer(STATUS[all_of(signs)])}


def before_therapy(records: list, start: date) -> list:
    """The last record within 28 days before or on the start; more than one where the last of that day cannot be told."""
    return last_of_day(newest(one for one in records if later(start, -BEFORE_DAYS) <= one.on_date <= start))
