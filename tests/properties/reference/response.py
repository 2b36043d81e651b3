"""Response: off oxygen, and ferritin halved. Good news is told late: of the records of a day the one that denies it decides."""

from datetime import date

from tests.properties.reference.oxygen import MEASURES
from tests.properties.reference.records import (
    STATUS,
    Answer,
    Known,
    Observation,
    Patient,
    all_of,
    any_of,
    at_least,
    later,
    newest,
)  # fmt: skip

SATURATED, APART_DAYS = 92, 7
PEAK_DAYS, EXCHANGE_DAYS = 90, 7


def denied_first(statuses: list[Known]) -> Known:
    """Of the records of a day: not met, then met, then not evaluable."""
    return False if False in statuses else True if True in statuses else None


Sighting = tuple[Known, Known]  # on oxygen; on room air with SpO2 from 92 %


def off_oxygen(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Two days on room air with SpO2 from 92 %, at least 7 days apart, and no record on oxygen between."""
    seen = _sightings(patient, day)
    if not seen:
        return {None: Answer(STATUS[None])}
    last = max(seen)
    earlier = [one for one in seen if one <= later(last, -APART_DAYS)]
    pairs = []
    for first in earlier:
        between = [seen[one][0] for one in seen if first < one < last]
        pairs.append(all_of([seen[first][1], seen[last][1], *(None if on is None else not on for on in between)]))
    return {None: Answer(STATUS[any_of(pairs) if pairs else False])}


def _sightings(patient: Patient, day: date) -> dict[date, Sighting]:
    """By day what its oxygen records say, the one that speaks most against being off oxygen first."""
    rows: dict[int, dict[str, Observation]] = {}
    for one in patient.observations:
        if one.analyte in MEASURES and one.on_date <= day:
            rows.setdefault(one.set_id, {})[one.analyte] = one
    by_day: dict[date, list[Sighting]] = {}
    for cells in rows.values():
        if sighting := _sighting(cells):
            by_day.setdefault(next(iter(cells.values())).on_date, []).append(sighting)
    return {one: _of_the_day(found) for one, found in by_day.items()}


def _sighting(cells: dict[str, Observation]) -> Sighting | None:
    """What one row of the oxygen file says; None where it says nothing of oxygen."""
    device = cells["oxygen_device"].coded if "oxygen_device" in cells else None
    if device is None and "oxygen_flow" in cells:
        device = "room_air" if cells["oxygen_flow"].value == 0 else "low_flow"
    if device is None:
        return (None, None) if "fio2" in cells else None
    if device != "room_air":
        return True, False
    return False, at_least(cells["spo2"], SATURATED) if "spo2" in cells else None


def _of_the_day(found: list[Sighting]) -> Sighting:
    if any(on for on, _ in found):
        return True, False
    told = denied_first([good for on, good in found if on is False])
    if told is not None:
        return False, told
    return (None if any(on is None for on, _ in found) else False), None


def ferritin_halved(patient: Patient, day: date) -> dict[str | None, Answer]:
    """At most half of the highest of the 90 days before; not within 7 days after plasma exchange."""
    numeric = [one for one in patient.results("ferritin", day) if one.low is not None]
    results = newest(numeric)
    if not results or not patient.drugs_recorded(day):
        return {None: Answer(STATUS[None])}
    on = results[0].on_date
    sessions = patient.happened("procedure", "plasma_exchange", on)
    if any(one.on_date >= later(on, -EXCHANGE_DAYS) for one in sessions):
        return {None: Answer(STATUS[None])}
    before = [one for one in numeric if later(on, -PEAK_DAYS) <= one.on_date < on]
    return {None: Answer(STATUS[denied_first([_is_halved(one, before) for one in results])])}


def _is_halved(result: Observation, before: list[Observation]) -> Known:
    """At most half of the highest: for every value that the results can mean, or for none. Nothing cannot be halved."""
    if not before:
        return None
    if result.high is not None and any(one.low >= 2 * result.high and one.low > 0 for one in before):
        return True
    return False if all(_is_more_than_half(result, one) for one in before) else None


def _is_more_than_half(result: Observation, peak: Observation) -> bool:
    if peak.high is None:
        return False
    if peak.high == 0:
        return True
    return 2 * result.low > peak.high or (2 * result.low == peak.high and (result.low_open or peak.high_open))
