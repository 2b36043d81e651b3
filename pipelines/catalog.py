"""The catalog: finds the one-file definitions of concepts and criteria, checks them, and orders them by what they read.

A definition is a SQL file with a TOML header in its leading comment; its file name is its id and the name of the table it
makes. Nothing is registered anywhere: a file in the folder is part of the product.
"""

import graphlib
import hashlib
import json
import re
import tomllib
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path

import duckdb

HERE = Path(__file__).parent
TAGS = ("published", "project default", "unverified")
GROUPS = ("refractory", "transplant", "therapy", "infection", "prognosis", "progression", "monitoring")
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

    def parameters(self, moved: dict[str, Decimal | int] | None = None) -> dict[str, Decimal | int]:
        """The thresholds as bound in the SQL; `moved` replaces some of them (tests, site overrides)."""
        return {name: threshold.value for name, threshold in self.thresholds.items()} | (moved or {})


@dataclass(frozen=True)
class Catalog:
    """Every definition, by id, and the order in which their tables can be made."""

    concepts: dict[str, Definition]
    criteria: dict[str, Definition]
    order: tuple[str, ...]

    def __getitem__(self, definition_id: str) -> Definition:
        return self.concepts.get(definition_id) or self.criteria[definition_id]

    def content_hashes(self) -> dict[str, str]:
        """Per criterion, a hash of it and of all it reads, directly or not: what judged a store."""
        hashes: dict[str, str] = {}
        for definition_id in self.order:
            definition = self[definition_id]
            read = sorted(hashes[name] for name in definition.reads if name in hashes)
            hashes[definition_id] = _sha256("".join([definition.content_hash, *read]))
        return {criterion: hashes[criterion] for criterion in self.criteria}


@cache
def catalog() -> Catalog:
    """The definitions that ship with the product, read once per process."""
    return read_catalog(HERE / "concepts", HERE / "criteria")


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
    graph = {name: definition.reads & both.keys() for name, definition in both.items()}
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
    )
    _check(path, definition)
    return definition


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
