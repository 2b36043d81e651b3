"""The packet of one patient as plain rows, made by the functions that the screen is made by: what stands, on what evidence, by which rules.

Everything is text, dates as `style.day` prints them. What may name a person or a place (patient, site, author, owner, file) has
a field of its own, so that it can be left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from dashboard import data, deidentify, flag_cards, strip, style, table
from dashboard.charts.flags import lane_name
from dashboard.reports.chart import Chart, chart
from dashboard.result_cards import Card
from pipelines.alert_rules import is_urgent
from pipelines.rulebook.content import NOT_A_DEVICE as NOT_A_DEVICE

HASH_SHOWN = 8  # digits of a rule's content hash
PROJECT = "project"  # the citation of numbers that no paper gives
LAST = "monitoring"  # a group whose flags, often many, stand behind the others


@dataclass(frozen=True)
class Evidence:
    """One row of a source file that decided: what it says with its unit, its day, where it is printed."""

    text: str
    day: str
    file: str
    line: str


@dataclass(frozen=True)
class Number:
    """A threshold in words, what supports it, and the place of its citation in the list (None: a project default, which has none)."""

    text: str
    tag: str
    cite: int | None


@dataclass(frozen=True)
class Flag:
    """An answer that is met."""

    title: str
    item: str
    group: str
    since: str
    new: bool
    urgent: bool
    finding: str
    evidence: tuple[Evidence, ...]
    numbers: tuple[Number, ...]

    @property
    def name(self) -> str:
        return f"{self.title}: {self.item}" if self.item else self.title


@dataclass(frozen=True)
class Missing:
    """A missing thing, how many criteria its record would settle, and how many ask for it."""

    thing: str
    settles: int
    asked_by: int


@dataclass(frozen=True)
class Change:
    """What changed since the last meeting: its kind in words, what, and its day."""

    kind: str
    text: str
    day: str


@dataclass(frozen=True)
class Decision:
    """A decision of a meeting: `effect` is what is expected, `outcome` whether it worked, both in words."""

    day: str
    text: str
    why: str
    due: str
    effect: str
    outcome: str
    owner: str
    author: str


@dataclass(frozen=True)
class Note:
    day: str
    text: str
    topic: str
    author: str


@dataclass(frozen=True)
class Line:
    """A fact of the transplant or the infection board."""

    name: str
    value: str


@dataclass(frozen=True)
class Packet:
    """What is printed of one patient. A part that is None was not asked for; an empty one is recorded to be so, and `absent` says both."""

    patient_id: str
    person: str
    site: str
    as_of: str
    known: str
    since: str
    cards: tuple[Card, ...]
    flags: tuple[Flag, ...]
    no_longer: tuple[str, ...]
    between: tuple[str, ...]
    unknown: tuple[str, ...]
    missing: tuple[Missing, ...]
    not_met: int
    treatment: str
    changes: tuple[Change, ...] | None
    decisions: tuple[Decision, ...] | None
    notes: tuple[Note, ...] | None
    transplant: tuple[Line, ...] | None
    infection: tuple[Line, ...] | None
    citations: tuple[str, ...]
    snapshot: str
    rules: tuple[str, ...]
    chart: Chart | None = field(compare=False)
    drawn_rows: tuple[dict[str, str], ...] = ()

    @property
    def summary(self) -> str:
        """How many answers of each kind stand."""
        new = f"newly met since {self.since}: {sum(flag.new for flag in self.flags)}"
        return f"{len(self.flags)}, {new}. Cannot be told {len(self.unknown)}. Not met {self.not_met}."


ABSENT = {
    "changes": "No change since the last meeting is recorded",
    "decisions": "No decision is recorded",
    "notes": "No note is recorded",
    "transplant": "Nothing of a transplant referral is recorded",
    "infection": "Nothing of the infection board is recorded",
}


def absent(packet: Packet, part: str) -> str:
    """What is said in place of a part without rows; '' where there are some."""
    rows = getattr(packet, part)
    if rows:
        return ""
    return f"{ABSENT[part]}." if rows is not None else f"{part.capitalize()}: not part of this packet."


def packet(
    patient_id: str,
    page: dict[str, list[dict]],
    as_of: date,
    provenance: data.Provenance,
    rules: Mapping[str, dict],
    *,
    records: Mapping[str, dict],
    since: date,
    known: data.Known | None = None,
    thresholds: Iterable[dict] | None = None,
    changes: Sequence[dict] | None = None,
    decisions: Sequence[dict] | None = None,
    notes: Sequence[dict] | None = None,
    transplant: Sequence[dict] | None = None,
    infection: Sequence[dict] | None = None,
    **chosen,
) -> Packet:
    """The packet of a patient's tables (`data.patient_page`) as of a day.

    `rules` by criterion: version and content_hash of what judged the page. `records` by id: the evidence (`findings.evidence_records`).
    `since` is the day of the last meeting. The parts of the meeting are the caller's rows: changes (kind, text, day), decisions (day, text,
    why, owner, due_on, effect, outcome, author), notes (day, text, topic, author), transplant and infection (name, value); days are
    dates.
    `chosen` are further fields of the chart's View.
    """
    answers = strip.standing(page, as_of)
    met = _in_order([row for row in answers if row["status"] == "met"], strip.newly_met(page, as_of, since))
    cited = _Cited()
    flags = tuple(_flag(row, new, records, cited) for row, new in met)
    drawn = chart(page, as_of, data.thresholds() if thresholds is None else thresholds, **chosen)
    person = page["patient"][0] if page.get("patient") else {}
    return Packet(
        patient_id=patient_id,
        person=_person(person),
        site=person.get("site") or ("" if deidentify.on() else "site not recorded"),
        as_of=style.day(as_of),
        known=_known(known),
        since=style.day(since),
        cards=tuple(strip.cards(page, as_of)),
        flags=flags,
        no_longer=tuple(_named(row) for row in strip.no_longer_met(page, as_of, since)),
        between=tuple(_named(row) for row in strip.met_between(page, as_of, since)),
        unknown=tuple(_named(row) for row in answers if row["status"] == "not_evaluable"),
        missing=tuple(Missing(*one) for one in strip.missing_things(answers)),
        not_met=sum(row["status"] == "not_met" for row in answers),
        treatment=_treatment(page, as_of),
        changes=_rows(Change, changes),
        decisions=_rows(Decision, decisions, due="due_on"),
        notes=_rows(Note, notes),
        transplant=_rows(Line, transplant),
        infection=_rows(Line, infection),
        citations=tuple(cited.texts),
        snapshot=str(provenance.snapshot),
        rules=tuple(_rule(name, rules) for name in sorted({row["criterion"] for row, _ in met})),
        chart=drawn,
        drawn_rows=tuple(_dated(row) for row in table.twin(drawn.panels, drawn.view)) if drawn else (),
    )


class _Cited:
    """The full texts of citations in order of first use, each once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.places: dict[str, int] = {}

    def number(self, line: dict) -> int | None:
        if line["tag"] == "project default" or line["cite"] == PROJECT:
            return None
        if line["cite"] not in self.places:
            self.texts.append(line["citation"] + (f". doi:{line['doi']}" if line["doi"] else ""))
            self.places[line["cite"]] = len(self.texts)
        return self.places[line["cite"]]


def _in_order(met: list[dict], new: list[dict]) -> list[tuple[dict, bool]]:
    """What is urgent, then what is newly met, then the rest in order of groups; overdue tests at the end."""
    fresh, groups = {strip.identity(row) for row in new}, list(style.GROUPS)

    def place(row: dict) -> tuple:
        urgent, is_new = is_urgent(row["criterion"], row["grade"]), strip.identity(row) in fresh
        return (
            not urgent,
            row["group"] == LAST,
            not is_new,
            groups.index(row["group"]),
            row["criterion"],
            row["item"] or "",
        )

    return [(row, strip.identity(row) in fresh) for row in sorted(met, key=place)]


def _flag(row: dict, new: bool, records: Mapping[str, dict], cited: _Cited) -> Flag:
    return Flag(
        title=row["title"],
        item=style.words(row["item"]),
        group=style.GROUPS[row["group"]],
        since=style.day(row["since"]),
        new=new,
        urgent=is_urgent(row["criterion"], row["grade"]),
        finding=row["finding"],
        evidence=_evidence([records[one] for one in row["evidence"] if one in records]),
        numbers=tuple(
            Number(flag_cards.number_of(line), line["tag"], cited.number(line)) for line in data.cited(row["criterion"])
        ),
    )


def _evidence(found: list[dict]) -> tuple[Evidence, ...]:
    """The cells of one row of a file are one line, as on the screen; the newest first, because a list that is cut loses its end."""
    lines: dict[tuple, list[str]] = {}
    for record in sorted(found, key=lambda record: (record["at"], record["what"], record["record_id"]), reverse=True):
        key = (style.day(record["at"]), record["file"], record["line"])
        lines.setdefault(key, []).append(flag_cards.words_of(record))
    return tuple(
        Evidence("; ".join(said), day, file if line is not None else "", "" if line is None else str(line))
        for (day, file, line), said in lines.items()
    )


def _named(row: dict) -> str:
    unknown = ", now unknown" if row.get("now") == "not_evaluable" else ""
    return lane_name(row["criterion"], row["item"]) + unknown


def _person(person: dict) -> str:
    absent = "age band not known" if deidentify.on() else "year of birth not recorded"
    born = (style.born(person) if person else None) or absent
    return f"{person.get('sex') or 'sex not recorded'}, {born}"


def _known(known: data.Known | None) -> str:
    """Which past moment was read; '' where all that is known now was."""
    if not known:
        return ""
    if known.at:
        return f"only what the sources had made known by {style.day(known.at)} {known.at:%H:%M}"
    return f"only what this store had received by {style.day(known.received_at)} {known.received_at:%H:%M}"


def _treatment(page: dict, as_of: date) -> str:
    """The prednisone equivalent, the agents beside it and the clock of therapy, as the strip says them."""
    dose, clock = strip.glucocorticoid(page, as_of), strip.therapy(page, as_of)
    equivalent = f"Prednisone equivalent {dose.value} ({dose.detail})" if dose.known else "No drug is recorded"
    return f"{equivalent}. Therapy: {clock.value} ({clock.detail})."


def _rule(name: str, rules: Mapping[str, dict]) -> str:
    """'urgent transfer v2 (1a2b3c4d)'."""
    used = rules.get(name)
    if used is None:
        return f"{style.words(name)} (version unknown)"
    return f"{style.words(name)} v{used['version']} ({used['content_hash'][:HASH_SHOWN]})"


def _rows(kind: type, given: Sequence[dict] | None, **named: str) -> tuple | None:
    """The caller's rows as texts: a date is printed as one, what is absent is ''."""
    if given is None:
        return None
    names = {name: named.get(name, name) for name in kind.__dataclass_fields__}
    return tuple(kind(**{name: _text(row.get(key)) for name, key in names.items()}) for row in given)


def _text(value: object) -> str:
    if value is None:
        return ""
    return style.day(value) if isinstance(value, date) else str(value)


def _dated(row: dict) -> dict[str, str]:
    """A row of the chart's table with its date as it is printed, and the time of day where it has one."""
    at = row["date"]
    if at.startswith("day "):  # it is said already
        return row
    return row | {"date": " ".join(part for part in (style.day(at), at[11:16]) if part) if at else ""}
