"""Rows of a patient page made by hand: what `dashboard.data.patient_page` gives, without a store."""

from datetime import date
from itertools import count

TABLES = (
    "observation",
    "event",
    "treatment_course",
    "administration",
    "prednisone_equivalent",
    "oxygen_support",
    "gas_exchange",
    "infection_episode",
    "judgement",
    "held",
)
_numbers = count(1)


def page(**tables: list[dict]) -> dict[str, list[dict]]:
    """A page with the tables given, all others empty."""
    return {name: tables.get(name, []) for name in TABLES}


def result(analyte: str, at: str, value: float | None = None, **more) -> dict:
    """One observation: exact unless `low` and `high` (and open ends) or `coded` say otherwise."""
    record_id = str(next(_numbers))
    row = {
        "record_id": record_id,
        "set_id": record_id,
        "analyte": analyte,
        "at": at,
        "value": value,
        "low": value,
        "low_open": False,
        "high": value,
        "high_open": False,
        "coded": None,
        "unit": None,
        "unit_assumed": False,
        "original_value": str(value),
        "original_unit": None,
        "ref_low": None,
        "ref_high": None,
        "assay": None,
        "laboratory": None,
        "activity": None,
        "phase": None,
        "reference_set": None,
        "status": "final",
        "partial": None,
        "received_at": None,
        "file": "labs.csv",
        "line": 2,
    }
    return row | more


def above(analyte: str, at: str, bound: float, **more) -> dict:
    """A result printed '>bound'."""
    return result(
        analyte, at, None, **{"low": bound, "low_open": True, "high": None, "original_value": f">{bound:g}"} | more
    )


def below(analyte: str, at: str, bound: float, **more) -> dict:
    """A result printed '<bound'."""
    return result(
        analyte, at, None, **{"low": 0.0, "high": bound, "high_open": True, "original_value": f"<{bound:g}"} | more
    )


def held(analyte: str, raw: str, reason: str = "unit_missing", **more) -> dict:
    """A row that a person must settle."""
    row = {
        "source": "labs.csv line 9",
        "reason": reason,
        "field": "unit",
        "found": None,
        "what to do": "Look it up and fill it in.",
        "value as printed": None,
        "date as printed": None,
        "row as received": raw,
        "analyte": analyte,
    }
    return row | more


def oxygen(at: str, level: int | None, flow: float | None = None, fio2: float | None = None, **more) -> dict:
    row = {
        "at": at,
        "level": level,
        "device": None,
        "flow": flow,
        "fio2": fio2,
        "fio2_source": "set" if fio2 else None,
        "spo2": None,
        "sf": None,
        "rox": None,
        "activity": None,
        "evidence": [str(next(_numbers))],
        "source": "oxygen.csv:2",
    }
    return row | more


def course(
    drug: str, drug_class: str, from_date: str, to_date: str | None = None, dose: float | None = None, **more
) -> dict:
    row = {
        "drug": drug,
        "drug_class": drug_class,
        "route": None,
        "action": "given",
        "dosing": "daily",
        "from_date": date.fromisoformat(from_date),
        "to_date": date.fromisoformat(to_date) if to_date else None,
        "dose_per_day": dose,
        "dose_unread": dose is None,
        "dose_unit": "mg",
        "purpose": None,
        "last_confirmed": None,
        "gap": False,
        "pulse": False,
        "systemic": True,
        "evidence": [str(next(_numbers))],
        "notes": [],
    }
    return row | more


def pulse(drug: str, drug_class: str, on: str, dose: float | None = None, **more) -> dict:
    return course(drug, drug_class, on, None, dose, **{"dosing": "dose"} | more)


def administered(drug: str, on: str, last: str | None = None, **more) -> dict:
    """One record of a drug, from the first to the last day it names."""
    row = {
        "record_id": str(next(_numbers)),
        "drug": drug,
        "route": None,
        "action": "given",
        "dose_unit": "mg",
        "per": "day",
        "start_first": date.fromisoformat(on),
        "start": date.fromisoformat(on),
        "stop": date.fromisoformat(last) if last else None,
        "ongoing": False,
        "file": "meds.csv",
        "line": 2,
    }
    return row | more


def equivalent(from_date: str, to_date: str | None, mg: float, **more) -> dict:
    row = {
        "from_date": date.fromisoformat(from_date),
        "to_date": date.fromisoformat(to_date) if to_date else None,
        "mg_per_day": mg,
        "dose_unknown": False,
        "evidence": [str(next(_numbers))],
        "notes": [],
    }
    return row | more


def event(kind: str, code: str, on: str, value: str | None = None, **more) -> dict:
    row = {
        "record_id": str(next(_numbers)),
        "kind": kind,
        "code": code,
        "value": value,
        "number": None,
        "text": None,
        "on_date": date.fromisoformat(on),
        "until_date": None,
        "date_assumed": False,
        "file": "events.csv",
        "line": 2,
    }
    return row | more


def judged(
    criterion: str, group: str, on: str, until: str | None, status: str, item: str | None = None, **more
) -> dict:
    row = {
        "criterion": criterion,
        "group": group,
        "title": criterion.replace("_", " "),
        "item": item,
        "status": status,
        "grade": None,
        "on_date": date.fromisoformat(on),
        "until_date": date.fromisoformat(until) if until else None,
        "evidence": [],
        "missing": [],
    }
    return row | more


def threshold(criterion: str, name: str, value: float, unit: str, title: str = "", tag: str = "published") -> dict:
    return {
        "criterion": criterion,
        "title": title or criterion.replace("_", " "),
        "name": name,
        "value": value,
        "unit": unit,
        "tag": tag,
        "instead_of": None,
    }
