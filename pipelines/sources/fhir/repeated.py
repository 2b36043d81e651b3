"""Lines of NDJSON that say the same in the same words but for their id, times, patient and number: read once, then filled in.

An export repeats a few hundred shapes of line. A line is cut at the texts that change (id, subject, times, value); what is left is its
shape. The general reader (resource.py) reads one line of each shape with marks in place of these texts, and where
each of its cells is fixed, or is one of the marks, every other line of the shape is filled in without being parsed. Whatever
is not so goes the general way, line by line: both ways give the same rows (tests/test_fhir.py).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources import Batch
from pipelines.sources.batching import MOST_ROWS, ROWS
from pipelines.sources.fhir import resource as any_resource
from pipelines.sources.fhir.elements import Unreadable
from pipelines.sources.fhir.json_text import NotJson, parse
from pipelines.sources.fhir.reading import Reading
from pipelines.sources.fhir.reference import Index
from pipelines.sources.native_csv import COLUMNS

CONTENT = r'(?<=")(?![\s"])[^"\\\x00-\x1f\ue000\ue001]*(?<!\s)(?=")'
NUMBER = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?=[,}\]\s])"
CHANGING = re.compile(
    r'("(?:id|effectiveDateTime|issued|lastUpdated|versionId|value)":\s*"|"value":\s*(?=[-0-9])'
    r'|"(?:subject|encounter|specimen)":\s*\{\s*"reference":\s*"'
    r'|"display":\s*"(?=[^"\\]*"\s*\},\s*"))'  # of a reference: the display of a coding is followed by the end of a list
    rf"({CONTENT}|(?<![\"]){NUMBER})"
)
MARK = re.compile("\ue000([0-9]+)\ue001|9007199254740993([0-9]{3})")
LONGEST_LINE = 4000
MOST_SHAPES = 4000
HINT = 64  # characters of a line from its code on: most shapes differ there, and what changes stands behind
GIVEN_UP = 0.5  # share of new shapes among the lines, above which cutting lines costs more than it saves


@dataclass(eq=False)
class Shape:
    """What the general reader makes of a line: its kind, and each cell as (text before, which changing text, None for none)."""

    kind: str
    cells: dict[str, tuple[str, int | None]]
    subject: int
    raw: list[str | int]
    odd: Counter
    pattern: re.Pattern  # of a whole line, with a group for each changing text
    waiting: list[tuple[int, int, Sequence[str]]] = field(default_factory=list)  # (row, line, changing texts)


class _Probe(Index):
    """An index that gives marks back for marks."""

    def patient_id(self, reference: dict, base: str = "", contained: dict | None = None) -> str | None:
        named = reference.get("reference")
        plain = set(reference) <= {"reference", "display", "type"} and reference.get("type", "Patient") == "Patient"
        if plain and isinstance(named, str) and MARK.fullmatch(named):
            return named
        raise Unreadable("patient_missing", "subject")


class Repeated:
    """The shapes of one file."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._shapes: dict[str, Shape | None] = {}
        self._by_hint: dict[str, list[Shape]] = {}
        self._probe = _Probe.__new__(_Probe)
        self._probe.__dict__ |= index.__dict__ | {"odd": Counter(), "seen": Counter()}
        self._patients: dict[str, tuple[str | None, Counter]] = {}
        self._lines, self.is_worth_it = 0, not index.withdrawn

    def take(self, line: str, row: int, number: int) -> bool:
        """Whether the line of that number, and with it the row of that number, was taken; any other is read in the general way."""
        self._lines += 1
        start = line.find('"code":{')
        hint = line[start : start + HINT]
        for shape in self._by_hint.get(hint, ()):
            found = shape.pattern.fullmatch(line)
            if found:
                texts = found.groups()
                break
        else:
            shape, texts = self._cut(line, hint)
        if shape is None:
            return False
        patient = self._patients.get(texts[shape.subject]) or self._patient(texts[shape.subject])
        if patient[0] is None:
            return False
        shape.waiting.append((row, number, texts))
        return True

    def _cut(self, line: str, hint: str) -> tuple[Shape | None, list[str]]:
        """The shape of a line that none of its hint's shapes fits, and its changing texts."""
        if len(line) > LONGEST_LINE or "\ue000" in line:
            return None, []
        parts = CHANGING.split(line)
        texts = parts[2::3]
        del parts[2::3]
        key = "\ue000".join(parts)
        if key not in self._shapes:
            shape = self._learn(key, parts, texts)
            if shape is not None:
                self._by_hint.setdefault(hint, []).append(shape)
        return self._shapes.get(key), texts

    def _learn(self, key: str, parts: list[str], texts: list[str]) -> Shape | None:
        if len(self._shapes) >= MOST_SHAPES or (self._lines > 1000 and len(self._shapes) > GIVEN_UP * self._lines):
            self.is_worth_it = False
            return None
        shape = self._shapes[key] = self._shape(parts, texts)
        return shape

    def _shape(self, parts: list[str], texts: list[str]) -> Shape | None:
        if len(texts) > 99:
            return None
        marks = [
            f"\ue000{n}\ue001" if parts[2 * n + 1].endswith('"') else f"9007199254740993{n:03}"
            for n in range(len(texts))
        ]
        marked = "".join(one for n, mark in enumerate(marks) for one in (*parts[2 * n : 2 * n + 2], mark)) + parts[-1]
        try:
            resource = parse(marked)
        except NotJson:
            return None
        if not isinstance(resource, dict) or resource.get("resourceType") != "Observation":
            return None
        odd = Counter()
        rows = any_resource.rows(Reading(resource, self._probe, "", "", odd))
        if len(rows) != 1 or rows[0].fault or rows[0].kind not in ("labs", "pft") or rows[0].part:
            return None
        cells = {name: _cell(cell) for name, cell in rows[0].cells.items() if cell is not None}
        if None in cells.values() or "patient_id" not in cells or cells["patient_id"][1] is None:
            return None
        if "reported_at" not in cells and self._index.issued:
            return None
        subject = cells.pop("patient_id")[1]
        return Shape(rows[0].kind, cells, subject, _pieces(any_resource.shown(resource)), odd, _pattern(parts))

    def _patient(self, reference: str) -> tuple[str | None, Counter]:
        """The store's id, and what the file's notes should count for each of its rows."""
        index, before = self._index, self._index.odd
        index.odd = Counter()
        try:
            found = index.patient_id({"reference": reference})
        except Unreadable:
            found = None
        counted, index.odd = index.odd, before
        if len(self._patients) < 1_000_000:
            self._patients[reference] = found, counted
        return found, counted

    def batch(self, odd: Counter) -> list[Batch]:
        """The rows of the lines taken since the last time."""
        tables: dict[str, list[pa.Table]] = {}
        for shape in self._shapes.values():
            if shape is not None and shape.waiting:
                tables.setdefault(shape.kind, []).append(self._table(shape, odd))
        whole = {kind: pa.concat_tables(some).sort_by("line") for kind, some in tables.items()}
        return [
            Batch(kind, table.slice(begin, most))
            for kind, table in whole.items()
            for most in (MOST_ROWS.get(kind, ROWS),)
            for begin in range(0, table.num_rows, most)
        ]

    def _table(self, shape: Shape, odd: Counter) -> pa.Table:
        numbers, lines, texts = zip(*shape.waiting, strict=True)
        shape.waiting.clear()
        columns = [pa.array(column, pa.string()) for column in zip(*texts, strict=True)]
        patients = [self._patients.get(one[shape.subject]) or self._patient(one[shape.subject]) for one in texts]
        for reference, times in Counter(one[shape.subject] for one in texts).items():
            for what, count in self._patients[reference][1].items() if reference in self._patients else ():
                self._index.odd[what] += count * times
        for what, count in shape.odd.items():
            odd[what] += count * len(numbers)
        arrays = {
            "line": pa.array(numbers, pa.int32()),
            "place": pa.array(
                [None if line == number else f"line {line}" for number, line in zip(numbers, lines, strict=True)],
                pa.string(),
            ),
        }
        arrays["raw"] = _joined(shape.raw, columns, len(numbers))
        arrays["patient_id"] = pa.array([patient for patient, _ in patients], pa.string())
        for name in COLUMNS[shape.kind][1:]:
            before, mark = shape.cells.get(name, (None, None))
            if mark is None:
                arrays[name] = pa.repeat(pa.scalar(before, pa.string()), len(numbers))
            else:
                arrays[name] = _joined([before, mark], columns, len(numbers)) if before else columns[mark]
        if "specimen_id" in shape.cells:
            arrays["specimen_id"] = pc.replace_substring_regex(arrays["specimen_id"], "^Specimen/", "")
        return pa.table(arrays)


def _pattern(parts: list[str]) -> re.Pattern:
    """A line that is these parts, with a changing text before every second one."""
    groups = [rf"({CONTENT if part.endswith(chr(34)) else NUMBER})" for part in parts[1::2]]
    fixed = [re.escape("".join(pair)) for pair in zip(parts[0::2], [*parts[1::2], ""], strict=True)]
    return re.compile("".join(one for pair in zip(fixed, [*groups, ""], strict=True) for one in pair))


def _cell(cell: str) -> tuple[str, int | None] | None:
    """(text before the mark, the mark's number); None where a mark stands in the middle or there are two."""
    found = MARK.search(cell)
    if not found:
        return cell, None
    if found.end() != len(cell) or MARK.search(cell[: found.start()]):
        return None
    return cell[: found.start()], int(found[1] or found[2])


def _pieces(raw: str) -> list[str | int]:
    """A text cut at its marks: texts and numbers of marks by turns."""
    cut = MARK.split(raw)
    return [one if n % 3 == 0 else int(one) for n, one in enumerate(cut) if one is not None and (n % 3 == 0 or one)]


def _joined(pieces: list[str | int], columns: list[pa.Array], length: int) -> pa.Array:
    if not any(isinstance(piece, int) for piece in pieces):
        return pa.repeat(pa.scalar("".join(pieces), pa.string()), length)
    parts = [columns[piece] if isinstance(piece, int) else pa.scalar(piece, pa.string()) for piece in pieces]
    return pc.binary_join_element_wise(*parts, "")
