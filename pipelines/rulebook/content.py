"""What the rulebook says: every criterion and every concept it reads, in the order in which a committee reads them.

Gathered from the headers of the definitions, the dictionary's citations and the spec files, so that no word of it is kept by hand.
The screen and both documents show this and nothing else.
"""

import hashlib
from dataclasses import dataclass
from string import Formatter
from urllib.parse import quote

from pipelines import dictionary, findings
from pipelines.catalog import GROUP_TITLES, STATUS_WORDS, TAGS, Catalog, Definition, catalog
from pipelines.rule_versions import HASH_SHOWN
from pipelines.rulebook import examples
from pipelines.rulebook.counts import Counts
from pipelines.rulebook.examples import Examples

NOT_A_DEVICE = "Not a medical device. It shows published conditions on the records it was given, and gives no verdict on what to do."
CONCEPTS = "concepts"  # the chapter of what the criteria read
CHAPTERS = GROUP_TITLES | {CONCEPTS: "Concepts that the criteria read"}


@dataclass(frozen=True)
class Source:
    """A source as it is cited: `number` is its place in the list of sources."""

    key: str
    number: int
    text: str
    doi: str | None
    link: str | None  # of the DOI; None: none is recorded
    certainty: str  # how well it was read


@dataclass(frozen=True)
class Number:
    """A threshold. `site`: what this site uses instead, as a clause with who set it, when and why; None: nothing else."""

    name: str
    value: str  # with its unit
    tag: str
    source: Source
    site: str | None


@dataclass(frozen=True)
class Entry:
    """One criterion, or one concept (no sentences, no answers)."""

    id: str
    chapter: str  # key of CHAPTERS
    title: str
    why: str
    items: str | None
    unknown: tuple[str, ...]
    sentences: dict[str, str]  # status in words -> sentence
    notes: tuple[str, ...]
    numbers: tuple[Number, ...]
    history: tuple[dict[str, str], ...]
    content_hash: str
    reads: tuple[str, ...]  # ids of the definitions it reads itself
    read_by: tuple[str, ...]
    examples: Examples
    answers: dict[str, int] | None  # status -> patients; None: not counted
    sql: str

    @property
    def is_criterion(self) -> bool:
        return self.chapter != CONCEPTS

    @property
    def sources(self) -> list[Source]:
        """The sources of its numbers, each once."""
        return sorted({number.source for number in self.numbers}, key=lambda source: source.number)

    def tagged(self, tag: str) -> int:
        return sum(number.tag == tag for number in self.numbers)


@dataclass(frozen=True)
class Rulebook:
    """The whole. `version` is a hash of all rules: two rulebooks of one version say the same."""

    version: str
    criteria: tuple[Entry, ...]
    concepts: tuple[Entry, ...]
    sources: tuple[Source, ...]
    counts: Counts | None
    examples_installed: bool

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.criteria + self.concepts

    def chapter(self, key: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.chapter == key]

    def to_approve(self) -> list[tuple[Entry, Number]]:
        """What no paper settles and a committee must: numbers that are unverified, project defaults, or a site's own."""
        numbers = [(entry, number) for entry in self.entries for number in entry.numbers]
        return [
            (entry, number)
            for tag in reversed(TAGS)
            for entry, number in numbers
            if number.tag == tag and (tag != "published" or number.site)
        ]


def rulebook(counts: Counts | None = None, rules: Catalog | None = None) -> Rulebook:
    """The rulebook of these rules (default: those that ship), with the answers of a store where they were counted."""
    rules = rules or catalog()
    read = {definition_id: _all_read(rules, definition_id) for definition_id in rules.criteria}
    criteria = sorted(rules.criteria.values(), key=lambda rule: _place(rule, read))
    used = set().union(*read.values())
    concepts = sorted(
        (rule for rule in rules.concepts.values() if rule.id in used), key=lambda rule: rule.title.casefold()
    )
    rows = {rule.id: findings.thresholds(rule) for rule in [*criteria, *concepts]}
    sources = _sources(list(rows.values()))
    hashes = rules.content_hashes() | {rule.id: rule.content_hash for rule in concepts}

    def entry(rule: Definition, chapter: str) -> Entry:
        return Entry(
            id=rule.id,
            chapter=chapter,
            title=rule.title,
            why=rule.why,
            items=rule.items,
            unknown=rule.unknown,
            sentences={STATUS_WORDS[status]: blanks(rule.finding[status]) for status in STATUS_WORDS if rule.finding},
            notes=tuple(blanks(note) for note in rule.notes.values()),
            numbers=tuple(_number(row, sources) for row in rows[rule.id]),
            history=tuple({"on": str(change["on"]), "why": _line(change["why"])} for change in rule.history),
            content_hash=hashes[rule.id][:HASH_SHOWN],
            reads=tuple(sorted(rule.reads & (rules.criteria.keys() | rules.concepts.keys()))),
            read_by=tuple(other.id for other in [*criteria, *concepts] if rule.id in other.reads),
            examples=examples.examples_of(rule.id),
            answers=counts.answers.get(rule.id, {}) if counts and rule.kind == "criterion" else None,
            sql=rule.sql,
        )

    return Rulebook(
        version=_version(rules),
        criteria=tuple(entry(rule, rule.group) for rule in criteria),
        concepts=tuple(entry(rule, CONCEPTS) for rule in concepts),
        sources=tuple(sources.values()),
        counts=counts,
        examples_installed=examples.installed(),
    )


def blanks(sentence: str) -> str:
    """A sentence with its blanks marked: 'FVC {fvc} %' -> 'FVC ‹fvc› %'."""
    parts = Formatter().parse(sentence)
    return "".join(text + (f"‹{name.replace('_', ' ')}›" if name else "") for text, name, _, _ in parts)


def site_words(site: dict) -> str:
    """What a site uses instead of a number, as a clause. It is text that people entered: whoever shows it makes it safe."""
    known = {
        key: _line(site[key]) for key in ("value", "unit", "set_by", "why", "on") if site.get(key) not in (None, "")
    }
    said = f"this site uses {known.get('value', 'another value')} {known.get('unit', '')}".rstrip() + " instead"
    said += f", set by {known['set_by']}" if "set_by" in known else ""
    said += f" on {known['on']}" if "on" in known else ""
    return said + (f", because {known['why']}" if "why" in known else "")


def doi_link(doi: str | None) -> str | None:
    """The address of a DOI of the dictionary. Nothing else ever becomes a link."""
    return f"https://doi.org/{quote(doi, safe='/')}" if doi else None


def _place(rule: Definition, read: dict[str, set[str]]) -> tuple:
    """Where a criterion stands: by group, what it combines before it, then by title."""

    def height(name: str) -> int:
        return 1 + max((height(other) for other in read[name] if other in read), default=0)

    return list(GROUP_TITLES).index(rule.group), height(rule.id), rule.title.casefold()


def _all_read(rules: Catalog, definition_id: str) -> set[str]:
    """Every definition that one reads, directly or through others."""
    found: set[str] = set()
    waiting = [definition_id]
    while waiting:
        for name in rules[waiting.pop()].reads & (rules.criteria.keys() | rules.concepts.keys()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _sources(rows: list[list[dict]]) -> dict[str, Source]:
    """The sources cited, by key, numbered in the order in which they are cited."""
    cited = dictionary.citations()
    found: dict[str, Source] = {}
    for row in (row for of_rule in rows for row in of_rule):
        if row["cite"] not in found:
            certainty = cited[row["cite"]]["certainty"]
            text, link = _line(row["citation"]), doi_link(row["doi"])
            found[row["cite"]] = Source(row["cite"], len(found) + 1, text, row["doi"], link, certainty)
    return found


def _number(row: dict, sources: dict[str, Source]) -> Number:
    return Number(
        name=row["name"].replace("_", " "),
        value=str(row["value"]) if row["unit"] == "1" else f"{row['value']} {row['unit']}",
        tag=row["tag"],
        source=sources[row["cite"]],
        site=site_words(row["site"]) if row.get("site") else None,
    )


def _version(rules: Catalog) -> str:
    told = "".join(f"{name} {content}\n" for name, content in sorted(rules.content_hashes().items()))
    return hashlib.sha256(told.encode()).hexdigest()[:HASH_SHOWN]


def _line(text: object) -> str:
    return " ".join(str(text).split())
