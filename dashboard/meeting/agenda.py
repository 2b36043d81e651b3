"""The agenda of a meeting: who is on it, in which order, and who has been seen. A meeting is the day of its agenda entries."""

from datetime import date
from typing import NamedTuple

from dashboard.data import entering

STATES = {"planned": "to be seen", "seen": "seen", "skipped": "not seen"}


class Place(NamedTuple):
    """A patient's place on an agenda: the entry that says so, and its newest code."""

    patient_id: str
    code: str
    entry: dict


def places(day: date) -> list[Place]:
    """The agenda of a day, in the order in which patients were put on it."""
    found = [entry for entry in entering.standing(("agenda",)) if entry["day"] == day]
    first = {entry["entry_id"]: number for number, entry in enumerate(_as_put(found))}
    ordered = sorted(found, key=lambda entry: first[entry["entry_id"]])
    return [Place(entry["patient_id"], entry["code"], entry) for entry in ordered]


def _as_put(found: list[dict]) -> list[dict]:
    """By where they were put and not when they were last changed: an entry_id begins with its number (`planned`)."""
    return sorted(found, key=lambda entry: entry["entry_id"])


def days() -> list[date]:
    """The days of which there is an agenda, newest first."""
    return sorted({entry["day"] for entry in entering.standing(("agenda",))}, reverse=True)


def planned(day: date, patients: list[str], already: list[Place]) -> list[dict]:
    """The entries that put patients on the agenda of a day, behind those already there; nobody twice."""
    there = {place.patient_id for place in already}
    wanted = [patient for patient in dict.fromkeys(patients) if patient not in there]
    return [
        {
            "kind": "agenda",
            "patient_id": patient,
            "day": day,
            "code": "planned",
            "entry_id": f"agenda-{day}-{number:05}-{entering.new_id()}",
        }
        for number, patient in enumerate(wanted, start=len(already) + 1)
    ]


def marked(place: Place, code: str) -> dict:
    """The entry that says that a patient was seen, skipped, or is to be seen after all."""
    return entering.corrected_version(place.entry, code=code)


def taken_off(place: Place) -> dict:
    """The entry that takes a patient off the agenda."""
    return entering.withdrawn_version(place.entry)


def neighbours(found: list[Place], patient_id: str) -> tuple[str | None, str | None]:
    """The patients before and after one, None at an end."""
    ids = [place.patient_id for place in found]
    here = ids.index(patient_id)
    return (ids[here - 1] if here else None), (ids[here + 1] if here + 1 < len(ids) else None)
