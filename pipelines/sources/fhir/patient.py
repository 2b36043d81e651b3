"""Patient: sex, year of birth, site, and death. Names, addresses and the rest are counted and left behind."""

from collections.abc import Iterator

from pipelines.sources.fhir.elements import invalid, many, one, text
from pipelines.sources.fhir.reading import Reading, Row
from pipelines.sources.fhir.reference import AMBIGUOUS, patient_identity

DROPPED = {
    "name": "names",
    "address": "addresses",
    "telecom": "telephone numbers and mail addresses",
    "photo": "photos",
    "contact": "contacts",
}
OTHER_VERSIONS = ("animal", "careProvider")


def rows(reading: Reading) -> Iterator[Row]:
    """The row of a Patient, and the event of the death. Raises Unreadable."""
    patient = reading.resource
    reading.refuse_other_versions(OTHER_VERSIONS)
    _count_dropped(reading)
    index = reading.index
    keys = reading.keys()
    known = next((index.patients[key] for key in keys if key in index.patients), None)
    own = patient_identity(patient, reading.base)
    patient_id = index.store_id(own if known in (None, AMBIGUOUS) else known)
    born = text(patient, "birthDate")
    organisation = one(patient, "managingOrganization")
    yield Row("patients", {
        "patient_id": patient_id, "sex": text(patient, "gender"),
        "birth_year": born[:4] if born and born[4:5] in ("", "-") else born and "unreadable",
        "site": index.organisation(organisation, reading.base, reading.contained()),
    })  # fmt: skip
    died = text(patient, "deceasedDateTime")
    if died and patient.get("deceasedBoolean") is not None:
        raise invalid("deceasedDateTime and deceasedBoolean")
    if died:
        name = text(patient, "id")
        cells = {"patient_id": patient_id, "kind": "outcome", "code": "death", "at": died}
        yield Row("events", cells | {"record_id": f"{name}#death" if name else None}, part="deceasedDateTime")
    elif patient.get("deceasedBoolean") is True:
        reading.odd["patients are dead without a date: no event"] += 1


def _count_dropped(reading: Reading) -> None:
    for element, what in DROPPED.items():
        found = len(many(reading.resource, element))
        if found:
            reading.odd[f"dropped: {what}"] += found
    if len(text(reading.resource, "birthDate") or "") > 4:
        reading.odd["dropped: birth dates (year kept)"] += 1
