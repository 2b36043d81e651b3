"""Transplant listing: the 6-minute walk, events, and ECMO as a bridge."""

from datetime import date

from tests.properties.reference.oxygen import OxygenRecord, oxygen_by
from tests.properties.reference.records import (
    MET,
    NOT_MET,
    STATUS,
    Answer,
    Event,
    Known,
    Patient,
    all_of,
    any_of,
    later,
    newest,
    worst,
)  # fmt: skip
from tests.properties.reference.transplant import referral_refractory

SIX_MONTHS = 183
INVASIVE_VENTILATION = 6
EVENTS = [
    ("stay", "respiratory"),
    ("diagnosis", "pneumothorax"),
    ("diagnosis", "acute_exacerbation"),
    ("diagnosis", "pulmonary_hypertension"),
]


def shorter(new: Event, walks: list[Event]) -> Known:
    """Down by more than 50 m against any walk of the 183 days before."""
    earlier = [old for old in walks if later(new.on_date, -SIX_MONTHS) <= old.on_date < new.on_date]
    return any_of(old.number - new.number > 50 for old in earlier)


def listing_walk(patient: Patient, day: date) -> dict[str | None, Answer]:
    """SpO2 below 88 % on the newest walk that tells it, or the newest distance shorter."""
    saturations = patient.happened("measure", "walk_lowest_spo2", day)
    walks = patient.happened("measure", "walk_distance_m", day)
    desaturated = worst(one.number < 88 for one in newest(saturations))
    return {None: Answer(STATUS[any_of([desaturated, worst(shorter(new, walks) for new in newest(walks))])])}


def occurred(patient: Patient, kind: str, code: str, day: date) -> Known:
    """Recorded as present at any time; not so only where a record says absent and none says present."""
    said = [one.value for one in patient.happened(kind, code, day)]
    return any_of(value != "absent" for value in said)


def listing_events(patient: Patient, day: date) -> dict[str | None, Answer]:
    """A respiratory hospital stay, pneumothorax, acute exacerbation or pulmonary hypertension."""
    return {None: Answer(STATUS[any_of(occurred(patient, kind, code, day) for kind, code in EVENTS)])}


def ventilated_since(known: list[OxygenRecord]) -> date | None:
    """The first day of the run of days with invasive ventilation that reaches the newest record; None: not ventilated now."""
    start = None
    for day in sorted({one.on_date for one in known}):
        on_it = any(one.level == INVASIVE_VENTILATION for one in known if one.on_date == day)
        start = (start or day) if on_it else None
    return start


def severe_on_ventilation(patient: Patient, day: date) -> Known:
    """Invasive ventilation with P/F < 100 on the newest blood gas (or saturation) of that run of ventilation."""
    records = oxygen_by(patient, day)
    known = [one for one in records if one.level is not None]
    if not known:
        return None
    start = ventilated_since(known)
    if start is None:
        return False
    measured = [one for one in records if one.pf is not None and one.on_date >= start]
    return worst(one.pf < 100 for one in newest(one for one in measured if one.level in (None, INVASIVE_VENTILATION)))


def ecmo_consideration(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Severe on invasive ventilation, and refractory disease."""
    refractory = {MET: True, NOT_MET: False}.get(referral_refractory(patient, day)[None].status)
    return {None: Answer(STATUS[all_of([severe_on_ventilation(patient, day), refractory])])}
