"""Native rows as FHIR R4: what pipelines/sources/fhir.py reads, in reverse. One resource per row; NDJSON or a Bundle by the file's ending.

A native column goes into the element that FHIR has for it, and into an extension urn:mda5-monitor:<column> where it has none or
where its text does not fit the element.
"""

import re
from pathlib import Path

import orjson

from pipelines import dictionary
from pipelines.sources import kinds

Rows = dict[str, list[dict[str, str]]]
LOCAL = "urn:mda5-monitor:"
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
CENSORED = re.compile(rf"(<=|>=|<|>)?({NUMBER.pattern})", re.ASCII)
ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
STATUS = {"": "final", "final": "final", "entered_in_error": "entered-in-error"}
SEX = {"f": "female", "m": "male"}
OXYGEN_UNITS = {"flow_l_min": "L/min", "spo2": "%", "respiratory_rate": "/min", "pao2": "mm[Hg]", "paco2": "mm[Hg]"}


def write(rows: Rows, path: Path) -> None:
    """Writes native rows, by kind: NDJSON where the file is named .ndjson, else a Bundle."""
    resources = resources_of(rows)
    if path.suffix == ".ndjson":
        path.write_bytes(b"".join(orjson.dumps(resource, default=str) + b"\n" for resource in resources))
    else:
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}
        path.write_bytes(orjson.dumps(bundle, option=orjson.OPT_INDENT_2))


def resources_of(rows: Rows) -> list[dict]:
    """The resources, each a dict; numbers are orjson.Fragment, so that they are printed as they stand in the row."""
    makers = {
        "patients": _patient, "labs": _lab, "pft": _pft, "oxygen": _oxygen, "administrations": _administration, "events": _event,
    }  # fmt: skip
    known = {
        row["patient_id"]: f"patient-{n}" for n, row in enumerate(rows.get("patients", []), 1) if row.get("patient_id")
    }
    found = []
    for kind in sorted(rows, key=list(makers).index):
        for row in rows[kind]:
            cells = {name: cell for name, cell in row.items() if cell}
            found.append(_tidy(makers[kind](cells, known)))
    return found


def _tidy(value):
    """Without empty elements, which FHIR forbids."""
    if isinstance(value, dict):
        return {name: tidy for name, inside in value.items() if (tidy := _tidy(inside)) not in (None, "", {}, [])}
    return [_tidy(inside) for inside in value] if isinstance(value, list) else value


def _patient(row: dict, known: dict) -> dict:
    year = row.get("birth_year", "")
    return {
        "resourceType": "Patient", "id": known.get(row.get("patient_id")), "gender": SEX.get(row.get("sex", "").lower(), row.get("sex")),
        "identifier": [{"system": f"{LOCAL}patient", "value": row.get("patient_id")}] if row.get("patient_id") else [],
        "birthDate": year, "managingOrganization": {"display": row.get("site")},
    }  # fmt: skip


def _about(resource: str, row: dict, known: dict, **local: str | None) -> dict:
    """The elements that every resource has. `local`: columns that go into extensions."""
    patient, record = row.get("patient_id"), row.get("record_id", "")
    subject = (
        {"reference": f"Patient/{known[patient]}"}
        if patient in known
        else {"identifier": {"system": f"{LOCAL}patient", "value": patient}}
    )
    named = bool(ID.fullmatch(record))
    return {
        "resourceType": resource, "id": record if named else None, "subject": subject if patient else None,
        "identifier": [] if named or not record else [{"system": f"{LOCAL}record", "value": record}],
        "extension": [_extension(name, cell) for name, cell in local.items() if cell],
    }  # fmt: skip


def _extension(column: str, cell: str | bool) -> dict:
    kind = "valueBoolean" if isinstance(cell, bool) else "valueString"
    return {"url": f"{LOCAL}{column.replace('_', '-')}", kind: cell}


def _observed(row: dict, known: dict, **local: str | None) -> dict:
    """An Observation, with its times and status."""
    reported = row.get("reported_at", "")
    is_instant = bool(INSTANT.fullmatch(reported))
    word = row.get("status", "")
    return _about("Observation", row, known, reported_at="" if is_instant else reported, **local) | {
        "status": STATUS.get(word, word), "effectiveDateTime": _date_time(row.get("at")), "issued": reported if is_instant else None,
    }  # fmt: skip


def _date_time(cell: str | None) -> str | None:
    """FHIR writes seconds wherever it writes a time."""
    return re.sub(r"[T ](\d\d:\d\d)(?=$|[Z+-])", r"T\1:00", cell, flags=re.ASCII) if cell else None


def _value(cell: str | None, unit: str | None = None) -> dict:
    """value[x] of a cell."""
    read = CENSORED.fullmatch(cell or "")
    if read:
        return {"valueQuantity": {"value": orjson.Fragment(read[2]), "comparator": read[1], "unit": unit}}
    if unit:
        return {"valueQuantity": {"extension": [_extension("value", cell)] if cell else [], "unit": unit}}
    return {"valueString": cell}


def _concept(printed: str | None, code: str | None = None) -> dict:
    analyte = kinds.analyte_of_name(printed) if printed else None
    loinc = (
        code or next((one["code"] for one in dictionary.analytes()[analyte]["loinc"]), None)
        if analyte or code
        else None
    )
    coding = [{"system": LOINC, "code": loinc}] if loinc else []
    return {"text": printed, "coding": coding}


def _lab(row: dict, known: dict) -> dict:
    bounds = {name: row.get(name, "") for name in ("ref_low", "ref_high")}
    fits = {name: cell for name, cell in bounds.items() if NUMBER.fullmatch(cell)}
    odd = {name: cell for name, cell in bounds.items() if name not in fits}
    analyte = kinds.analyte_of_name(row.get("analyte", "")) or kinds.analyte_of_code(row.get("code", ""))
    kind = "labs" if analyte in kinds.OXYGEN or (analyte and kinds.kind_of(analyte) == "pft") else None
    resource = _observed(row, known, sample_timing=row.get("sample_timing"), native_kind=kind, **odd)
    range_ = {name.removeprefix("ref_"): {"value": orjson.Fragment(cell)} for name, cell in fits.items()}
    return resource | _value(row.get("value"), row.get("unit")) | {
        "code": _concept(row.get("analyte"), row.get("code")) or None, "method": {"text": row.get("assay")},
        "performer": [{"type": "Organization", "display": row["laboratory"]}] if row.get("laboratory") else [],
        "specimen": {"identifier": {"value": row["specimen_id"]}} if row.get("specimen_id") else None,
        "referenceRange": [range_] if range_ else [],
    }  # fmt: skip


def _pft(row: dict, known: dict) -> dict:
    percent = row.get("percent_predicted")
    part = {"code": {"coding": [{"system": f"{LOCAL}column", "code": "percent_predicted"}]}}
    local = {name: row.get(name) for name in ("phase", "reference_set")}
    return _observed(row, known, **local) | _value(row.get("value"), row.get("unit")) | {
        "code": _concept(row.get("measure")),
        "component": [part | _value(percent, "%" if NUMBER.fullmatch(percent) else None)] if percent else [],
    }  # fmt: skip


def _oxygen(row: dict, known: dict) -> dict:
    parts = []
    for analyte, column in kinds.OXYGEN.items():
        if row.get(column):
            unit = OXYGEN_UNITS.get(column)
            if column == "fio2" and NUMBER.fullmatch(row[column]):
                unit = "1" if float(row[column]) <= 1 else "%"
            is_number = CENSORED.fullmatch(row[column])
            parts.append({"code": _concept(analyte)} | _value(row[column], unit if is_number else None))
    code = {"coding": [{"system": f"{LOCAL}panel", "code": "oxygen"}], "text": "Oxygen"}
    return _observed(row, known, activity=row.get("activity")) | {"code": code, "component": parts}


def _administration(row: dict, known: dict) -> dict:
    """Ordered: MedicationRequest; ongoing or confirmed: MedicationStatement; else MedicationAdministration."""
    action, goes_on = row.get("action", ""), row.get("ongoing", "")
    coding = [{"system": _drug_system(row["code"]), "code": row["code"]}] if row.get("code") else []
    concept = {"text": row.get("drug"), "coding": coding}
    dose = {name: row.get(name) or False for name in ("dose", "dose_unit", "per")}
    local = dose | {"purpose": row.get("purpose"), "status": row.get("status"), "reported_at": row.get("reported_at")}
    route = {"route": {"text": row.get("route")}}
    period = {"start": _date_time(row.get("start")), "end": _date_time(row.get("stop"))}
    kept = {name: row.get(name) or False for name in ("start", "stop", "ongoing", "last_confirmed_on", "action")}
    if action == "ordered":
        resource = _about(
            "MedicationRequest", row, known, **(local | kept | {"reported_at": row.get("reported_at") or False})
        )
        timing = {"timing": {"repeat": {"boundsPeriod": period}}} if row.get("start") else {}
        return resource | {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": concept,
            "dosageInstruction": [timing | route],
        }
    if goes_on or row.get("last_confirmed_on"):
        resource = _about("MedicationStatement", row, known, **(local | kept))
        return resource | {
            "status": "active", "medicationCodeableConcept": concept, "effectivePeriod": period, "dosage": [route],
            "dateAsserted": row.get("last_confirmed_on"),
        }  # fmt: skip
    return _given(row, known, concept, local, kept, period, route)


def _given(row: dict, known: dict, concept: dict, local: dict, kept: dict, period: dict, route: dict) -> dict:
    """The dose in its own elements where they hold it: a rate per day or week, or one dose."""
    number, unit, per = row.get("dose", ""), row.get("dose_unit", ""), row.get("per", "")
    dosage, rate = dict(route), {"day": "d", "week": "wk"}.get(per)
    if NUMBER.fullmatch(number) and unit and rate:
        dosage["rateQuantity"] = {"value": orjson.Fragment(number), "unit": f"{unit}/{rate}"}
        local = local | {"dose": None, "dose_unit": None, "per": None}
    elif NUMBER.fullmatch(number) and unit and per == "dose" and not row.get("stop"):
        dosage["dose"] = {"value": orjson.Fragment(number), "unit": unit}
        local = local | {"dose": None, "dose_unit": None, "per": None}
    action = row.get("action", "")
    fits = {"given": "completed", "": "completed", "not_given": "not-done"}.get(action)
    odd = {} if fits else {"action": action}
    resource = _about("MedicationAdministration", row, known, **(local | odd))
    when = {"effectivePeriod": period} if row.get("stop") else {"effectiveDateTime": period["start"]}
    if row.get("stop"):
        resource["extension"].append(_extension("stop", row["stop"]))
    return resource | when | {"status": fits or "unknown", "medicationCodeableConcept": concept, "dosage": dosage}


def _drug_system(code: str) -> str:
    return "http://www.nlm.nih.gov/research/umls/rxnorm" if code.isdigit() else "http://www.whocc.no/atc"


def _event(row: dict, known: dict) -> dict:
    concept = {"coding": [{"system": f"{LOCAL}event", "code": f"{row.get('kind', '')}/{row.get('code', '')}"}]}
    note = [{"text": row["text"]}] if row.get("text") else []
    at, until, value, word = (
        _date_time(row.get("at")),
        _date_time(row.get("until")),
        row.get("value"),
        row.get("status", ""),
    )
    odd = {"status": word, "date_assumed": row.get("date_assumed"), "reported_at": row.get("reported_at")}
    period = {"start": at, "end": until}
    if row.get("kind") == "diagnosis" and at and value in (None, "present", "absent"):
        odd |= {"reported_at": None, "date_assumed": row.get("date_assumed") or None}
        verified = {"coding": [{"code": "refuted" if value == "absent" else "confirmed"}]}
        return _about("Condition", row, known, **odd) | {
            "verificationStatus": verified, "code": concept, "recordedDate": _date_time(row.get("reported_at")), "note": note,
        } | ({"onsetDateTime": at, "abatementDateTime": until})  # fmt: skip
    if row.get("kind") == "procedure":
        return _about("Procedure", row, known, **odd) | {
            "status": "completed", "code": concept, "note": note,
            "performedPeriod" if until else "performedDateTime": period if until else at,
        }  # fmt: skip
    if row.get("kind") == "stay":
        return _about("Encounter", row, known, **odd, value=value, text=row.get("text")) | {
            "status": "finished", "class": {"code": "IMP"}, "reasonCode": [concept], "period": period,
        }  # fmt: skip
    resource = _observed(row, known, date_assumed=row.get("date_assumed"), until=row.get("until"))
    return resource | _value(value) | {"code": concept, "note": note}
