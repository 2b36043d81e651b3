"""Whom a message is about: the PID segment. The identifier becomes the id of the store, sex and birth year are kept, and
everything else that identifies a person is dropped and counted.

The identifier is the first repetition of PID-3 of type MR, else PI, else without a type, else the first; its assigner is CX.4: an
object identifier as `urn:oid:...` (as FHIR writes it), else its name. Several PID segments of a message are several patients.
"""

import re
from collections import Counter
from typing import NamedTuple

from pipelines.identity import PatientIds
from pipelines.sources.hl7v2.fields import LONGEST_ID, Separators, field
from pipelines.sources.hl7v2.tables import IDENTIFIER_TYPES, SEX

# PID fields that identify a person, and what the load calls them.
DROPPED = {
    4: "other identifiers", 5: "names", 6: "mothers' names", 9: "names", 11: "addresses", 12: "addresses",
    13: "telephone numbers", 14: "telephone numbers", 18: "other identifiers", 19: "other identifiers", 20: "other identifiers",
    21: "mothers' names", 2: "other identifiers", 23: "birth places", 40: "telephone numbers",
}  # fmt: skip
# Segments about other persons and insurance, which are never read.
PERSONAL_SEGMENTS = {
    "NK1": "contacts",
    "GT1": "guarantors",
    "IN1": "insurances",
    "IN2": "insurances",
    "IN3": "insurances",
}
# Where identifiers of patients stand: PID-2, 3 and 4, and those of a patient who was merged away.
NAMING = {"PID": (2, 3, 4), "MRG": (1, 2, 4)}
YEAR = re.compile(r"\d{4}", re.ASCII)


MOST_IDENTIFIERS = 64  # repetitions of PID-3 that are looked at


class Patient(NamedTuple):
    """What a PID says. `id` is None when it has no identifier; `died` is a date, '' (dead, no date) or None."""

    id: str | None
    sex: str
    birth_year: str
    died: str | None
    is_assigned: bool


def read_patient(fields: list[str], separators: Separators, ids: PatientIds, dropped: Counter[str]) -> Patient:
    """The patient of one PID. What is not kept is counted in `dropped`."""
    for number, what in DROPPED.items():
        if separators.plain(field(fields, number)).strip(separators.component):
            dropped[what] += 1
    identifier, assigner, others = _identifier(field(fields, 3), separators)
    dropped["other identifiers"] += others
    if identifier and not ids.are_kept(False):
        dropped["patient identifiers (a pseudonym kept)"] += 1
        identifier = ids.pseudonym(identifier, assigner)
    sex = separators.components(field(fields, 8))[0]
    return Patient(
        identifier or None,
        SEX.get(sex.upper(), sex)[:LONGEST_ID],
        _birth_year(field(fields, 7), separators, dropped),
        _death(fields, separators),
        assigner is not None,
    )


def identifiers(printed: str, separators: Separators, ids: PatientIds) -> list[str]:
    """The id of the store for each identifier of a field."""
    kept = ids.are_kept(False)
    return [one if kept else ids.would_be(one, assigner) for _, one, assigner in _printed(printed, separators)]


def _printed(printed: str, separators: Separators) -> list[tuple[str, str, str | None]]:
    """(type, identifier, assigner) of each repetition of a field."""
    found = []
    for repetition in separators.tree(printed)[:MOST_IDENTIFIERS]:
        parts = (*repetition, *[[""]] * 4)
        identifier = separators.subcomponent.join(parts[0])
        if 0 < len(identifier) <= LONGEST_ID:
            found.append((parts[4][0].upper(), identifier, _authority(parts[3])))
    return found


def _identifier(printed: str, separators: Separators) -> tuple[str, str | None, int]:
    """(identifier, assigner, how many others there are); the identifier is '' when there is none."""
    found = _printed(printed, separators)
    for wanted in IDENTIFIER_TYPES:
        for kind, identifier, assigner in found:
            if kind == wanted:
                return identifier, assigner, len(found) - 1
    return (*found[0][1:], len(found) - 1) if found else ("", None, 0)


def _authority(parts: list[str]) -> str | None:
    """An assigning authority (HD): name & universal id & its type."""
    name, universal, kind = (*parts, "", "")[:3]
    if universal:
        return f"urn:oid:{universal}" if kind.upper() == "ISO" else universal
    return name or None


def _birth_year(printed: str, separators: Separators, dropped: Counter[str]) -> str:
    birth = separators.time(printed)
    if len(birth) > 4:
        dropped["birth dates (year kept)"] += 1
    if not birth or (YEAR.fullmatch(birth[:4]) and birth[4:5] in ("", "-")):
        return birth[:4]
    return birth if birth.isdecimal() and len(birth) < 4 else "unreadable"


def _death(fields: list[str], separators: Separators) -> str | None:
    when, indicator = separators.time(field(fields, 29)), separators.plain(field(fields, 30)).upper()
    if indicator == "Y" or (when and not indicator):
        return when
    return None
