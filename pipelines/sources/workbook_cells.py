"""The cells of a sheet, row by row, in memory that does not grow with the sheet.

Only cells that hold something are given. What the sheet says of its own size is not believed and not needed.
"""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from string import ascii_uppercase
from typing import NamedTuple
from xml.parsers import expat

from pipelines.sources.workbook_formats import date_text, number_text, percent_text
from pipelines.sources.workbook_parts import DEEPEST, Parts, local, shallow_parser

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384  # Excel's own
# Excel allows 32,767 characters in a cell; other programs may write more.
LONGEST_TEXT = 1 << 20
# Merged ranges and texts are kept in memory while a sheet is read.
MOST_MERGED = 500_000
MOST_TEXTS = 5_000_000
TEXTS_PART = 512 << 20  # bytes of the shared texts
REFERENCE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})\Z")
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")  # how a workbook writes characters that XML cannot hold


def column_number(letters: str) -> int:
    """A is 0, Z is 25, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


# Every column of a sheet by its letters: nothing else is a column.
COLUMN = {letters: column_number(letters) for length in (1, 2, 3) for letters in map("".join, product(ascii_uppercase, repeat=length))
          if column_number(letters) < LAST_COLUMN}  # fmt: skip


class Number(str):
    """The text of a cell that holds a number: its decimal mark is a dot wherever the workbook comes from."""


class ErrorCell(str):
    """The text of a cell that shows an error, such as #N/A."""


class Row(NamedTuple):
    """A row that holds something: its number in the sheet, from 1, and column (from 0) -> text."""

    number: int
    cells: dict[int, str]


@dataclass
class SheetFacts:
    """What is known of a sheet when it has been read to its end."""

    formulas_without_value: int = 0
    hidden_rows: int = 0
    months: int = 0  # dates given without their day (workbook_formats.date_text)
    merged: dict[int, array] = field(default_factory=dict)  # first column -> first and last row, over and over


class SheetReader:
    """Reads one sheet. `rows` may be called again; `facts` are those of the latest reading."""

    def __init__(self, parts: Parts, name: str, texts: list[str], kinds: list[str | None], from_1904: bool) -> None:
        self._parts, self._name, self._texts, self._kinds, self._from_1904 = parts, name, texts, kinds, from_1904
        self.facts = SheetFacts()
        self.share_read = 0.0

    def rows(self) -> Iterator[Row]:
        """The rows that hold something, from the top. Raises FileRefused where the sheet is damaged or too large."""
        self.facts = SheetFacts()
        self._done: list[Row] = []
        self._row, self._column, self._digits, self._cells = 0, -1, "0", {}
        self._in_cell = self._taking = self._phonetic = False
        self._depth = 0
        parser = expat.ParserCreate()  # not shallow_parser: a call less for each of millions of tags
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = (
            self._start,
            self._end,
            self._text,
        )
        for share in self._parts.parse(self._name, parser):
            self.share_read = share
            done, self._done = self._done, []
            yield from done
        yield from self._done

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if ":" in tag:
            tag = local(tag)
        if tag == "c":
            self._start_cell(attributes)
        elif tag in ("v", "t"):
            self._taking = self._in_cell and not self._phonetic and (tag == "v" or self._type == "inlineStr")
        elif tag == "f":
            self._formula = True
        elif tag == "row":
            self._start_row(attributes)
        elif tag == "rPh":  # how a name is pronounced, beside it
            self._phonetic = True
        elif tag == "mergeCell":
            self._merge(attributes.get("ref", ""))
        elif self._depth > DEEPEST:
            raise self._parts.damaged(f"its elements are nested deeper than {DEEPEST}")

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if ":" in tag:
            tag = local(tag)
        if tag in ("v", "t"):
            self._taking = False
        elif tag == "c":
            self._end_cell()
        elif tag == "rPh":
            self._phonetic = False
        elif tag == "row" and self._cells:
            self._done.append(Row(self._row, self._cells))
            self._cells = {}

    def _text(self, text: str) -> None:
        if self._taking:
            self._length += len(text)
            if self._length > LONGEST_TEXT:
                raise self._parts.too_large(f"a cell has more than {LONGEST_TEXT:,} characters")
            self._pieces.append(text)

    def _start_row(self, attributes: dict[str, str]) -> None:
        printed = attributes.get("r", "")
        if printed and not (printed.isascii() and printed.isdigit() and len(printed) < 8):
            raise self._damaged(f"a row has the number {printed[:20]!r}")
        number = int(printed) if printed else self._row + 1
        if self._in_cell or self._cells or not self._row < number <= LAST_ROW:
            raise self._damaged(f"its rows are not in order at row {number}")
        self._row, self._column, self._digits = number, -1, str(number)
        self.facts.hidden_rows += attributes.get("hidden") in ("1", "true")

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            self._column += 1
        else:
            letters = reference.removesuffix(self._digits)
            column = COLUMN.get(letters)
            if column is None or len(letters) == len(reference):
                raise self._damaged(f"row {self._row} has a cell that belongs elsewhere")
            self._column = column
        if self._in_cell or not self._row or self._column >= LAST_COLUMN or self._column in self._cells:
            raise self._damaged(f"row {self._row} names a cell twice or outside of the sheet")
        self._in_cell, self._type, self._style = True, attributes.get("t", "n"), attributes.get("s", "0")
        self._pieces, self._length, self._formula = [], 0, False

    def _end_cell(self) -> None:
        self._in_cell = self._taking = False
        text = self._value("".join(self._pieces))
        if text.strip():
            self._cells[self._column] = text
        elif self._formula and not self._length:
            self.facts.formulas_without_value += 1

    def _value(self, printed: str) -> str:
        if self._type == "s":
            return self._shared(printed)
        if self._type == "n":
            return self._number(printed) if printed.strip() else ""
        if self._type == "b":
            return {"1": "true", "0": "false"}.get(printed.strip(), printed)
        if self._type == "e":
            return ErrorCell(printed.strip() or "#ERROR")
        return unescaped(printed)  # str, inlineStr, d (ISO 8601 as it stands)

    def _shared(self, printed: str) -> str:
        at = printed.strip()
        if not (at.isascii() and at.isdigit() and len(at) < 10 and int(at) < len(self._texts)):
            raise self._damaged(f"row {self._row} refers to a text that is not there")
        return self._texts[int(at)]

    def _number(self, printed: str) -> str:
        at = self._style
        shown = self._kinds[int(at)] if at.isascii() and at.isdigit() and int(at[:9]) < len(self._kinds) else None
        if shown is None:
            return Number(number_text(printed))
        if shown[0] == "0":
            text = number_text(printed)
            return text.zfill(len(shown)) if text.isdigit() else Number(text)
        if shown == "percent":
            return Number(percent_text(printed))
        text = date_text(printed, shown, self._from_1904)
        self.facts.months += shown in ("month", "year") and len(text) < 8
        return text

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        begin, end = REFERENCE.match(first), REFERENCE.match(last)
        if not begin or not end or int(end[2]) <= int(begin[2]):
            return  # one cell, or one row: nothing to carry down
        column = COLUMN.get(begin[1], LAST_COLUMN)
        ranges = self.facts.merged.setdefault(column, array("i"))
        if sum(map(len, self.facts.merged.values())) > 2 * MOST_MERGED:
            raise self._parts.too_large(f"it has more than {MOST_MERGED:,} merged ranges")
        ranges.extend((int(begin[2]), min(int(end[2]), LAST_ROW)))

    def _damaged(self, how: str) -> Exception:
        return self._parts.damaged(f"{self._name}: {how}")


def unescaped(text: str) -> str:
    """A text with _x000D_ and its like as the characters they stand for. Half of a surrogate pair is U+FFFD: it is no character."""
    if "_x" not in text:
        return text
    whole = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def shared_texts(parts: Parts, name: str) -> list[str]:
    """The texts that the cells of all sheets refer to by number. Raises FileRefused."""
    texts: list[str] = []
    pieces: list[str] = []
    state = {"taking": False, "phonetic": False, "length": 0}

    def start(tag: str, attributes: dict[str, str]) -> None:
        tag = local(tag)
        if tag == "si":
            pieces.clear()
            state["length"] = 0
        elif tag == "rPh":
            state["phonetic"] = True
        state["taking"] = tag == "t" and not state["phonetic"]

    def end(tag: str) -> None:
        tag = local(tag)
        state["taking"] = False
        if tag == "rPh":
            state["phonetic"] = False
        elif tag == "si":
            texts.append(unescaped("".join(pieces)))
            if len(texts) > MOST_TEXTS:
                raise parts.too_large(f"it has more than {MOST_TEXTS:,} texts")

    def text(printed: str) -> None:
        if state["taking"]:
            state["length"] += len(printed)
            if state["length"] > LONGEST_TEXT:
                raise parts.too_large(f"a text has more than {LONGEST_TEXT:,} characters")
            pieces.append(printed)

    parts.read(name, shallow_parser(parts, start, end, text), largest=TEXTS_PART)
    return texts
