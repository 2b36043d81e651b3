"""Observation: one row of labs, pft, oxygen or events, or one for each component.

* `status` as the native word; registered is preliminary; missing is invalid, and any other word is refused by ingest.
* `at`: effectiveDateTime, effectiveInstant, the start of effectivePeriod, the one event of effectiveTiming. `reported_at`: issued, else
  the issue time of the report that lists it. A result that a withdrawn report of the file lists is withdrawn with it.
* A value with dataAbsentReason, or without value and components, is a row without a value: it is refused as missing, never skipped.
* Components and the Observation's own value that are of the oxygen kind make one row; a percentage of predicted joins its measure.
  Others are rows of their own, with record_id <id>#<what it names>. A panel that only names members (hasMember) is no row.
* interpretation, bodySite, notes and conclusions are not interpreted.
"""

from collections.abc import Iterator

from pipelines.sources import kinds
from pipelines.sources.fhir.elements import Unreadable, choice, invalid, many, one, printed, text, when
from pipelines.sources.fhir.named import MEASURES, Named, named
from pipelines.sources.fhir.quantity import oxygen_cell, reference_range, value
from pipelines.sources.fhir.reading import Reading, Row

STATUS = {
    "registered": "preliminary", "preliminary": "preliminary", "final": "final", "amended": "amended", "corrected": "corrected",
    "cancelled": "cancelled", "entered-in-error": "entered_in_error",
}  # fmt: skip
OTHER_VERSIONS = (
    "comments",
    "comment",
    "related",
    "context",
    "reliability",
    "appliesDateTime",
    "appliesPeriod",
    "name",
    "valueAttachment",
)
LABS, PFT = ("sample_timing", "assay", "laboratory", "specimen_id"), ("phase", "reference_set")
LOCAL_OF = {
    "labs": (*LABS, "value", "ref_low", "ref_high", "reported_at", "at", "status"),
    "pft": (*PFT, "value", "percent_predicted", "reported_at", "at", "status"),
    "oxygen": ("activity", *kinds.OXYGEN.values(), "reported_at", "at", "status"),
    "events": ("value", "until", "text", "date_assumed", "reported_at", "at", "status"),
}


def rows(reading: Reading) -> Iterator[Row]:
    """The rows of one Observation. Raises Unreadable where the whole resource cannot be read."""
    resource = reading.resource
    reading.refuse_other_versions(OTHER_VERSIONS)
    if isinstance(resource.get("category"), dict):
        raise Unreadable("resource_not_r4", "category")
    status = text(resource, "status")
    if status is None or not one(resource, "code"):
        raise invalid("status" if status is None else "code")
    what = named(resource["code"])
    common = _common(reading, STATUS.get(status, status))
    parts = many(resource, "component")
    if what.kind == "events":
        yield _event(reading, what, common)
        return
    if "extension" in resource and what.kind in ("oxygen", "pft") and reading.local().get("native_kind") == "labs":
        what = what._replace(kind="labs")  # it stood in a labs file
    has_own = bool(choice(resource, "value")[0]) or "dataAbsentReason" in resource
    if not has_own and not parts and many(resource, "hasMember"):
        reading.odd["Observation that only name their members"] += 1
        return
    yield from _Results(reading, what, common, has_own).rows(parts)


def _common(reading: Reading, status: str) -> dict[str, str | None]:
    resource, index = reading.resource, reading.index
    at, _ = when(resource, "effective")
    reported_at, keys = text(resource, "issued"), reading.keys()
    if any(key in index.withdrawn for key in keys):
        status = "entered_in_error"
    if reported_at is None:
        reported_at = next((index.issued[key] for key in keys if key in index.issued), None)
    if reported_at is None and status not in ("preliminary", "final"):
        # when a correction or withdrawal became known: without it, it would have been known from the day of the specimen on
        reported_at = text(one(resource, "meta"), "lastUpdated")
    return reading.common(status) | {"at": at, "reported_at": reported_at}


def _event(reading: Reading, what: Named, common: dict) -> Row:
    kind, _, code = what.local.partition("/")
    found, unit = value(reading.resource, None)
    cells = common | {
        "kind": kind,
        "code": code or None,
        "value": found,
        "until": when(reading.resource, "effective")[1],
    }
    if what.code is None:  # our own code: its note is the text of the native row
        notes = many(reading.resource, "note")
        cells["text"] = text(notes[0], "text") if notes else None
    elif unit != MEASURES[what.code][1]:
        return Row("labs", common | {"analyte": None, "code": what.code, "value": found, "unit": unit})
    return Row("events", cells | _local(reading, "events"))


def _local(reading: Reading, kind: str) -> dict[str, str | None]:
    if "extension" not in reading.resource:
        return {}
    return {name: cell for name, cell in reading.local().items() if name in LOCAL_OF[kind]}


class _Results:
    """One Observation on its way to rows."""

    def __init__(self, reading: Reading, what: Named, common: dict, has_own: bool) -> None:
        self.reading, self.what, self.common, self.has_own = reading, what, common, has_own
        self.resource, self.used = reading.resource, set()

    def rows(self, parts: list[dict]) -> Iterator[Row]:
        """Its own value, and those of its components."""
        own = self.what
        members = [(part, named(one(part, "code"))) for part in parts]
        oxygen = ([(self.resource, own)] if self.has_own and own.kind == "oxygen" and own.analyte else []) + [
            (part, what) for part, what in members if what.kind == "oxygen"
        ]
        grouped = self._together(oxygen, bool(own.local)) if oxygen or own.local == "oxygen" else None
        if grouped:
            yield grouped
        percent = None
        if own.kind == "pft":
            percent = next((part for part, what in members if self._is_percent(what)), None)
        if (
            (self.has_own or not parts or percent)
            and id(self.resource) not in self.used
            and not (grouped and own.local)
        ):
            yield self._single(self.resource, own, "", percent)
        for number, (part, what) in enumerate(members, start=1):
            if id(part) not in self.used and part is not percent:
                yield self._single(part, what, f"component {number}", None)

    def _is_percent(self, what: Named) -> bool:
        return what.local == "percent_predicted" or (
            what.analyte is not None and what.analyte == f"{(self.what.analyte or '').removesuffix('_percent')}_percent"
            and what.analyte != self.what.analyte
        )  # fmt: skip

    def _together(self, members: list[tuple[dict, Named]], is_set: bool) -> Row | None:
        """The oxygen row of all members whose value is in the unit of its column; None when a column would be filled twice."""
        if len({what.analyte for _, what in members}) < len(members):
            self.reading.odd["Observation with one measurement in two components: each is a row of its own"] += 1
            return None
        cells = {}
        for member, what in members:
            try:
                cell = oxygen_cell(what.analyte, *value(member, what.analyte))
            except Unreadable:
                continue
            if cell is None and (choice(member, "value")[0] or not is_set):
                continue
            cells[kinds.OXYGEN[what.analyte]] = cell
            self.used.add(id(member))
        if not cells and not is_set:
            return None
        alone = self.has_own and id(self.resource) not in self.used
        own = self.common | ({"record_id": self._record_id("oxygen")} if alone else {})
        return Row("oxygen", own | cells | _local(self.reading, "oxygen"))

    def _record_id(self, what: str) -> str | None:
        own = self.common["record_id"]
        return f"{own}#{what}" if own else None

    def _single(self, holder: dict, what: Named, part: str, percent: dict | None) -> Row:
        """The row of one value. What cannot be read in it is the fault of this row alone."""
        kind = (
            "pft" if what.kind == "pft" else "labs"
        )  # an oxygen value in another unit is judged as a result of its own
        cells = dict(self.common)
        if part:
            cells["record_id"] = self._record_id(what.analyte or what.code or what.printed or part)
        cells |= {"measure": what.printed} if kind == "pft" else {"analyte": what.printed, "code": what.code}
        try:
            cells["value"], cells["unit"] = value(holder, what.analyte)
            if percent is not None:
                cells["percent_predicted"], unit = value(percent, None)
                if unit not in (None, "%"):
                    raise Unreadable("resource_invalid", "component")
            if kind == "labs":
                cells |= self._of_laboratory(holder, cells["unit"])
            return Row(kind, cells | _local(self.reading, kind), part=part)
        except Unreadable as error:
            return Row(kind, cells, error.reason, f"{part}, {error.element}" if part else error.element)

    def _of_laboratory(self, holder: dict, unit: str | None) -> dict[str, str | None]:
        low, high, left_out = reference_range(holder, unit)
        if left_out:
            self.reading.odd[
                "results whose reference range is for some people only, in words or in another unit: not taken"
            ] += 1
        resource = self.resource
        method, device = one(resource, "method"), one(resource, "device")
        return {
            "ref_low": low, "ref_high": high, "laboratory": self._laboratory(), "specimen_id": self._specimen(),
            "assay": (printed(method) if method else None) or text(device, "display"),
        }  # fmt: skip

    def _laboratory(self) -> str | None:
        contained = self.reading.contained() if "contained" in self.resource else {}
        for performer in many(self.resource, "performer"):
            name = self.reading.index.organisation(performer, self.reading.base, contained)
            if name:
                return name
        return None

    def _specimen(self) -> str | None:
        specimen = one(self.resource, "specimen")
        if not specimen:
            return None
        reference = text(specimen, "reference") or ""
        return text(one(specimen, "identifier"), "value") or reference.removeprefix("Specimen/") or None
