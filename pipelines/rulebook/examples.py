"""The worked examples of a rule: the cases of its spec file, which are its tests too.

They lie in `tests/spec` of the source tree, and an image of the product takes that folder along (.dockerignore). Where it is
absent there are none to show, and whoever shows them says so. The test runner reads the same files in its own stricter way.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

SPEC = Path(__file__).resolve().parents[2] / "tests" / "spec"
EXPECTED = "expected"


@dataclass
class Table:
    """Rows given as one native file, or (`expected`) what must come out."""

    name: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)


@dataclass
class Case:
    """One sentence with its prose and its tables."""

    title: str
    prose: str = ""
    tables: list[Table] = field(default_factory=list)


@dataclass
class Examples:
    """A spec file: what it says of all its cases, and the cases."""

    prose: str = ""
    cases: list[Case] = field(default_factory=list)


def installed() -> bool:
    return SPEC.is_dir()


def examples_of(definition_id: str) -> Examples:
    """The worked examples of a definition; none where there is no spec file."""
    return _examples(SPEC / f"{definition_id}.md")


@cache
def _examples(path: Path) -> Examples:
    return read(path.read_text(encoding="utf-8")) if path.is_file() else Examples()


def read(text: str) -> Examples:
    """A spec file in order. A table follows a line that holds nothing but its name."""
    found = Examples()
    name, open_table = "", None
    for line in map(str.strip, text.splitlines()):
        if line.startswith("|"):
            open_table = _add_row(found, line, name, open_table)
            continue
        open_table = None
        if line.startswith("## "):
            found.cases.append(Case(line[3:]))
        elif found.cases and re.fullmatch(r"[a-z_]+", line):
            name = line
        elif line and not line.startswith("# "):
            told = found.cases[-1] if found.cases else found
            told.prose = f"{told.prose} {line}".strip()
    return found


def _add_row(found: Examples, line: str, name: str, table: Table | None) -> Table | None:
    if not found.cases:
        return None
    cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    if table is None:
        table = Table(name, cells)
        found.cases[-1].tables.append(table)
    elif not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
        table.rows.append(cells)
    return table
