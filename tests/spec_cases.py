"""Reads the spec files: Markdown that is test, documentation and worked example at once (tests/spec/README.md tells the form)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

SPEC = Path(__file__).parent / "spec"
GIVEN = ("patients", "labs", "pft", "oxygen", "administrations", "events")
LISTS = ("evidence", "missing", "notes", "agents", "drugs")


class BadSpec(Exception):
    """A spec file out of form: says where."""


@dataclass
class Case:
    """One case: its own patient `id`, the rows given by native file, and the rows expected. `others`: tables of another name."""

    id: str
    title: str
    given: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    site: dict[str, Decimal] = field(default_factory=dict)  # thresholds as a site has set them
    expected: list[dict[str, str]] | None = None
    others: dict[str, list[dict[str, str]]] = field(default_factory=dict)


@dataclass
class Spec:
    """One file: the definition of the same name, and its cases."""

    id: str
    title: str
    cases: list[Case]


def read_specs() -> list[Spec]:
    """Every spec file, by name."""
    return [read_spec(path) for path in sorted(SPEC.glob("*.md")) if path.stem != "README"]


def read_spec(path: Path, others: Collection[str] = ()) -> Spec:
    """Reads one file, which may have tables of these other names. Raises BadSpec with file and line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    title, cases, name = path.stem, [], None
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if line.startswith("## "):
            cases.append(Case(f"{path.stem}-{len(cases) + 1}", line[3:]))
        elif line.startswith("# "):
            title = line[2:]
        elif line in (*GIVEN, "site", "expected", *others):
            name = line
        elif line.startswith("|"):
            if name is None or not cases:
                raise BadSpec(f"{path.name}:{at + 1}: a table needs a case and a name before it")
            rows, at = read_table(path, lines, at)
            if name == "expected":
                cases[-1].expected = (cases[-1].expected or []) + rows
            elif name in others:
                cases[-1].others.setdefault(name, []).extend(rows)
            elif name == "site":
                cases[-1].site = {row["threshold"]: Decimal(row["value"]) for row in rows}
            else:
                cases[-1].given.setdefault(name, []).extend(rows)
            name = None
            continue
        at += 1
    for case in cases:
        if case.expected is None:
            raise BadSpec(f"{path.name}: the case '{case.title}' expects nothing")
    return Spec(path.stem, title, cases)


def read_table(path: Path, lines: list[str], at: int) -> tuple[list[dict[str, str]], int]:
    """The rows of the table whose heading is line `at`, and the first line after it."""
    header, rows, first = _cells(lines[at]), [], at
    at += 1
    while at < len(lines) and lines[at].strip().startswith("|"):
        cells = _cells(lines[at])
        if at > first + 1 or not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            if len(cells) != len(header):
                raise BadSpec(f"{path.name}:{at + 1}: {len(cells)} cells under {len(header)} headings")
            rows.append(dict(zip(header, cells, strict=True)))
        at += 1
    return rows, at


def _cells(line: str) -> list[str]:
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def expected_value(column: str, cell: str) -> object:
    """What a cell of an expected table stands for."""
    if column in LISTS:
        return sorted({part.strip() for part in cell.split(", ") if part.strip()})
    try:
        return Decimal(cell).normalize() if cell else None
    except InvalidOperation:
        return {"true": True, "false": False}.get(cell, cell)


def actual_value(value: object, names: Mapping[int, str]) -> object:
    """What was found, as `expected_value` gives it. `names`: what the rows given are called, by record id."""
    if isinstance(value, list):
        return sorted({names.get(part, str(part)) for part in value})
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int) and value in names:
        return names[value]
    if isinstance(value, int | Decimal):
        return Decimal(value).normalize()
    return str(value)
