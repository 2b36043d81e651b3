"""The elements of a FHIR resource, read with their types checked: texts, codings, dates, references, and our own extensions.

What has no standard place in FHIR stands in an extension `urn:mda5-monitor:<column>` with a valueString (valueBoolean false: the
column is empty): sample-timing, activity, phase, reference-set, purpose, date-assumed, and any native column whose text does not
fit its FHIR element (a reported-at that is no instant, a value that is no number). Read only as the native column of that name.
"""

from pipelines.sources.fhir.json_text import Number

LOCAL = "urn:mda5-monitor:"
UCUM = ("http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8")
LOINC = ("http://loinc.org", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1")
ATC = ("http://www.whocc.no/atc", "urn:oid:2.16.840.1.113883.6.73")
RXNORM = ("http://www.nlm.nih.gov/research/umls/rxnorm", "urn:oid:2.16.840.1.113883.6.88")
NEVER_BY_EXTENSION = frozenset(("patient_id", "record_id", "analyte", "code", "drug", "kind"))


class Unreadable(Exception):
    """A resource that is not read: the reason of ingest/reasons.toml, and the element at fault."""

    def __init__(self, reason: str, element: str) -> None:
        super().__init__(reason, element)
        self.reason, self.element = reason, element


def invalid(element: str) -> Unreadable:
    """The element is missing, or has a wrong type."""
    return Unreadable("resource_invalid", element)


def text(holder: dict, name: str) -> str | None:
    """A text element, None when it is absent or blank. Raises Unreadable when it is no text."""
    value = holder.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or isinstance(value, Number):
        raise invalid(name)
    return value.strip() or None


def number(holder: dict, name: str) -> str | None:
    """A number element, as printed. Raises Unreadable when it is no number."""
    value = holder.get(name)
    if value is not None and not isinstance(value, Number):
        raise invalid(name)
    return value


def one(holder: dict, name: str) -> dict:
    """An object element, empty when it is absent. Raises Unreadable when it is no object."""
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(name)
    return value


def many(holder: dict, name: str) -> list[dict]:
    """A repeating element. Raises Unreadable when it is no array of objects."""
    value = holder.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise invalid(name)
    return value


def choice(holder: dict, name: str) -> tuple[str, object]:
    """The type and the value of an element that stands in one of several types: ('Quantity', {...}) of valueQuantity.
    ('', None) when there is none. Raises Unreadable when there are two."""
    found = [key for key in holder if key.startswith(name) and key[len(name) : len(name) + 1].isupper()]
    found = [key for key in found if holder[key] is not None]
    if len(found) > 1:
        raise invalid(" and ".join(sorted(found)[:3]))
    return (found[0][len(name) :], holder[found[0]]) if found else ("", None)


def codings(concept: dict) -> list[tuple[str, str, str]]:
    """(system, code, display) of each coding, '' where one is absent."""
    return [
        tuple(text(coding, name) or "" for name in ("system", "code", "display")) for coding in many(concept, "coding")
    ]


def printed(concept: dict) -> str | None:
    """How a concept is printed: its text, else the first display, else the first code."""
    said = text(concept, "text")
    if said:
        return said
    of = codings(concept)
    return next((display for _, _, display in of if display), None) or next((code for _, code, _ in of if code), None)


def when(holder: dict, name: str) -> tuple[str | None, str | None]:
    """First and last time of an element that is a date, an instant, a period or a timing with one event; as printed."""
    kind, _ = choice(holder, name)
    if kind in ("DateTime", "Instant", "Date"):
        return text(holder, name + kind), None
    if kind == "Period":
        period = one(holder, name + kind)
        start, end = text(period, "start"), text(period, "end")
        return start or end, end
    if kind == "Timing":
        events = one(holder, name + kind).get("event") or []
        if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
            raise invalid(name + kind)
        return (str(events[0]), None) if len(events) == 1 else (None, None)
    return None, None


def local_columns(resource: dict) -> dict[str, str | None]:
    """The native columns that our own extensions fill."""
    found = {}
    for extension in many(resource, "extension"):
        url = text(extension, "url") or ""
        name = url.removeprefix(LOCAL).replace("-", "_")
        if not url.startswith(LOCAL) or name in NEVER_BY_EXTENSION:
            continue
        found[name] = None if extension.get("valueBoolean") is False else text(extension, "valueString")
    return found
