"""What counts against a transplant, each barrier by itself: grade 0 no barrier, None cannot be told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tests.properties.reference.oxygen import oxygen_by
from tests.properties.reference.records import (
    MET,
    NOT_EVALUABLE,
    NOT_MET,
    Answer,
    Event,
    Observation,
    Patient,
    at_least,
    below,
    more_than,
    newest,
)  # fmt: skip

Grade = int | None
ECMO, INVASIVE = 7, 6
OPEN_DAYS = 28
LUNG = {
    *("lung", "lungs", "pulmonary", "pneumonia", "respiratory", "respiratory tract", "lower respiratory tract"),
    *(
        "airway",
        "airways",
        "bronchi",
        "bronchus",
        "bronchial",
        "lunge",
        "poumon",
        "poumons",
        "pulmón",
        "pulmones",
        "肺",
    ),
}


def transplant_barriers(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Every barrier from the first recorded day on."""
    grades = {
        "age": age(patient, day),
        "bmi": bmi(patient, day),
        "egfr": worst_grade(egfr(one) for one in newest(patient.results("egfr", day))),
        "septic_shock": diagnosed_now(patient, "septic_shock", day),
        "tuberculosis": diagnosed_now(patient, "tuberculosis", day),
        "malignancy_high_risk": diagnosed_now(patient, "malignancy_high_risk", day),
        "extrapulmonary_infection": infected(patient, day),
        "ecmo": ecmo(patient, day),
        "mechanical_ventilation": ventilated(patient, day),
        "connective_tissue_disease": 1,
    }
    return {barrier: _answer(grade) for barrier, grade in grades.items()}


def _answer(grade: Grade) -> Answer:
    if grade is None:
        return Answer(NOT_EVALUABLE)
    return Answer(MET, grade) if grade else Answer(NOT_MET)


def worst_grade(grades: Iterable[Grade]) -> Grade:
    """The worst record of a day: the highest grade, then no barrier, then what cannot be told."""
    return max((grade for grade in grades if grade is not None), default=None)


def age(patient: Patient, day: date) -> Grade:
    """Two possible ages, in completed years: the grade of both, or the lower one where both are a barrier."""
    if patient.birth_year is None:
        return None
    grades = [2 if years > 70 else 1 if years >= 65 else 0 for years in _ages(patient.birth_year, day)]
    return None if 0 in grades and max(grades) else min(grades)


def _ages(birth_year: int, day: date) -> list[int]:
    return [day.year - birth_year - 1, day.year - birth_year]


def egfr(result: Observation) -> Grade:
    """Below 40, up to 60, above."""
    if below(result, 40):
        return 3
    above = more_than(result, 60)
    return None if above is None else 0 if above else 1


def reported_bmi(result: Observation) -> Grade:
    if at_least(result, 35) or below(result, 16):
        return 2
    if at_least(result, 30) or more_than(result, 17) is False:
        return 1
    return 0 if more_than(result, 17) and below(result, 30) else None


def computed_bmi(kg, cm) -> Grade:
    """kg / m2, multiplied out."""
    if 10000 * kg >= 35 * cm * cm or 10000 * kg < 16 * cm * cm:
        return 2
    return 1 if 10000 * kg >= 30 * cm * cm or 10000 * kg <= 17 * cm * cm else 0


@dataclass(frozen=True)
class Size:
    on_date: date
    value: object


def sizes(patient: Patient, code: str, analyte: str, day: date) -> list[Size]:
    """Weights or heights, as events or as results."""
    told = [Size(one.on_date, one.number) for one in patient.happened("measure", code, day) if one.number is not None]
    return told + [Size(one.on_date, one.value) for one in patient.results(analyte, day) if one.value is not None]


def bmi(patient: Patient, day: date) -> Grade:
    """The newest of what was computed from the newest weight and height and what was reported."""
    weights, heights = sizes(patient, "weight_kg", "weight", day), sizes(patient, "height_cm", "height", day)
    reported = newest(patient.results("bmi", day))
    found: dict[date, list[Grade]] = {}
    if weights and heights:
        last = max(newest(weights)[0].on_date, newest(heights)[0].on_date)
        found[last] = [computed_bmi(w.value, h.value) for w in newest(weights) for h in newest(heights)]
    for one in reported:
        found.setdefault(one.on_date, []).append(reported_bmi(one))
    return worst_grade(found[max(found)]) if found else None


def diagnosed_now(patient: Patient, code: str, day: date) -> Grade:
    """The newest thing said, a recorded end saying absent on the day after it."""
    said: dict[date, list[bool]] = {}
    for one in patient.happened("diagnosis", code, day):
        present = one.value != "absent"
        said.setdefault(one.on_date, []).append(present)
        if present and one.until_date and one.until_date < day:
            said.setdefault(date.fromordinal(one.until_date.toordinal() + 1), []).append(False)
    return None if not said else 3 if any(said[max(said)]) else 0


def infected(patient: Patient, day: date) -> Grade:
    """Walks through the infections recorded, each organism at each site by itself."""
    rows = patient.happened("infection", None, day)
    by_kind: dict[tuple, list[tuple[date, date | None]]] = {}
    for on_date, at in {(one.on_date, one.at) for one in rows}:
        together = [one for one in rows if (one.on_date, one.at) == (on_date, at)]
        site = max((one.value for one in together if one.code == "site" and one.value), default=None)
        attributes = _last_days(one for one in together if one.code != "organism")
        organisms = {one.value for one in together if one.code == "organism"}
        for organism in organisms or {None}:
            own = _last_days(one for one in together if one.code == "organism" and one.value == organism)
            found = by_kind.setdefault((organism, site), [])
            found += [(on_date, end) for end in own | attributes or {None}]
    states = [
        _infection_state(site, found, day)
        for (_, site), found in by_kind.items()
        if (site or "").strip().lower() not in LUNG
    ]
    if 3 in states:
        return 3
    return None if None in states or not states else 0


def _last_days(rows: Iterable[Event]) -> set[date]:
    return {one.until_date for one in rows if one.until_date}


def _infection_state(site: str | None, found: list[tuple[date, date | None]], day: date) -> Grade:
    """Open for 28 days after its last record, or to its recorded end, which is known on that day."""
    last = max(on_date for on_date, _ in found)
    ends = [end for _, end in found if end and last <= end <= day]
    if ends and max(ends) < day:
        return 0
    is_open = bool(ends) or (day - last).days <= OPEN_DAYS
    return 3 if is_open and site is not None else None


def _device_levels(patient: Patient, day: date) -> list[tuple[date, int]]:
    """The highest level of each day on which the support is named."""
    levels: dict[date, int] = {}
    for one in oxygen_by(patient, day):
        if one.level is not None:
            levels[one.on_date] = max(one.level, levels.get(one.on_date, 0))
    return sorted(levels.items())


def procedure_runs(patient: Patient, day: date) -> bool:
    """The newest of: ECMO begun; over since its recorded last day; less than invasive ventilation recorded."""
    runs: dict[date, bool] = {on_date: False for on_date, level in _device_levels(patient, day) if level < INVASIVE}
    begun = patient.happened("procedure", "ecmo", day)
    runs |= {
        date.fromordinal(one.until_date.toordinal() + 1): False
        for one in begun
        if one.until_date and one.until_date < day
    }
    runs |= {one.on_date: True for one in begun}
    return bool(begun) and runs[max(runs)]


def ecmo(patient: Patient, day: date) -> Grade:
    levels = _device_levels(patient, day)
    if procedure_runs(patient, day) or (levels and levels[-1][1] == ECMO):
        return 2
    return 0 if levels or patient.drugs_recorded(day) else None


def ventilated(patient: Patient, day: date) -> Grade:
    levels = _device_levels(patient, day)
    if procedure_runs(patient, day) or (levels and levels[-1][1] >= INVASIVE):
        return 1
    return 0 if levels else None
