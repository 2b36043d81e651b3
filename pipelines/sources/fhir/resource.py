"""A resource as rows, whatever its type, and what of it is shown when a row is refused."""

from pipelines.sources.fhir import event, medication, observation, patient
from pipelines.sources.fhir.elements import Unreadable
from pipelines.sources.fhir.json_text import written
from pipelines.sources.fhir.reading import Reading, Row
from pipelines.sources.fhir.resource_types import RESOURCE_TYPES

READERS = {
    "Patient": patient.rows, "Observation": observation.rows, "MedicationAdministration": medication.rows,
    "MedicationRequest": medication.rows, "MedicationStatement": medication.rows, "Condition": event.rows,
    "Procedure": event.rows, "Encounter": event.rows,
}  # fmt: skip
KINDS = {
    "Patient": "patients", "Observation": "labs", "MedicationAdministration": "administrations", "MedicationRequest": "administrations",
    "MedicationStatement": "administrations", "Condition": "events", "Procedure": "events", "Encounter": "events",
}  # fmt: skip
# Types of other versions of FHIR whose content would be a row in R4.
OTHER_VERSIONS = ("MedicationOrder", "MedicationUsage", "MedicationPrescription", "DiagnosticOrder")
# What a row shows of its resource: no names, addresses, identifiers, references to people, notes or extensions.
SHOWN = (
    "resourceType", "id", "status", "code", "effectiveDateTime", "issued", "valueQuantity", "gender", "deceasedDateTime", "intent",
    "effectivePeriod", "effectiveInstant", "authoredOn", "dateAsserted", "valueCodeableConcept", "valueString", "valueInteger",
    "valueBoolean",
    "valueRange", "valueRatio", "dataAbsentReason", "interpretation", "referenceRange", "component", "method",
    "medicationCodeableConcept", "dosage", "dosageInstruction", "clinicalStatus", "verificationStatus", "onsetDateTime", "onsetPeriod",
    "abatementDateTime", "recordedDate", "performedDateTime", "performedPeriod", "class", "period", "reasonCode",
)  # fmt: skip


def rows(reading: Reading) -> list[Row]:
    """The rows of a resource; one with a fault where it cannot be read; none for a type that is not read."""
    kind = reading.resource.get("resourceType")
    if not isinstance(kind, str):
        return [Row("unreadable", {}, "resource_invalid", "resourceType")]
    if kind in OTHER_VERSIONS:
        return [Row("unreadable", {}, "resource_not_r4", kind)]
    if kind not in READERS:
        reading.index.seen[kind if kind in RESOURCE_TYPES else "of no type of FHIR R4"] += 1
        return []
    before = dict(reading.odd)
    try:
        return list(READERS[kind](reading))
    except Unreadable as error:
        reading.odd.clear()  # nothing was read of it
        reading.odd.update(before)
        return [Row(KINDS[kind], _patient_alone(reading), error.reason, error.element)]


def _patient_alone(reading: Reading) -> dict[str, str | None]:
    """Who the refused row is about, where at least that can be told."""
    if reading.resource["resourceType"] == "Patient":
        return {}
    try:
        return {"patient_id": reading.patient_id()}
    except Unreadable:
        return {}


def shown(resource: dict) -> str:
    """The resource as received, without what identifies a person; the id of a Patient may be the hospital's number."""
    left_out = ("id",) if resource.get("resourceType") == "Patient" else ()
    kept = {name: resource[name] for name in SHOWN if name in resource and name not in left_out}
    return written(_without_extensions(kept))


def _without_extensions(value: object, depth: int = 0) -> object:
    """Extensions, identifiers, references and displays of references are left out; deeper than any FHIR element: nothing."""
    if isinstance(value, dict) and depth < 12:
        return {
            name: _without_extensions(inside, depth + 1)
            for name, inside in value.items()
            if name not in ("extension", "modifierExtension", "identifier", "reference", "contained", "note")
            and name[:1] != "_"
        }
    if isinstance(value, list) and depth < 12:
        return [_without_extensions(inside, depth + 1) for inside in value]
    return None if isinstance(value, (dict, list)) else value
