"""FHIR R4 in JSON: a Bundle, a single resource, or NDJSON (one resource a line). UTF-8, with or without a byte order mark.

Read: Patient, Observation, MedicationAdministration, MedicationRequest, MedicationStatement, Condition, Procedure, Encounter;
references are looked up among Patient, Medication, Organization and DiagnosticReport (see reference.py). Other types are
counted in a note and are no rows. The conclusion of a DiagnosticReport is not interpreted.

* A file is read twice: once for what references point at, once for the rows. A Bundle is read entry by entry.
* record_id is the resource's id: resources of one id are versions of one fact, the later line or entry being the later version. The
  entries of a history Bundle are read from the oldest on (meta.lastUpdated); a later version without an issue time of
  its own was made known when it was last updated. An entry that deletes a resource (request.method DELETE) withdraws the
  version that the same file has of it; where the file has none, the entry is refused (deletion_unknown).
* A line that is no JSON is a rejected row; a Bundle that is no JSON is refused as a whole.
* `line` is the running number of the row in the file; `place` says which line or entry it is, where that
  is not the line of this number.
"""

import codecs
import re
from collections import Counter
from collections.abc import Container, Iterator
from pathlib import Path

from pipelines.errors import FileRefused
from pipelines.sources import Batch, Declared
from pipelines.sources.batching import Gatherer
from pipelines.sources.fhir import resource as any_resource
from pipelines.sources.fhir.bundle import DEEPEST_BUNDLE, entries, last_updated, text_in, with_urls
from pipelines.sources.fhir.json_text import LONGEST_VALUE, Document, NotJson, line_blocks, overlapping_texts, parse
from pipelines.sources.fhir.reading import Reading, Row
from pipelines.sources.fhir.reference import INDEXED, Index, base_of
from pipelines.sources.fhir.repeated import Repeated

SUFFIXES = (".json", ".ndjson", ".jsonl")
INDEXED_TYPE = re.compile(rb'"resourceType"\s*:\s*"(?:%s|Bundle|[^"]*\\)' % "|".join(INDEXED).encode())
# Patients in the text of any resource: references to them under any name, and identifiers in the order of the standard.
REFERENCE = re.compile(r'(?:https?://[^"\s?#]+/)?Patient/[A-Za-z0-9\-.]{1,64}')
BASE = re.compile(r'"(https?://[^"\s?#]+)/[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}"')
IDENTIFIER = re.compile(r'"system"\s*:\s*"([^"\\]{1,200})"\s*,\s*"value"\s*:\s*"([^"\\]{1,200})"')
MOST_TAKEN = 90_000  # rows remembered at once: many small batches cost a load more memory than few large ones


def recognises(path: Path, declared: Declared) -> bool:
    """A file that is named JSON, or begins with a JSON object that has a resourceType."""
    with path.open("rb") as file:
        head = file.read(1 << 16).removeprefix(codecs.BOM_UTF8).lstrip()
    return path.suffix.lower() in SUFFIXES or (head.startswith(b"{") and b'"resourceType"' in head)


def read(path: Path, declared: Declared) -> "Fhir":
    """Reads what references point at. Raises FileRefused where the file is no FHIR in JSON."""
    with path.open("rb") as file:
        head = file.read(4)
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in head:
        raise FileRefused("The file is not UTF-8.", path.name, "Save it as UTF-8; FHIR allows nothing else.")
    return Ndjson(path, declared) if _has_lines(path) else Single(path, declared)


def _has_lines(path: Path) -> bool:
    """Whether each line is a resource: a second line follows a first one that is an object by itself (or, in a file named NDJSON,
    both begin like one)."""
    with path.open("rb") as file:
        lines = []
        while len(lines) < 2 and (line := file.readline(LONGEST_VALUE)):
            if line.strip(b" \t\r\n\xef\xbb\xbf"):
                lines.append(line)
    if len(lines) < 2:
        return bool(lines) and path.suffix.lower() != ".json" and not _is_object(lines[0], 1 << 20)
    if _is_object(lines[0], LONGEST_VALUE):
        return True
    begin = all(line.lstrip(b" \t\xef\xbb\xbf").startswith(b"{") for line in lines)
    return path.suffix.lower() != ".json" and (
        begin or not lines[0].lstrip(b"\xef\xbb\xbf \t").startswith((b"{", b"["))
    )


def _is_object(line: bytes, longest: int) -> bool:
    if len(line) > longest:
        return False
    try:
        return isinstance(parse(line.decode("utf-8-sig")), dict)
    except (NotJson, UnicodeDecodeError):
        return False


class Fhir:
    """One FHIR file (a Source, see sources/__init__.py)."""

    may_hold_commas, separated_by_comma = False, True

    def __init__(self, path: Path, declared: Declared) -> None:
        self.path, self.declared, self.decimal = path, declared, declared.decimal
        self.size, self.position, self.notes = path.stat().st_size, 0, []
        self.index = self._indexed()

    def _indexed(self) -> Index:
        raise NotImplementedError

    def _batches(self) -> Iterator[Batch]:
        raise NotImplementedError

    @property
    def links(self) -> dict[str, str]:
        """What the patients of this file are called by their resource ids alone -> their ids in the store."""
        return self.index.links

    @property
    def durable_links(self) -> set[str]:
        """Those of the links that name the server, or were declared to be of one assigner: they hold for later files too."""
        return self.index.durable_links

    @property
    def references(self) -> dict[str, str]:
        """Links that name the server -> the ids in the store of references to it, where the links are not known."""
        return self.index.references

    @property
    def unlinked(self) -> dict[str, str]:
        """Ids of patients whose resource is not in this file -> what they are called. Grows while `batches` runs."""
        return self.index.unlinked

    def batches(self) -> Iterator[Batch]:
        """The rows, in order (see Source)."""
        self.odd, self.index.odd, self.index.seen = Counter(), Counter(self._index_odd), Counter()
        self.number = self.unnamed = 0
        yield from self._batches()
        self.position = self.size
        self._note()

    def speaks_of(self, names: Container[str]) -> bool:
        """Whether a resource that is not read, or cannot be, refers to one of these patients or has their identifier.

        Asked after `batches`: where every resource was read as somebody's, the file has nothing else to look at."""
        if not (self.index.seen or self.unnamed):
            return False
        ids, bases, references = self.declared.ids, {""}, set()
        kept = ids.are_kept(False)
        for text in overlapping_texts(self.path):
            bases |= set(BASE.findall(text))
            references |= set(REFERENCE.findall(text))
            for system, value in set(IDENTIFIER.findall(text)):
                if (value if kept else ids.would_be(value, system)) in names:
                    return True
        return any(name in names for one in references for name in self.index.called(one, bases))

    def _note(self) -> None:
        """What was found, once: the batches may be read again."""
        odd = self.odd + self.index.odd
        dropped = {what.removeprefix("dropped: "): n for what, n in odd.items() if what.startswith("dropped: ")}
        notes = []
        if dropped:
            notes.append("dropped at the door: " + ", ".join(f"{n} {what}" for what, n in sorted(dropped.items())))
        if self.index.seen:
            notes.append(
                "types not read: " + ", ".join(f"{n} {kind[:60]}" for kind, n in self.index.seen.most_common(20))
            )
        notes += [f"{n} {what}" for what, n in sorted(odd.items()) if not what.startswith("dropped: ")]
        self.notes += [note for note in notes if note not in self.notes]

    def rows_of(self, resource: dict, full_url: str = "") -> list[Row]:
        """The rows of a resource."""
        return any_resource.rows(Reading(resource, self.index, full_url, base_of(full_url), self.odd))

    def numbered(self, rows: list[Row], place: str, raw: str) -> Iterator[tuple[str, dict]]:
        """The rows as a Gatherer takes them: (kind, cells)."""
        for row in rows:
            self.number += 1
            self.unnamed += not row.cells.get("patient_id")
            where = f"{place}, {row.part}" if row.part else place
            where = None if where == f"line {self.number}" else where[:300]
            own = {"line": self.number, "place": where, "raw": raw, "cell_fault": row.fault}
            yield row.kind, row.cells | own

    def of_entry(self, entry: object, place: str, depth: int = 0) -> Iterator[tuple[list[Row], str, dict]]:
        """(rows, place, resource) of a Bundle's entry, and of the entries of a Bundle in it."""
        if not isinstance(entry, dict):
            yield [Row("unreadable", {}, "resource_invalid", "entry")], place, {}
            return
        resource, url = entry.get("resource"), entry.get("fullUrl")
        url = url if isinstance(url, str) else ""
        request = entry.get("request")
        if isinstance(request, dict) and request.get("method") == "DELETE":
            yield self._deleted(entry, request), place, {}
        elif isinstance(resource, dict) and resource.get("resourceType") == "Bundle" and depth < DEEPEST_BUNDLE:
            for number, inside in enumerate(entries(resource), start=1):
                yield from self.of_entry(inside, f"{place}, entry {number}", depth + 1)
        elif isinstance(resource, dict):
            yield self.rows_of(resource, url), place, resource
        elif resource is not None or not (
            "response" in entry or "link" in entry or "search" in entry or "request" in entry
        ):
            yield [Row("unreadable", {}, "resource_invalid", "resource")], place, {}

    def _deleted(self, entry: dict, request: dict) -> list[Row]:
        """A deletion whose earlier versions are not known to this file."""
        return [Row("unreadable", {}, "deletion_unknown", _type_in(_deleted_url(entry, request)) or "request.url")]


class Ndjson(Fhir):
    """One resource a line."""

    format = "fhir/ndjson"

    def _indexed(self) -> Index:
        index, resources = Index(self.declared), False
        for block in line_blocks(self.path):
            resources = resources or b'"resourceType"' in block
            if not INDEXED_TYPE.search(block):
                continue
            for line in block.split(b"\n"):
                if INDEXED_TYPE.search(line):
                    for resource, url in with_urls(_or_none(line)):
                        index.add(resource, url)
        if not resources:
            raise FileRefused(
                "The file is not FHIR: no line has a resourceType.",
                self.path.name,
                "FHIR R4 in JSON or NDJSON is read.",
            )
        self._index_odd = index.odd
        return index

    def _batches(self) -> Iterator[Batch]:
        gatherer, repeated, number, taken = Gatherer(), Repeated(self.index), 0, 0
        for block in line_blocks(self.path):
            is_text = True
            try:
                lines = block.decode().split("\n")
            except UnicodeDecodeError:
                is_text, lines = False, block.split(b"\n")
            for line in lines:
                number += 1
                if repeated.is_worth_it and is_text and repeated.take(line, self.number + 1, number):
                    self.number, taken = self.number + 1, taken + 1
                    if taken == MOST_TAKEN:
                        yield from repeated.batch(self.odd)
                        taken = 0
                    continue
                for kind, row in self.of_line(line, f"line {number}"):
                    yield from gatherer.add(kind, row)
            number -= block.endswith(b"\n")
            self.position += len(block)
        yield from repeated.batch(self.odd)
        yield from gatherer.rest()

    def of_line(self, line: str | bytes, place: str) -> Iterator[tuple[str, dict]]:
        """The rows of one line, numbered on. Bytes where its block is not UTF-8."""
        if not line.strip():
            return
        try:
            resource = parse(line if isinstance(line, str) else line.decode())
            if not isinstance(resource, dict):
                raise NotJson("it is no object")
        except (NotJson, UnicodeDecodeError) as error:
            why = error if isinstance(error, NotJson) else "it is not UTF-8"
            yield from self.numbered(
                [Row("unreadable", {}, "json_unreadable", str(why))],
                place,
                _start(line if isinstance(line, bytes) else line.encode()),
            )
            return
        for rows, where, inside in self.of_entry({"resource": resource}, place):
            if rows:
                yield from self.numbered(rows, where, any_resource.shown(inside))


class Single(Fhir):
    """A Bundle, or a single resource."""

    format = "fhir/bundle"

    def _indexed(self) -> Index:
        document, index = Document(self.path), Index(self.declared, of_versions=False)
        versions = Index(self.declared, of_versions=True)
        for _, entry, _ in document.entries():
            for resource, url in with_urls({"resourceType": "Bundle", "entry": [entry]}):
                index.add(resource, url)
                versions.add(resource, url)
        self.head = document.head
        kind = self.head.get("resourceType")
        if not isinstance(kind, str):
            raise FileRefused(
                "The file is JSON but not FHIR: it has no resourceType.", self.path.name, "FHIR R4 is read."
            )
        if kind != "Bundle":
            self.format = "fhir/resource"
            index.add(self.head)
        self.is_history = self.head.get("type") == "history"
        chosen = index
        if self.is_history:
            chosen = versions
            for entry, _ in self._oldest_first():  # the newest version of a Patient counts
                for resource, url in with_urls({"resourceType": "Bundle", "entry": [entry]}):
                    chosen.add(resource, url)
        self._index_odd = chosen.odd
        return chosen

    def _oldest_first(self) -> Iterator[tuple[object, int]]:
        """The entries of a history and their places, oldest first: only their texts are kept in memory."""
        kept = [(last_updated(entry), -place, text) for place, entry, text in Document(self.path).entries()]
        if all(moment is not None for moment, _, _ in kept):
            kept.sort(key=lambda one: one[:2])
        else:
            kept.sort(key=lambda one: one[1])
        for _, place, text in kept:
            yield parse(text), -place

    def _batches(self) -> Iterator[Batch]:
        gatherer, self.latest = Gatherer(), {}
        if self.head.get("resourceType") != "Bundle":
            found = iter([({"resource": self.head}, 0)])
        elif self.is_history:
            found = self._oldest_first()
        else:
            found = self._entries()
        for entry, number in found:
            place = f"entry {number}" if number else "the resource"
            for rows, where, inside in self.of_entry(entry, place):
                if self.is_history:
                    self._follow(rows, entry, inside)
                if rows:
                    for kind, row in self.numbered(rows, where, any_resource.shown(inside)):
                        yield from gatherer.add(kind, row)
        yield from gatherer.rest()

    def _entries(self) -> Iterator[tuple[object, int]]:
        document = Document(self.path)
        for number, entry, _ in document.entries():
            self.position = document.position
            yield entry, number

    def _follow(self, rows: list[Row], entry: object, resource: dict) -> None:
        """Remembers the newest version of each resource; a version after the first was made known when it was updated."""
        key = f"{resource.get('resourceType')}/{resource.get('id')}"
        updated = text_in(resource, "meta", "lastUpdated")
        before = self.latest.get(key)
        said_before = {old.cells.get("said") for old in before or ()}
        for row in rows:
            said = row.cells["said"] = row.cells.get("reported_at")  # no native column: only remembered
            if updated and before and row.kind != "patients" and (said is None or said in said_before):
                row.cells["reported_at"] = updated
        if resource:
            self.latest[key] = rows

    def _deleted(self, entry: dict, request: dict) -> list[Row]:
        key = "/".join(_deleted_url(entry, request).split("/_history/")[0].rsplit("/", 2)[-2:])
        before = getattr(self, "latest", {}).get(key)
        if not before:
            return super()._deleted(entry, request)
        when = text_in(entry, "response", "lastModified")
        return [
            Row(row.kind, row.cells | {"status": "entered_in_error", "reported_at": when or row.cells["said"]}, row.fault, "deleted")
            for row in before
            if row.kind != "patients"
        ]  # fmt: skip


def _deleted_url(entry: dict, request: dict) -> str:
    return str(request.get("url") or entry.get("fullUrl"))


def _type_in(url: str) -> str | None:
    """The resource type in an address or a conditional one (Patient?identifier=...): no id and nothing of a query is shown."""
    parts = re.split(r"[?#]", url, maxsplit=1)[0].split("/")
    return next((part for part in reversed(parts) if part in any_resource.READERS or part in INDEXED), None)


def _or_none(line: bytes) -> object:
    try:
        return parse(line.decode())
    except (NotJson, UnicodeDecodeError):
        return None


def _start(line: bytes) -> str:
    """What is shown of a line that cannot be read: how long it is and what it may be, for it may hold a name anywhere."""
    kind = re.search(rb'"resourceType"\s*:\s*"([A-Za-z]{1,40})"', line)
    return f"{len(line)} bytes" + (f", resourceType {kind[1].decode()}" if kind else "")
