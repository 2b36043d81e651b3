"""The agenda of a meeting: who is on it, in which order, and who has been seen. A meeting is the day of its agenda entries.

While the de-identification switch is on that day is on no screen: a meeting is called by its number, the first is 1.
"""

from datetime import date
from typing import NamedTuple

from dashboard.data import deidentified, entering, meeting

STATES = {"planned": "to be seen", "seen": "seen", "skipped": "not seen"}


class Place(NamedTuple):
    """A patient's place on an agenda: the entry that says so, and its newest code."""

    patient_id: str
    code: str
    entry: dict


def places(day: date) -> list[Place]:
    """The agenda of a day, in the order in which patients were put on it."""
    found = [entry for entry in meeting.agendas() if entry["day"] == day]
    return [Place(entry["patient_id"], entry["code"], entry) for entry in deidentified.rows(_as_put(found))]


def _as_put(found: list[dict]) -> list[dict]:
    """By where they were put and not when they were last changed: an entry_id begins with its number (`planned`)."""
    return sorted(found, key=lambda entry: entry["entry_id"])


def days() -> list[date]:
    """The days of which there is an agenda, newest first."""
    return sorted({entry["day"] for entry in meeting.agendas()}, reverse=True)


def called(day: date) -> str | None:
    """The number of a meeting as text; None where there is no agenda of that day."""
    known = sorted(days())
    return str(known.index(day) + 1) if day in known else None


def of_number(number: str) -> date | None:
    """The day of the meeting that is called so."""
    known = sorted(days())
    return (
        known[int(number) - 1]
        if number.isascii() and number.isdecimal() and 0 < int(number[:6]) <= len(known)
        else None
    )


def entered_on(day: date) -> date:
    """The day under which something is entered on a meeting's page: that of the meeting, or today where it is still to come."""
    return min(day, entering.today())


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
