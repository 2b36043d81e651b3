"""Oxygen: level, FiO2, P/F and alveolo-arterial difference of each oxygen record."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache

from tests.properties.reference.records import STATUS, Answer, Event, Observation, Patient, newest, worst

MEASURES = ("oxygen_device", "oxygen_flow", "fio2", "spo2", "pao2", "paco2", "respiratory_rate")
HIGH_FLOW, INVASIVE = 4, 6
SIMPLE_MASK = {5: "0.40", 6: "0.50", 7: "0.60", 8: "0.60"}
RESERVOIR = {6: "0.60", 7: "0.70", 8: "0.80", 9: "0.90"}


@dataclass(frozen=True)
class OxygenRecord:
    """One row of the oxygen file; None where unknown. P/F in mmHg by its method, A-aDO2 in mmHg."""

    on_date: date
    at: datetime | None
    activity: str | None
    level: int | None
    flow: Decimal | None
    fio2: Decimal | None
    fio2_set: bool
    pf: Fraction | None
    pf_method: str | None
    aado2: Fraction | None


@cache
def oxygen_records(patient: Patient) -> tuple[OxygenRecord, ...]:
    """Every oxygen record of a patient; a saturation alone says nothing of oxygen."""
    sets: dict[int, dict[str, Observation]] = {}
    for one in patient.observations:
        if one.analyte in MEASURES:
            sets.setdefault(one.set_id, {})[one.analyte] = one
    return tuple(_read(patient, cells) for cells in sets.values() if cells.keys() - {"spo2", "respiratory_rate"})


def _read(patient: Patient, cells: dict[str, Observation]) -> OxygenRecord:
    def number(analyte: str) -> Decimal | None:
        return cells[analyte].value if analyte in cells else None

    device = cells["oxygen_device"].coded if "oxygen_device" in cells else None
    flow, spo2, pao2, paco2 = number("oxygen_flow"), number("spo2"), number("pao2"), number("paco2")
    if device is None and flow == 0:
        device = "room_air"
    level = patient.device_levels[device] if device else 1 if flow is not None else None
    fio2 = number("fio2")
    fio2_set = fio2 is not None
    if fio2 is None:
        fio2 = estimated_fio2(device, flow)
    pf = method = aado2 = None
    if fio2 and pao2 is not None:
        pf, method = Fraction(pao2) / Fraction(fio2), "measured"
        if paco2 is not None:
            aado2 = Fraction(fio2) * (760 - 47) - Fraction(paco2) / Fraction("0.8") - Fraction(pao2)
    elif fio2 and spo2 is not None and spo2 <= 97 and Fraction(spo2) / Fraction(fio2) > 64:
        pf, method = (Fraction(spo2) / Fraction(fio2) - 64) / Fraction("0.84"), "imputed"
    one = next(iter(cells.values()))
    return OxygenRecord(one.on_date, one.at, one.activity, level, flow, fio2, fio2_set, pf, method, aado2)


def estimated_fio2(device: str | None, flow: Decimal | None) -> Decimal | None:
    """FiO2 from the flow, where the rulebook gives a table; room air is 0.21."""
    if device == "room_air":
        return Decimal("0.21")
    if flow is None:
        return None
    if device in (None, "nasal_cannula", "low_flow"):
        return Decimal("0.20") + Decimal("0.04") * flow if flow <= 6 else None
    if device == "simple_mask" and flow in SIMPLE_MASK:
        return Decimal(SIMPLE_MASK[flow])
    if device == "reservoir_mask":
        return Decimal("0.95") if flow >= 10 else Decimal(RESERVOIR[flow]) if flow in RESERVOIR else None
    return None


def oxygen_by(patient: Patient, day: date) -> list[OxygenRecord]:
    """The oxygen records dated on or before a day."""
    return [one for one in oxygen_records(patient) if one.on_date <= day]


def urgent_transfer(patient: Patient, day: date) -> dict[str | None, Answer]:
    """High-flow oxygen or more."""
    levels = [one.level for one in newest(oxygen_by(patient, day))]
    return {None: Answer(STATUS[worst(None if level is None else level >= HIGH_FLOW for level in levels)])}


def referral_oxygen(patient: Patient, day: date) -> dict[str | None, Answer]:
    """Any supplemental oxygen, at rest or on exertion; a record in sleep says nothing of either."""
    levels = [one.level for one in newest(one for one in oxygen_by(patient, day) if one.activity != "sleep")]
    return {None: Answer(STATUS[worst(None if level is None else level >= 1 for level in levels)])}


def invasively_supported(patient: Patient, day: date) -> bool:
    """On invasive ventilation or ECMO: by the newest records whose level is known, or by a procedure not over since."""
    known = [one for one in oxygen_by(patient, day) if one.level is not None]
    if max((one.level for one in newest(known)), default=0) >= INVASIVE:
        return True
    runs = patient.happened("procedure", "ecmo", day)
    return any(not (one.until_date and one.until_date < day) and not _came_off(one, known) for one in runs)


def _came_off(run: Event, known: list[OxygenRecord]) -> bool:
    """An ECMO run is over once a lower level is recorded, whatever end is printed later."""
    return any(one.on_date > run.on_date for one in known)
