"""Condition, Procedure and Encounter: rows of events, where a code of dictionary/conditions.toml says which.

* Condition: present, or absent where verificationStatus is refuted; unconfirmed, provisional and differential are no diagnosis yet and are
  held (diagnosis_unconfirmed). Dated by onset, else by recordedDate (date_assumed); ends with abatement; reported on recordedDate.
  One that is over (clinicalStatus resolved, remission, inactive) without the day of its end is held (diagnosis_ended).
* Procedure: completed, in-progress and stopped; not-done, preparation and on-hold are refused (not_done).
* Encounter: an inpatient stay (class IMP, ACUTE, NONAC) whose coded reason says respiratory or other; other classes are counted, not rows.
* A code that the table does not have is passed on as it is, and refused by ingest as code_unknown.
"""

import functools
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pipelines import dictionary
from pipelines.sources.fhir.elements import Unreadable, choice, codings, invalid, many, one, printed, text, when
from pipelines.sources.fhir.named import EVENT
from pipelines.sources.fhir.reading import Reading, Row

TABLE = Path(dictionary.__file__).parent / "conditions.toml"
LOCAL_OF = ("value", "text", "at", "until", "date_assumed", "reported_at", "status")
OTHER_VERSIONS = {
    "Condition": ("patient", "context", "dateRecorded"),
    "Procedure": ("context", "notDone", "notPerformed", "reasonNotPerformed", "occurrenceDateTime", "occurrencePeriod"),
    "Encounter": ("patient", "actualPeriod", "reason", "indication"),
}
INPATIENT = ("IMP", "ACUTE", "NONAC")
OVER = ("resolved", "remission", "inactive")
UNCONFIRMED = ("unconfirmed", "provisional", "differential")
NOT_DONE = ("not-done", "preparation", "on-hold", "planned", "arrived", "triaged", "cancelled")
SYSTEMS = {
    "http://hl7.org/fhir/sid/icd-10": "icd10", "http://hl7.org/fhir/sid/icd-10-cm": "icd10", "urn:oid:2.16.840.1.113883.6.90": "icd10",
    "urn:oid:2.16.840.1.113883.6.3": "icd10", "http://fhir.de/CodeSystem/bfarm/icd-10-gm": "icd10",
    "http://fhir.de/CodeSystem/dimdi/icd-10-gm": "icd10", "http://snomed.info/sct": "snomed", "http://www.ama-assn.org/go/cpt": "cpt",
    "http://www.cms.gov/Medicare/Coding/ICD10": "icd10pcs", "http://hl7.org/fhir/sid/icd-10-pcs": "icd10pcs",
}  # fmt: skip


def rows(reading: Reading) -> Iterator[Row]:
    """The row of one of the three resources. Raises Unreadable."""
    resource = reading.resource
    kind = resource["resourceType"]
    reading.refuse_other_versions(OTHER_VERSIONS[kind])
    cells = {"Condition": _condition, "Procedure": _procedure, "Encounter": _encounter}[kind](reading)
    if cells is None:
        return
    notes = many(resource, "note")
    is_known = cells.pop("known")
    if cells.pop("ours") and notes:  # only beside our own codes: a note may name people
        cells["text"] = text(notes[0], "text")
    if "extension" in resource:
        cells |= {name: cell for name, cell in reading.local().items() if name in LOCAL_OF}
    if kind == "Condition" and is_known and _is_over(resource, cells):
        yield Row("events", cells, "diagnosis_ended", "clinicalStatus")
    else:
        yield Row("events", cells)


def _is_over(resource: dict, cells: dict) -> bool:
    """Whether a diagnosis that would stand as present from its day on is said to have ended, on no day that is given."""
    if cells["value"] != "present" or cells["status"] == "entered_in_error" or cells["until"]:
        return False
    said = {code for _, code, _ in codings(one(resource, "clinicalStatus"))}
    return bool(said & set(OVER) or choice(resource, "abatement")[1])


def _condition(reading: Reading) -> dict:
    resource = reading.resource
    for name in ("clinicalStatus", "verificationStatus"):
        if isinstance(resource.get(name), str):  # a code before R4
            raise Unreadable("resource_not_r4", name)
    verified = {code for _, code, _ in codings(one(resource, "verificationStatus"))}
    if verified & set(UNCONFIRMED):
        raise Unreadable("diagnosis_unconfirmed", "verificationStatus")
    at, until = when(resource, "onset")
    recorded = text(resource, "recordedDate")
    ended, _ = when(resource, "abatement")
    status = "entered_in_error" if "entered-in-error" in verified else "final"
    return reading.common(status) | _coded([one(resource, "code")], "diagnosis") | {
        "at": at or recorded, "until": ended or until, "date_assumed": None if at else "yes", "reported_at": recorded,
        "value": "absent" if "refuted" in verified else "present",
    }  # fmt: skip


def _procedure(reading: Reading) -> dict:
    resource = reading.resource
    status = text(resource, "status")
    if status is None:
        raise invalid("status")
    if status in NOT_DONE:
        raise Unreadable("not_done", "status")
    words = {"completed": "final", "in-progress": "final", "stopped": "final", "entered-in-error": "entered_in_error"}
    at, until = when(resource, "performed")
    coded = _coded([one(resource, "code")], "procedure")
    return reading.common(words.get(status, status)) | coded | {"at": at, "until": until}


def _encounter(reading: Reading) -> dict | None:
    resource = reading.resource
    status = text(resource, "status")
    if not isinstance(resource.get("class"), dict):  # a code in DSTU2, a list in R5
        raise invalid("class") if "class" not in resource else Unreadable("resource_not_r4", "class")
    if status is None:
        raise invalid("status")
    if text(resource["class"], "code") not in INPATIENT:
        reading.odd["Encounter that are no inpatient stay"] += 1
        return None
    if status in NOT_DONE:
        raise Unreadable("not_done", "status")
    words = {"finished": "final", "in-progress": "final", "onleave": "final", "entered-in-error": "entered_in_error"}
    period = one(resource, "period")
    coded = _coded(many(resource, "reasonCode"), "stay")
    return reading.common(words.get(status, status)) | coded | {
        "at": text(period, "start"), "until": text(period, "end"), "value": "present",
    }  # fmt: skip


def _coded(concepts: list[dict], kind: str) -> dict[str, str | bool | None]:
    """kind, code, text; `ours`: the code is our own; `known`: it says one thing. Codes that say different things are passed on
    together, and so refused."""
    given = [coding for concept in concepts for coding in codings(concept)]
    own = next((code for system, code, _ in given if system == EVENT), None)
    if own is not None:
        of, _, code = own.partition("/")
        return {"kind": of, "code": code or None, "text": None, "ours": True, "known": True}
    meant = {found for system, code, _ in given for found in _found(SYSTEMS.get(system), code, kind)}
    said = next(filter(None, (printed(concept) for concept in concepts)), None)
    shown = meant or {code for _, code, _ in given if code} or {said or "no code"}
    return {"kind": kind, "code": ", ".join(sorted(shown)), "text": said, "ours": False, "known": len(meant) == 1}


def _found(system: str | None, code: str, kind: str) -> set[str]:
    """What a code says: that of the longest entry of the table that it begins with (ICD-10), or that is equal to it."""
    blocks = _table().get(kind, {}).get(system or "", {})
    plain = code.replace(".", "").upper()
    if system == "icd10":
        for length in range(len(plain), 0, -1):
            if plain[:length] in blocks:
                return {blocks[plain[:length]]} - {""}
        return set()
    return {blocks[plain]} if plain in blocks else set()


@functools.cache
def _table() -> dict[str, dict[str, dict[str, str]]]:
    """kind -> system -> code without its point -> event code ('': it does not say)."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for name, block in tomllib.loads(TABLE.read_text(encoding="utf-8")).items():
        for code, entries in block.items():
            for entry in entries:
                system = next(key for key in entry if key not in ("verified", "note"))
                meant = "" if code == "unsaid" else code
                found.setdefault(name, {}).setdefault(system, {})[entry[system].replace(".", "").upper()] = meant
    return found
