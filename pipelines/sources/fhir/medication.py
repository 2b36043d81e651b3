"""MedicationAdministration, MedicationRequest and MedicationStatement: rows of administrations.

* MedicationAdministration: completed, in-progress and stopped are given, not-done is not given; on-hold and unknown do not say. A dose
  in a period of one day, or without an end, is one dose; of a longer period it is 'as timed'. A rate per day is a course.
* MedicationRequest: ordered, whatever its status; cancelled and entered-in-error withdraw it. Starts with boundsPeriod of its timing, else
  authoredOn, which is also reported_at. A proposal or option, or doNotPerform, is no order.
* MedicationStatement: what a patient or doctor reports: active is given and ongoing where no end stands, last confirmed on dateAsserted;
  completed and stopped are given; intended is ordered; not-taken is not given; on-hold and unknown do not say.
* Drug: the name, and the ATC code, else the RxNorm code. An ATC code that the dictionary does not have is not replaced by its name (the
  ointment of a drug is another code with the same name).
"""

import functools
from collections.abc import Iterator

from pipelines import dictionary
from pipelines.sources.fhir.dose import AS_TIMED, administered, instructed
from pipelines.sources.fhir.elements import (
    ATC,
    LOCAL,
    RXNORM,
    choice,
    codings,
    invalid,
    many,
    one,
    printed,
    text,
    when,
)  # fmt: skip
from pipelines.sources.fhir.reading import Reading, Row

LOCAL_OF = (
    "dose", "dose_unit", "per", "route", "start", "stop", "ongoing", "last_confirmed_on", "action", "purpose", "reported_at", "status",
)  # fmt: skip
OTHER_VERSIONS = {
    "MedicationAdministration": ("effectiveTimeDateTime", "effectiveTimePeriod", "wasNotGiven", "notGiven", "patient", "prescription",
        "medication", "occurrenceDateTime", "occurrencePeriod"),
    "MedicationRequest": ("context", "definition", "medication", "dateWritten", "patient", "prescriber"),
    "MedicationStatement": ("wasNotTaken", "taken", "patient", "medication", "reasonNotTaken"),
}  # fmt: skip
ADMINISTERED = {
    "completed": "given",
    "in-progress": "given",
    "stopped": "given",
    "not-done": "not_given",
    "entered-in-error": "given",
}
STATED = {
    "active": "given", "completed": "given", "stopped": "given", "intended": "ordered", "not-taken": "not_given",
    "entered-in-error": "given",
}  # fmt: skip
REQUESTED = {
    "entered-in-error": "entered_in_error",
    "cancelled": "cancelled",
    "draft": "preliminary",
    "unknown": "unknown",
}
INTENTS = ("order", "original-order", "reflex-order", "filler-order", "instance-order", "plan")
# SNOMED CT and HL7 codes of routes, from general knowledge (not verified); any other is passed on as printed.
ROUTES = {
    "26643006": "oral", "PO": "oral", "47625008": "iv", "IV": "iv", "34206005": "sc", "SQ": "sc", "78421000": "im", "IM": "im",
    "6064005": "topical", "46713006": "nasal",
}  # fmt: skip


def rows(reading: Reading) -> Iterator[Row]:
    """The row of one of the three resources. Raises Unreadable."""
    resource = reading.resource
    kind = resource["resourceType"]
    reading.refuse_other_versions(OTHER_VERSIONS[kind])
    status = text(resource, "status")
    if status is None:
        raise invalid("status")
    read = {
        "MedicationAdministration": _administration,
        "MedicationRequest": _request,
        "MedicationStatement": _statement,
    }
    cells = read[kind](reading, status) | _drug(reading)
    if "extension" in resource:
        cells |= {name: cell for name, cell in reading.local().items() if name in LOCAL_OF}
    yield Row("administrations", cells)


def _administration(reading: Reading, status: str) -> dict:
    resource = reading.resource
    start, stop = when(resource, "effective")
    dosage = one(resource, "dosage")
    dose = administered(dosage)
    if dose["per"] == "dose" and stop and stop[:10] != (start or "")[:10]:
        dose = dose | {"per": AS_TIMED}
    if dose["per"] == "dose" and stop:
        stop = stop if len(stop) > 10 and stop[:10] == (start or "")[:10] else None
    common = reading.common("entered_in_error" if status == "entered-in-error" else "final")
    return (
        common
        | dose
        | {"start": start, "stop": stop, "action": ADMINISTERED.get(status, status), "route": _route(dosage)}
    )


def _request(reading: Reading, status: str) -> dict:
    resource = reading.resource
    instructions = many(resource, "dosageInstruction")
    period = one(one(one(instructions[0] if instructions else {}, "timing"), "repeat"), "boundsPeriod")
    written = text(resource, "authoredOn")
    intent = text(resource, "intent")
    if intent is None:
        raise invalid("intent")
    action = "ordered" if intent in INTENTS else intent
    if resource.get("doNotPerform") is True:
        action = "do not perform"
    return reading.common(REQUESTED.get(status, "final")) | instructed(instructions) | {
        "start": text(period, "start") or written, "stop": text(period, "end"), "action": action, "reported_at": written,
        "route": _route(instructions[0] if instructions else {}),
    }  # fmt: skip


def _statement(reading: Reading, status: str) -> dict:
    resource = reading.resource
    start, stop = when(resource, "effective")
    dosages = many(resource, "dosage")
    goes_on = status == "active" and stop is None
    return reading.common("entered_in_error" if status == "entered-in-error" else "final") | instructed(dosages) | {
        "start": start, "stop": stop, "action": STATED.get(status, status), "ongoing": "yes" if goes_on else None,
        "last_confirmed_on": text(resource, "dateAsserted"), "route": _route(dosages[0] if dosages else {}),
    }  # fmt: skip


def _route(dosage: dict) -> str | None:
    route = one(dosage, "route")
    if not route:
        return None
    known = {ROUTES[code] for _, code, _ in codings(route) if code in ROUTES}
    said = text(route, "text")
    return said or (known.pop() if len(known) == 1 else printed(route))


def _drug(reading: Reading) -> dict[str, str | None]:
    """The columns drug and code."""
    resource = reading.resource
    kind, _ = choice(resource, "medication")
    if kind == "CodeableConcept":
        concept = one(resource, "medicationCodeableConcept")
    elif kind == "Reference":
        reference = one(resource, "medicationReference")
        concept = reading.index.medication(reference, reading.base, reading.contained())
    else:
        raise invalid("medication[x]")
    said = [name for name in (text(concept, "text"), *(display for _, _, display in codings(concept))) if name]
    by_system = {"atc": [], "rxnorm": []}
    for system, code, _ in codings(concept):
        if code and (system in ATC or system in RXNORM or system == f"{LOCAL}code"):
            by_system["rxnorm" if system in RXNORM else "atc"].append(code)
    codes = by_system["atc"] + by_system["rxnorm"]
    meant = {code: drug for code in codes if (drug := _drugs().get(dictionary.normal_name(code)))}
    if len(set(meant.values())) > 1:  # ingest refuses a row whose drug and code contradict each other
        (_, drug), *others = meant.items()
        return {"drug": drug, "code": next(code for code, other in others if other != drug)}
    if by_system["atc"] and not meant:
        return {"drug": None, "code": by_system["atc"][0]}
    known = next((name for name in said if dictionary.normal_name(name) in _drugs()), None)
    return {"drug": known or next(iter(said), None), "code": next(iter(meant), codes[0] if codes else None)}


@functools.cache
def _drugs() -> dict[str, str]:
    """Normalised name or code -> drug."""
    found = {}
    for drug, block in dictionary.drugs().items():
        codes = [code.get("atc") or code.get("rxnorm") for code in block["codes"]]
        names = [drug, block.get("title", drug), *block["synonyms"], *block["synonym_routes"], *codes]
        found |= {dictionary.normal_name(name): drug for name in names if name}
    return found
