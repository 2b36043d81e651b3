"""Reads a spec file into the cases the Rulebook shows. The test runner reads the same file in its own stricter way."""

from dataclasses import dataclass, field
from pathlib import Path

SPEC = Path(__file__).resolve().parents[1] / "tests" / "spec"


@dataclass
class Case:
    """One sentence with its prose and its tables: (name, rows as dicts of text)."""

    title: str
    prose: str = ""
    tables: list[tuple[str, list[dict[str, str]]]] = field(default_factory=list)


def read(text: str) -> list[Case]:
    """The cases of a spec file, in order. A table follows a line that holds only its name."""
    cases: list[Case] = []
    before, heads = "", []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("## "):
            cases.append(Case(line[3:]))
            heads = []
        elif not cases or not line:
            heads = heads if line else []
        elif line.startswith("|"):
            heads = _add_row(cases[-1], line, heads, before)
        else:
            before, heads = line, []
            if not _names_table(line):
                cases[-1].prose = f"{cases[-1].prose} {line}".strip()
        if line and not line.startswith("|"):
            before = line
    return cases


def _names_table(line: str) -> bool:
    return line.replace("_", "").isalpha() and " " not in line and line.islower()


def _add_row(case: Case, line: str, heads: list[str], name: str) -> list[str]:
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if not heads:
        case.tables.append((name, []))
        return cells
    if not all(set(cell) <= set("-: ") for cell in cells):
        case.tables[-1][1].append(dict(zip(heads, cells, strict=False)))
    return heads
