"""Reads the spec files: Markdown that is test, documentation and worked example at once (tests/spec/README.md tells the form)."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

SPEC = Path(__file__).parent / "spec"
GIVEN = ("patients", "labs", "pft", "oxygen", "administrations", "events")


class BadSpec(Exception):
    """A spec file out of form: says where."""


@dataclass
class Case:
    """One case: its own patient `id`, the rows given by native file, and the rows expected."""

    id: str
    title: str
    given: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    site: dict[str, Decimal] = field(default_factory=dict)  # thresholds as a site has set them
    expected: list[dict[str, str]] | None = None


@dataclass
class Spec:
    """One file: the definition of the same name, and its cases."""

    id: str
    title: str
    cases: list[Case]


def read_specs() -> list[Spec]:
    """Every spec file, by name."""
    return [read_spec(path) for path in sorted(SPEC.glob("*.md")) if path.stem != "README"]


def read_spec(path: Path) -> Spec:
    """Reads one file. Raises BadSpec with file and line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    title, cases, name = path.stem, [], None
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if line.startswith("## "):
            cases.append(Case(f"{path.stem}-{len(cases) + 1}", line[3:]))
        elif line.startswith("# "):
            title = line[2:]
        elif line in (*GIVEN, "site", "expected"):
            name = line
        elif line.startswith("|"):
            if name is None or not cases:
                raise BadSpec(f"{path.name}:{at + 1}: a table needs a case and a name before it")
            rows, at = _table(path, lines, at)
            if name == "expected":
                cases[-1].expected = (cases[-1].expected or []) + rows
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


def _table(path: Path, lines: list[str], at: int) -> tuple[list[dict[str, str]], int]:
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
