"""Messages as they come, segment by segment: which are read, whose they are, and to which group of results or order a segment belongs."""

from collections import Counter
from collections.abc import Callable, Container, Iterator

from pipelines.errors import FileRefused
from pipelines.sources import Batch, text
from pipelines.sources.declared import Declared
from pipelines.sources.hl7v2 import names
from pipelines.sources.hl7v2.fields import LONGEST_ID, field
from pipelines.sources.hl7v2.framing import Message, Segment, Segments
from pipelines.sources.hl7v2.observations import Group, local_columns
from pipelines.sources.hl7v2.patient import NAMING, PERSONAL_SEGMENTS, Patient, identifiers, read_patient
from pipelines.sources.hl7v2.pharmacy import PharmacyGroup
from pipelines.sources.hl7v2.rows import Row, Rows
from pipelines.sources.hl7v2.tables import DELETIONS, LOCAL, LOCAL_SEGMENT, MERGES

RESULTS = frozenset(("", "R01", "R03", "R30", "R31", "R32"))
ORDERS = frozenset(("", "O01", "O11", "O25"))
ADMINISTRATIONS = frozenset(("", "O01", "O17"))
# Patients remembered, so that a change is told once; forgetting only means telling again.
MOST_PATIENTS = 200_000
MOST_NAMED = 12  # kinds of unread segments and messages that a note names


class Hl7v2:
    """One file of messages (a Source, see sources/__init__.py)."""

    format = "hl7v2/messages"
    decimal = (
        None  # what was declared is for texts alone: they reach ingest with a dot, or held (fields.with_decimal_dot)
    )
    may_hold_commas = False
    separated_by_comma = True

    def __init__(self, file: text.TextFile, declared: Declared) -> None:
        self._file, self._declared = file, declared
        self.size, self.position, self.notes = file.path.stat().st_size, 0, []
        if file.encoding != "utf-8":
            how = "guessed from its text" if file.guessed else "named by its byte order mark"
            self.notes.append(f"encoding {file.encoding.removesuffix('-sig')}, {how}")

    def batches(self) -> Iterator[Batch]:
        """Tables of each kind (see Source). Raises FileRefused when there is no message in the file."""
        segments = Segments(self._file)
        reading = Reading(self._declared)
        for segment in segments:
            reading.takes(segment)
            yield from reading.rows.full()
            self.position = segments.position
        reading.ends()
        if not reading.messages:
            raise FileRefused(
                "There is no HL7 message in the file.", self._file.path.name, "A message begins with MSH|^~\\&|."
            )
        yield from reading.rows.rest()
        self.position = self.size
        odd = [f"{number} {what}" for what, number in (segments.odd + reading.odd).items()]
        self.notes += [note for note in (*segments.envelope.notes, *reading.notes(), *odd) if note not in self.notes]

    def speaks_of(self, names: Container[str]) -> bool:
        """Whether one of these patients is named in any message, also one that is not read, under any of their identifiers."""
        return any(
            one in names
            for segment in Segments(self._file)
            if segment.name in NAMING and segment.message and segment.message.separators
            for number in NAMING[segment.name]
            for one in identifiers(field(segment.fields, number), segment.message.separators, self._declared.ids)
        )


class Reading:
    """One pass over the segments of a file: the message, the patient and the group that are open."""

    def __init__(self, declared: Declared) -> None:
        self._ids, self._decimal = declared.ids, declared.decimal
        self.rows = Rows()
        self.messages = 0
        self.odd: Counter[str] = Counter()
        self._unread_messages: Counter[str] = Counter()
        self._unread_segments: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._known: dict[str, tuple[str, str, str]] = {}
        self._deaths: set[tuple[str, str]] = set()
        self._message: Message | None = None
        self._is_read = False
        self._patient: str | None = None
        self._group: Group | PharmacyGroup | None = None
        self._order: Segment | None = None
        self._handlers: dict[str, Callable[[Segment], None]] = {}

    def takes(self, segment: Segment) -> None:
        """One segment, in order."""
        if segment.name in ("MSH", "BHS", "FHS", "BTS", "FTS"):
            self._ends_message()
            if segment.name == "MSH":
                self._begins(segment)
        elif segment.message is None:
            self._rejects(segment, "segment_unreadable", f"line {segment.line}, outside of a message")
        elif segment.name == "":
            self._rejects(segment, "segment_unreadable", f"line {segment.line} (message {segment.message.number})")
        elif self._is_read:
            handler = self._handlers.get(segment.name)
            if handler:
                handler(segment)
            elif segment.name in PERSONAL_SEGMENTS:
                self._dropped[PERSONAL_SEGMENTS[segment.name]] += 1
            else:
                self._unread_segments[names.segment(segment.name)] += 1

    def ends(self) -> None:
        """The end of the file."""
        self._ends_message()

    def notes(self) -> list[str]:
        """What was not read and what was dropped."""
        said = []
        if self._dropped.total():
            said.append(f"dropped at the door: {_counted(self._dropped)}")
        if self._unread_messages:
            said.append(f"message types not read: {_counted(self._unread_messages)}")
        if self._unread_segments:
            said.append(f"segments not read: {_counted(self._unread_segments)}")
        return said

    def _begins(self, segment: Segment) -> None:
        message = self._message = segment.message
        self._patient = self._order = None
        self._is_read = False
        self.messages += 1
        if message.separators is None:
            self._rejects(segment, "message_unreadable", f"line {segment.line} (message {message.number})")
            return
        if message.components(11)[0].upper() in ("T", "D"):
            self.odd["messages are marked as training or debugging (MSH-11)"] += 1
        if message.code == "ADT" and message.trigger in MERGES:
            self._refuses_merge(segment)
            return
        self._handlers = self._handlers_of(message)
        self._is_read = bool(self._handlers)
        if not self._is_read:
            self._unread_messages[message.type] += 1

    def _handlers_of(self, message: Message) -> dict[str, Callable[[Segment], None]]:
        """What is done with each segment of a message of such a type; nothing for a type that is not read."""
        common = {
            "PID": self._reads_patient,
            "EVN": _passes,
            "MRG": self._refuses_merge,
            LOCAL_SEGMENT: self._reads_local,
        }
        if message.code == "ORU" and message.trigger in RESULTS:
            return common | {
                "ORC": self._begins_results, "OBR": self._begins_results, "OBX": self._reads_result, "SPM": self._reads_specimen,
            }  # fmt: skip
        if message.code == "RDE" and message.trigger in ORDERS:
            return common | {"ORC": self._begins_order} | dict.fromkeys(("RXE", "TQ1", "RXR"), self._reads_pharmacy)
        if message.code == "RAS" and message.trigger in ADMINISTRATIONS:
            return common | {"ORC": self._begins_order} | dict.fromkeys(("RXA", "TQ1", "RXR"), self._reads_pharmacy)
        if message.code == "ADT" and message.trigger not in DELETIONS:
            return common | {"OBX": self._reads_result}
        return {}

    def _ends_message(self) -> None:
        self._ends_group()
        message, self._message = self._message, None
        if message and self._is_read and not message.has_patient and not message.told:
            place = f"line {message.line} (message {message.number}, {message.type})"
            self._adds(Row("unreadable", place, "MSH", {}, "patient_missing"))

    def _ends_group(self) -> None:
        group, self._group = self._group, None
        if group:
            for row in group.rows(self.odd):
                self._adds(row)

    def _adds(self, row: Row) -> None:
        if self._message:
            self._message.told = True
        self.rows.add(row)

    def _reads_patient(self, segment: Segment) -> None:
        self._ends_group()
        self._order = None
        message = segment.message
        patient = read_patient(segment.fields, message.separators, self._ids, self._dropped)
        self._patient = patient.id
        if not patient.is_assigned and patient.id and not self._ids.are_kept(False) and not self._ids.assigner:
            self.odd["patient identifiers name no assigning authority (PID-3.4): declare one"] += 1
        if patient.id is None:
            if message.code == "ADT":
                self._adds(Row("patients", _place(segment), "PID", {"patient_id": None}))
            return
        message.has_patient = True
        self._tells_patient(segment, patient)
        self._tells_death(segment, patient)

    def _tells_patient(self, segment: Segment, patient: Patient) -> None:
        """A row where the message says something new; what a later PID leaves out is not unsaid."""
        site = segment.message.components(4)[0][:LONGEST_ID]
        before = self._known.get(patient.id, ("", "", ""))
        said = (patient.sex, patient.birth_year, site)
        told = tuple(new or old for new, old in zip(said, before, strict=True))
        is_new = told != before and (patient.sex or patient.birth_year)
        if segment.message.code != "ADT" and not is_new:
            return
        if len(self._known) >= MOST_PATIENTS:
            self._known.clear()
        self._known[patient.id] = told
        columns = dict(zip(("sex", "birth_year", "site"), told, strict=True)) | {"patient_id": patient.id}
        self._adds(Row("patients", _place(segment), f"PID-7 {patient.birth_year}, PID-8 {patient.sex}", columns))

    def _tells_death(self, segment: Segment, patient: Patient) -> None:
        if patient.died is None or (patient.id, patient.died) in self._deaths:
            return
        if len(self._deaths) >= MOST_PATIENTS:
            self._deaths.clear()
        self._deaths.add((patient.id, patient.died))
        columns = {"patient_id": patient.id, "at": patient.died, "kind": "outcome", "code": "death"}
        self._adds(Row("events", _place(segment), f"PID-29 {patient.died}", columns))

    def _refuses_merge(self, segment: Segment) -> None:
        self._rejects(segment, "patients_merged", _place(segment))

    def _begins_results(self, segment: Segment) -> None:
        self._ends_group()
        self._group = Group(self._patient, segment if segment.name == "OBR" else None, self._decimal)

    def _reads_result(self, segment: Segment) -> None:
        if not isinstance(self._group, Group):
            self._group = Group(self._patient, None, self._decimal)
        self._group.takes(segment)
        if self._group.is_full:
            for row in self._group.cut_up(self.odd):
                self._adds(row)

    def _reads_specimen(self, segment: Segment) -> None:
        if isinstance(self._group, Group):
            self._group.takes_specimen(segment)

    def _begins_order(self, segment: Segment) -> None:
        self._ends_group()
        self._order = segment
        self._group = PharmacyGroup(self._patient, segment, self._decimal)

    def _reads_pharmacy(self, segment: Segment) -> None:
        group = self._group
        if not isinstance(group, PharmacyGroup) or (segment.name == "RXE" and group.holds("RXE")) or group.is_full:
            if isinstance(group, PharmacyGroup) and group.is_full:
                self.odd["orders of more than 2000 administrations were read without what stands after"] += 1
            self._ends_group()
            group = self._group = PharmacyGroup(self._patient, self._order, self._decimal)
        group.takes(segment)

    def _reads_local(self, segment: Segment) -> None:
        if self._group and field(segment.fields, 2) == LOCAL:
            self._group.takes_local(local_columns(segment))
        else:
            self._unread_segments[names.segment(LOCAL_SEGMENT)] += 1

    def _rejects(self, segment: Segment, reason: str, place: str) -> None:
        """A row that has no kind. Its text is not shown: nothing says where an identifier would stand in it."""
        shown = names.segment(segment.name) if segment.name else "(a line that is no segment)"
        self._adds(Row("unreadable", place, shown, {}, reason))


def _passes(segment: Segment) -> None:
    """A segment that is known and says nothing that is kept."""


def _place(segment: Segment) -> str:
    return f"line {segment.line} (message {segment.message.number}, {segment.name})"


def _counted(counts: Counter[str]) -> str:
    named = [f"{number} {what}" for what, number in counts.most_common(MOST_NAMED) if number]
    more = len(counts) - MOST_NAMED
    return ", ".join(named) + (f" and {more} kinds more" if more > 0 else "")
