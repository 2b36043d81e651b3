"""The container of a workbook (.xlsx): a zip of XML parts, opened within limits and read in pieces.

No part is ever held whole, no document type or entity is accepted, nothing outside the file is followed.
"""

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from pipelines.errors import FileRefused

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PIECE = 1 << 16
# A sheet as full as Excel allows in height (1,048,576 rows) with 15 columns of numbers has about 700 MB of XML.
LARGEST_PART = 1 << 30
# Of all parts that are read; a workbook above it is a database, and takes minutes.
LARGEST_WORKBOOK = 2 << 30
MOST_PARTS = 10_000
# The longest tag that Excel writes has some hundred bytes. Expat keeps an unfinished tag or comment in memory.
LONGEST_TAG = 1 << 20
# The parts of a workbook are about ten levels deep. Every open level takes memory.
DEEPEST = 64


class Parts:
    """The parts of one workbook, by name. Opened for each use: a Source may lie about for long."""

    def __init__(self, path: Path) -> None:
        """Raises FileRefused when the file is no zip of a workbook, encrypted, of an older format, damaged or too large."""
        self.path = path
        with path.open("rb") as file:
            head = file.read(8)
            if head == OLE:
                raise _old_or_encrypted(path, file.read(1 << 20))
        if not head.startswith(ZIP):
            raise self.damaged("it is no zip file")
        with self._open() as opened:
            entries = opened.infolist()
        self._entries: dict[str, zipfile.ZipInfo] = {}
        if len(entries) > MOST_PARTS:
            raise self.too_large(f"it has {len(entries):,} parts; at most {MOST_PARTS:,} are looked at")
        for entry in entries:
            name = entry.filename.replace("\\", "/").lstrip("/").lower()
            if self._entries.setdefault(name, entry) is not entry:
                raise self.damaged("two of its parts have the same name")
        self._check_is_workbook()

    def _check_is_workbook(self) -> None:
        if "xl/workbook.bin" in self._entries:
            raise FileRefused("This is a binary workbook (.xlsb).", self.path.name, "Save it as .xlsx.")
        if not any(name.endswith(".rels") for name in self._entries) and "xl/workbook.xml" not in self._entries:
            raise FileRefused(
                "This zip file is no Excel workbook.", self.path.name, "Unpack it and load what is in it."
            )
        total = sum(entry.file_size for name, entry in self._entries.items() if name.endswith((".xml", ".rels")))
        if total > LARGEST_WORKBOOK:
            raise self.too_large(
                f"its parts unpack to {total >> 20:,} MB; at most {LARGEST_WORKBOOK >> 20:,} MB are read"
            )

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError, EOFError) as error:
            raise self.damaged("its list of parts cannot be read") from error

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._entries

    def names(self) -> list[str]:
        """The names of all parts, in lower case."""
        return list(self._entries)

    def parse(self, name: str, parser: "expat.XMLParserType", largest: int = LARGEST_PART) -> Iterator[float]:
        """Feeds a part to a parser, piece by piece, and yields after each which share of it was read. Raises FileRefused."""
        entry = self._entries.get(name.lower())
        if entry is None:
            raise self.damaged(f"its part {name} is missing")
        if entry.file_size > largest:
            raise self.too_large(
                f"its part {name} unpacks to {entry.file_size >> 20:,} MB; at most {largest >> 20:,} MB are read"
            )
        _forbid_entities(parser, self)
        fed = 0
        try:
            with self._open() as opened, opened.open(entry) as part:
                while piece := part.read(PIECE):  # never more than file_size: zipfile stops there
                    parser.Parse(piece, False)
                    fed += len(piece)
                    if fed - parser.CurrentByteIndex > LONGEST_TAG:
                        raise self.damaged(f"a tag in {name} is longer than {LONGEST_TAG >> 20} MB")
                    yield fed / max(entry.file_size, 1)
                parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise self.damaged(f"{name}, line {error.lineno}: {expat.ErrorString(error.code)}") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError):
            # RuntimeError: an encrypted part; NotImplementedError: a packing that is not deflate
            raise self.damaged(f"its part {name} cannot be unpacked") from None

    def read(self, name: str, parser: "expat.XMLParserType", largest: int = LARGEST_PART) -> None:
        """Feeds a whole part to a parser."""
        for _ in self.parse(name, parser, largest):
            pass

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """The parts to which the part `name` ('' for the workbook as a whole) refers: id -> (type, name of the part).

        References out of the file have the part name ''."""
        folder, base = posixpath.split(name)
        of_part = posixpath.join(folder, "_rels", f"{base}.rels")
        found: dict[str, tuple[str, str]] = {}
        if of_part not in self:
            return found

        def start(tag: str, attributes: dict[str, str]) -> None:
            if local(tag) == "Relationship" and len(found) < MOST_PARTS:
                target = attributes.get("Target", "")
                inside = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
                outside = attributes.get("TargetMode", "").lower() == "external"
                kind = attributes.get("Type", "").rpartition("/")[2]
                found[attributes.get("Id", "")] = (kind, "" if outside else posixpath.normpath(inside))

        self.read(of_part, shallow_parser(self, start), largest=16 << 20)
        return found

    def damaged(self, how: str) -> FileRefused:
        """The refusal of a file that is broken or was made to look like a workbook."""
        return FileRefused(
            f"The workbook is damaged: {how}.",
            self.path.name,
            "Open it in Excel, save it again as .xlsx, and load that.",
        )

    def too_large(self, how: str) -> FileRefused:
        """The refusal of a file that would take too much memory or time."""
        return FileRefused(
            f"The workbook is too large: {how}.", self.path.name, "Export it as CSV, or in smaller files."
        )


def local(tag: str) -> str:
    """The name of an element without its prefix."""
    return tag.rpartition(":")[2] if ":" in tag else tag


def shallow_parser(parts: Parts, start, end=None, text=None) -> "expat.XMLParserType":
    """A parser that refuses elements nested deeper than DEEPEST."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def start_element(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise parts.damaged(f"its elements are nested deeper than {DEEPEST}")
        start(tag, attributes)

    def end_element(tag: str) -> None:
        nonlocal depth
        depth -= 1
        if end:
            end(tag)

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start_element, end_element, text
    return parser


def _forbid_entities(parser: "expat.XMLParserType", parts: Parts) -> None:
    def refuse(*_: object) -> None:
        raise parts.damaged("it declares a document type, which no workbook does")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse


def _old_or_encrypted(path: Path, begin: bytes) -> FileRefused:
    """A compound file: the container of an encrypted .xlsx and of Excel 97-2003."""
    if any(name.encode("utf-16-le") in begin for name in ("EncryptedPackage", "EncryptionInfo")):
        return FileRefused(
            "The workbook is encrypted.", path.name, "Open it with its password, save it without one, and load that."
        )
    return FileRefused(
        "This is a workbook of Excel 97-2003 (.xls).", path.name, "Open it in Excel and save it as .xlsx."
    )
