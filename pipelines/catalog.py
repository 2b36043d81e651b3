"""The catalog: finds the one-file definitions of concepts and criteria, checks them, and orders them by what they read.

A definition is a SQL file with a TOML header in its leading comment; its file name is its id and the name of the table it
makes. Nothing is registered anywhere: a file in the folder is part of the product.
"""

import graphlib
import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path

import duckdb

from pipelines import site_thresholds
from pipelines.engines import final_select
from pipelines.engines.final_select import FinalSelect
from pipelines.site_thresholds import SiteValue

HERE = Path(__file__).parent
TAGS = ("published", "project default", "unverified")
GROUP_TITLES = {  # in the order in which they are read
    "refractory": "Refractory disease",
    "transplant": "Transplant",
    "progression": "Progression",
    "therapy": "Therapy",
    "infection": "Infection",
    "monitoring": "Monitoring",
    "prognosis": "Prognosis",
}
GROUPS = tuple(GROUP_TITLES)
STATUS_WORDS = {
    "met": "Met",
    "not_evaluable": "Cannot be told",
    "not_met": "Not met",
}  # the first that holds is told of many
# The tables that an engine makes for every evaluation before the first concept (engines/on_duckdb.py).
INPUTS = frozenset(
    (
        "observation",
        "administration",
        "event",
        "patient",
        "drug",
        "drug_route",
        "analyte",
        "oxygen_device",
        "assay",
        "gli",
        "monitoring",
        "monitoring_result",
        "monitoring_condition",
    ),
)


class BrokenDefinition(Exception):
    """A concept or criterion file that does not keep the form; says which file and what to mend."""


@dataclass(frozen=True)
class Threshold:
    """One number of a rule: bound in its SQL as `$name`, drawn on charts, shown with its source."""

    name: str
    value: Decimal | int
    unit: str
    step: Decimal | int  # how far it must move for a spec case to notice
    cite: str  # key in dictionary/citations.toml
    tag: str  # one of TAGS
    site: bool = False  # a site may set its own value
    here: SiteValue | None = None  # the value this site has set

    @property
    def used(self) -> Decimal | int:
        """The number that judges: the site's, else the rule's."""
        return self.here.value if self.here else self.value


@dataclass(frozen=True)
class Definition:
    """One concept or criterion.

    `reads` names the tables its SQL reads; `content_hash` changes when header or SQL change.
    For criteria `finding` holds the sentences by status, `facts` the names of the strings a row carries in order,
    `notes` the extra sentences by key, and `unknown` what is missing on the first recorded day.
    """

    id: str
    kind: str  # 'concept' or 'criterion'
    title: str
    group: str
    why: str
    items: str | None
    unknown: tuple[str, ...]
    thresholds: dict[str, Threshold]
    finding: dict[str, str]
    facts: tuple[str, ...]
    notes: dict[str, str]
    history: tuple[dict, ...]
    kept: bool
    sql: str
    reads: frozenset[str]
    content_hash: str = field(repr=False)
    final: FinalSelect | None = field(repr=False)  # of a criterion: what is judged, and what is said of it

    def bound(self, text: str, moved: dict[str, Decimal | int] | None = None) -> str:
        """SQL with the numbers of the thresholds written in: a view, unlike a statement, takes no parameters."""
        values = self.parameters(moved)
        return re.sub(r"\$([a-z_][a-z_0-9]*)", lambda match: f"({values[match[1]]})", text)

    @property
    def looked_up(self) -> frozenset[str]:
        """The tables from which a criterion says what it says of a row: they must be there as long as it is read."""
        if self.final is None:
            return frozenset()
        return self.reads & set(re.findall(r"\w+", " ".join([self.final.joins, *self.final.telling("")])))

    def parameters(self, moved: dict[str, Decimal | int] | None = None) -> dict[str, Decimal | int]:
        """The thresholds as bound in the SQL; `moved` replaces some of them (tests)."""
        return {name: threshold.used for name, threshold in self.thresholds.items()} | (moved or {})


@dataclass(frozen=True)
class Catalog:
    """Every definition, by id, and the order in which their tables can be made."""

    concepts: dict[str, Definition]
    criteria: dict[str, Definition]
    order: tuple[str, ...]

    def __getitem__(self, definition_id: str) -> Definition:
        return self.concepts.get(definition_id) or self.criteria[definition_id]

    def at_site(self, values: Mapping[tuple[str, str], SiteValue]) -> "Catalog":
        """The same rules with a site's own thresholds. Raises Refusal where one is not a site's to set."""
        changed: dict[str, Definition] = {}
        for (definition_id, name), value in sorted(values.items()):  # the order of the file is no part of a version
            definition = (
                changed.get(definition_id) or self.concepts.get(definition_id) or self.criteria.get(definition_id)
            )
            threshold = definition.thresholds.get(name) if definition else None
            place = f"{definition_id}.{name}"
            if threshold is None:
                raise site_thresholds.out_of_form(place, "names no threshold of a rule")
            if not threshold.site:
                raise site_thresholds.out_of_form(place, "names a threshold that is not the site's to set")
            if value.unit != threshold.unit:
                raise site_thresholds.out_of_form(place, f"is in {value.unit}, and the rule in {threshold.unit}")
            changed[definition_id] = replace(
                definition,
                thresholds=definition.thresholds | {name: replace(threshold, here=value)},
                content_hash=_sha256(f"{definition.content_hash}{name}{value.value}"),
            )
        for definition in changed.values():
            _check_ranges(definition)
        return replace(
            self,
            concepts={name: changed.get(name, definition) for name, definition in self.concepts.items()},
            criteria={name: changed.get(name, definition) for name, definition in self.criteria.items()},
        )

    def set_by_site(self, definition_id: str) -> tuple[tuple[str, Threshold], ...]:
        """The thresholds that this site has set in a definition and in all that it reads, directly or not: whose each is, and it."""
        return self._set_by_site[definition_id]

    @cached_property
    def _set_by_site(self) -> dict[str, tuple[tuple[str, Threshold], ...]]:
        found: dict[str, tuple[tuple[str, Threshold], ...]] = {}
        for definition_id in self.order:
            definition = self[definition_id]
            own = [(definition_id, threshold) for threshold in definition.thresholds.values() if threshold.here]
            read = [found[name] for name in sorted(definition.reads) if name in found]
            found[definition_id] = tuple(dict.fromkeys([*own, *(one for several in read for one in several)]))
        return found

    def needed(self, wanted: Callable[[Definition], bool]) -> tuple[str, ...]:
        """The definitions for which `wanted` holds and all that they read, directly or not, in order."""
        found: set[str] = set()
        for definition_id in reversed(self.order):
            if definition_id in found or wanted(self[definition_id]):
                found |= {definition_id, *(self[definition_id].reads & set(self.order))}
        return tuple(definition_id for definition_id in self.order if definition_id in found)

    def tables_read(self, order: Iterable[str]) -> frozenset[str]:
        """The input tables that these definitions read."""
        return frozenset().union(*(self[definition_id].reads for definition_id in order)) & INPUTS

    def dictionary_hashes(self) -> dict[str, str]:
        """Of each dictionary table that a definition reads."""
        from pipelines.dictionary import tables

        return {name: tables.content_hash(name) for name in self.tables_read(self.order) & tables.TABLES.keys()}

    def content_hashes(self) -> dict[str, str]:
        """Per criterion, a hash of it and of all it reads, directly or not, tables of the dictionary too: what judged a store."""
        hashes: dict[str, str] = self.dictionary_hashes()
        for definition_id in self.order:
            definition = self[definition_id]
            read = sorted(hashes[name] for name in definition.reads if name in hashes)
            hashes[definition_id] = _sha256("".join([definition.content_hash, *read]))
        return {criterion: hashes[criterion] for criterion in self.criteria}


def _check_ranges(definition: Definition) -> None:
    """A range that a site sets must stay one. Raises Refusal."""
    for name, threshold in definition.thresholds.items():
        above = definition.thresholds.get(f"{name.removesuffix('_low')}_high") if name.endswith("_low") else None
        if above and (threshold.here or above.here) and threshold.used >= above.used:
            place = f"{definition.id}.{name if threshold.here else above.name}"
            raise site_thresholds.out_of_form(
                place, f"leaves no range: {threshold.used} to {above.used} {threshold.unit}"
            )


@cache
def catalog() -> Catalog:
    """The definitions that ship with the product, with the values this site has set, read once per process."""
    return read_catalog(HERE / "concepts", HERE / "criteria").at_site(site_thresholds.read())


def read_catalog(concepts: Path, criteria: Path) -> Catalog:
    """Reads two folders of definitions. Raises BrokenDefinition naming the file that is out of form."""
    found = {
        kind: {path.stem: read_definition(path, kind) for path in sorted(folder.glob("*.sql"))}
        for kind, folder in (("concept", concepts), ("criterion", criteria))
    }
    both = found["concept"] | found["criterion"]
    for definition in both.values():
        unknown = definition.reads - both.keys() - INPUTS
        if unknown:
            raise BrokenDefinition(f"{definition.id}.sql reads {sorted(unknown)}, which nothing makes")
    graph = {name: sorted(definition.reads & both.keys()) for name, definition in both.items()}  # the same order always
    order = tuple(graphlib.TopologicalSorter({name: graph[name] for name in sorted(graph)}).static_order())
    return Catalog(found["concept"], found["criterion"], order)


def read_definition(path: Path, kind: str) -> Definition:
    """Reads and checks one file."""
    text = path.read_text(encoding="utf-8")
    match = re.match(r"\s*/\*(.*?)\*/(.*)", text, re.DOTALL)
    if not match:
        raise BrokenDefinition(f"{path.name} has no header comment")
    try:
        header = tomllib.loads(match[1], parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise BrokenDefinition(f"the header of {path.name} is not TOML: {error}") from None
    sql = match[2].strip().rstrip(";")
    thresholds = {name: _threshold(path, name, block) for name, block in header.get("threshold", {}).items()}
    finding = dict(header.get("finding", {}))
    definition = Definition(
        id=path.stem,
        kind=kind,
        title=header.get("title", path.stem),
        group=header.get("group", ""),
        why=" ".join(header.get("why", "").split()),
        items=header.get("items"),
        unknown=tuple(header.get("unknown", ())),
        thresholds=thresholds,
        facts=tuple(finding.pop("facts", ())),
        notes=finding.pop("notes", {}),
        finding=finding,
        history=tuple(header.get("history", ())),
        kept=header.get("kept", False),
        sql=sql,
        reads=_tables_read(path, sql),
        content_hash=_sha256(text),
        final=_final(path, sql) if kind == "criterion" else None,
    )
    _check(path, definition)
    return definition


def _final(path: Path, sql: str) -> FinalSelect:
    try:
        return final_select.cut(sql)
    except final_select.NotOneProjection as error:
        raise BrokenDefinition(f"{path.name} does not end in a plain SELECT of one of its CTEs: {error}") from None


def _threshold(path: Path, name: str, block: dict) -> Threshold:
    try:
        threshold = Threshold(name=name, **block)
    except TypeError:
        raise BrokenDefinition(f"{path.name}: threshold {name} needs value, unit, step, cite and tag") from None
    if threshold.tag not in TAGS:
        raise BrokenDefinition(f"{path.name}: the tag of threshold {name} is one of {TAGS}")
    return threshold


def _check(path: Path, definition: Definition) -> None:
    used = duckdb.extract_statements(definition.sql)[0].named_parameters
    if used != definition.thresholds.keys():
        odd = sorted(used ^ definition.thresholds.keys())
        raise BrokenDefinition(f"{path.name}: {odd} declared but not used, or used but not declared")
    if definition.kind == "concept":
        return
    if definition.group not in GROUPS:
        raise BrokenDefinition(f"{path.name}: group is one of {GROUPS}")
    absent = {"met", "not_met", "not_evaluable"} - definition.finding.keys()
    if absent or not definition.why or not definition.history:
        raise BrokenDefinition(f"{path.name} needs why, history and a finding for met, not_met and not_evaluable")


def _tables_read(path: Path, sql: str) -> frozenset[str]:
    """The tables a SELECT reads, from its parsed form: derived, so that no list of dependencies is kept by hand."""
    with _parser().cursor() as parser:
        parsed = json.loads(parser.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()[0])
    if parsed.get("error"):
        raise BrokenDefinition(f"{path.name} is not one SELECT: {parsed.get('error_message')}")
    named, local = set(), set()

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if node.get("type") == "BASE_TABLE":
                named.add(node["table_name"])
            for entry in node.get("cte_map", {}).get("map", []) if isinstance(node.get("cte_map"), dict) else []:
                local.add(entry["key"])
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(parsed)
    return frozenset(named - local)


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
