"""A workbook (.xlsx, .xlsm) as sheets of rows of texts. What is read, what is left alone, and how large it may be.

Read here as a stream, since a library that lays a sheet out as a full grid can be killed by one cell: in calamine 0.9.1 a cell in
XFD1048576 or a false count of texts ends the whole process, a row numbered 4294967295 runs for minutes, and #N/A comes as
an empty cell. The tests compare the two readers on sheets that both can read.

Not read: macros, links to other files, drawings, charts, comments, pivot tables. Nothing is calculated: a formula has the
value that was saved with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.sources.workbook_cells import Row, SheetReader, shared_texts
from pipelines.sources.workbook_formats import BUILT_IN, format_kind
from pipelines.sources.workbook_parts import OLE, ZIP, Parts, local, shallow_parser

MOST_SHEETS = 1000
# workbook.xml and styles.xml of real files have some kilobytes, at most a few megabytes.
SMALL_PART = 64 << 20
MOST_STYLES = 100_000  # Excel allows 65,490 cell formats


@dataclass(frozen=True)
class Sheet:
    """A sheet as the workbook lists it. `kind` is worksheet, or chartsheet, dialogsheet, ... which have no cells."""

    name: str
    kind: str
    hidden: bool
    part: str


class Workbook:
    """One workbook. Raises FileRefused when it is made, and while rows are read, for what cannot be read safely."""

    def __init__(self, path: Path) -> None:
        self.parts = Parts(path)
        self.from_1904 = False
        main = next(
            (part for kind, part in self.parts.related("").values() if kind == "officeDocument" and part),
            "xl/workbook.xml",
        )
        self._related = self.parts.related(main)
        self.sheets = self._sheets(main)
        self._texts: list[str] | None = None
        self._kinds = self._format_kinds(self._part_of("styles"))

    def _part_of(self, kind: str) -> str | None:
        return next((part for found, part in self._related.values() if found == kind and part in self.parts), None)

    def reader(self, sheet: Sheet) -> SheetReader:
        """The reader of one sheet's rows."""
        if self._texts is None:
            part = self._part_of("sharedStrings")
            self._texts = shared_texts(self.parts, part) if part else []
        return SheetReader(self.parts, sheet.part, self._texts, self._kinds, self.from_1904)

    def rows(self, sheet: Sheet) -> Iterator[Row]:
        """The rows of a sheet that hold something."""
        return self.reader(sheet).rows()

    def texts(self) -> Iterator[str]:
        """The names of all sheets and the texts of all their cells, hidden ones too."""
        for sheet in self.sheets:
            yield sheet.name
            if sheet.kind == "worksheet":
                for row in self.rows(sheet):
                    yield from row.cells.values()

    def remarks(self) -> list[str]:
        """What a person should know of the workbook as a whole."""
        remarks = []
        if self.from_1904:
            remarks.append("dates count from 1904")
        names = self.parts.names()
        if any(name.startswith("xl/externallinks/") and not name.endswith(".rels") for name in names):
            remarks.append("links to other files were not followed: their values are those saved in this file")
        if any(name.endswith("vbaproject.bin") for name in names):
            remarks.append("its macros were not read and not run")
        return remarks

    def _sheets(self, main: str) -> list[Sheet]:
        sheets: list[Sheet] = []

        def start(tag: str, attributes: dict[str, str]) -> None:
            tag = local(tag)
            if tag == "workbookPr":
                self.from_1904 = attributes.get("date1904", "0") in ("1", "true")
            elif tag == "sheet":
                reference = next((value for name, value in attributes.items() if name.endswith(":id")), "")
                kind, part = self._related.get(reference, ("missing", ""))
                hidden = attributes.get("state", "visible") != "visible"
                sheets.append(
                    Sheet(attributes.get("name", ""), kind if part in self.parts else "missing", hidden, part)
                )
                if len(sheets) > MOST_SHEETS:
                    raise self.parts.too_large(f"it has more than {MOST_SHEETS:,} sheets")

        self.parts.read(main, shallow_parser(self.parts, start), largest=SMALL_PART)
        if not sheets:
            raise self.parts.damaged("it lists no sheet")
        return sheets

    def _format_kinds(self, part: str | None) -> list[str | None]:
        """What each cell style makes of a number, by the number of the style."""
        kinds: list[str | None] = []
        written: dict[int, str | None] = {}
        inside = {"cellXfs": False}

        def start(tag: str, attributes: dict[str, str]) -> None:
            tag = local(tag)
            if tag == "cellXfs":
                inside["cellXfs"] = True
            elif tag == "numFmt":
                written[_number(attributes.get("numFmtId"))] = format_kind(attributes.get("formatCode", ""))
            elif tag == "xf" and inside["cellXfs"]:
                number = _number(attributes.get("numFmtId"))
                kinds.append(written[number] if number in written else BUILT_IN.get(number))
            if max(len(kinds), len(written)) > MOST_STYLES:
                raise self.parts.too_large(f"it has more than {MOST_STYLES:,} cell styles")

        def end(tag: str) -> None:
            if local(tag) == "cellXfs":
                inside["cellXfs"] = False

        if part:
            self.parts.read(part, shallow_parser(self.parts, start, end), largest=SMALL_PART)
        return kinds


def is_workbook(path: Path) -> bool:
    """Whether the file begins like a workbook of any version: a zip file or a compound file."""
    with path.open("rb") as file:
        head = file.read(len(OLE))
    return head == OLE or head.startswith(ZIP)


def _number(printed: str | None) -> int:
    return int(printed) if printed and printed.isascii() and printed.isdigit() and len(printed) < 10 else 0
