"""From the bytes of a file to HL7 v2 segments: line ends, MLLP blocks, glued messages, character sets, batch counts.

A segment ends with CR, LF or CRLF, or where an MLLP block (0x0B ... 0x1C) ends. `MSH|^~\\&` inside a line is a message that
was glued to the one before. A line that is no segment goes on the OBX before it when that one is incomplete (a bare line end in a
text); else it is told. The encoding is the file's (text.py), unless MSH-18 names another: ISO 2022 always, any other where the
file as a whole is not valid UTF-8 and the segment can be read in it.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from pipelines.sources import text
from pipelines.sources.hl7v2 import names
from pipelines.sources.hl7v2.fields import MOST_FIELDS, Separators, separators_of
from pipelines.sources.hl7v2.tables import CHARACTER_SETS

BLOCK_START, BLOCK_END = b"\x0b", b"\x1c"
GLUED = b"MSH|^~\\&"
NAME = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)
HEADERS = ("MSH", "BHS", "FHS")
RESULT_FIELDS = 11  # an OBX is complete with OBX-11, which the standard requires
LONGEST = 1 << 16  # characters of a segment; only the values of an OBX may be longer
MOST_JOINED = 1000  # lines of one field
BLOCKS = re.compile(rb"([\x0b\x1c])")


class Message:
    """One message, from its MSH on. `separators` is None when the MSH does not say them."""

    def __init__(self, number: int, line: int, header: str, separators: Separators | None) -> None:
        self.number, self.line, self.separators = number, line, separators
        fields = header.split(header[3:4], MOST_FIELDS) if separators else ["MSH"]
        self._fields = ["MSH", "", *fields[1:]]  # MSH-1 is the separator itself
        kind = self.components(9)
        self.code, self.trigger = kind[0], kind[1] if len(kind) > 1 else ""
        self.has_patient = self.told = False

    def components(self, number: int) -> list[str]:
        field = self._fields[number] if number < len(self._fields) else ""
        return self.separators.components(field) if self.separators else [""]

    @property
    def type(self) -> str:
        """As the standard names it: no other text of the file."""
        return names.message_type(self.code, self.trigger)


class Segment(NamedTuple):
    """One segment. fields[n] is XXX-n, still escaped. `whole` is False for one that the file or a next message cuts off."""

    name: str  # '' for a line that is no segment
    fields: list[str]
    line: int
    message: Message | None
    whole: bool = True


class Segments:
    """The segments of one file, in order. Says afterwards what was odd about the file as a whole."""

    def __init__(self, file: text.TextFile) -> None:
        self._file, self.position = file, 0
        self._base = "utf-8" if file.encoding.startswith("utf") else file.encoding
        self.odd: Counter[str] = Counter()
        self.envelope = Envelope()
        self._encoding = self._base
        self._in_block = False
        self._lines_joined = 0

    def __iter__(self) -> Iterator[Segment]:
        message, number, waiting = None, 0, None
        for line, content, ended in self._lines():
            decoded = self._decoded(content)
            if decoded[0] in " \t":
                decoded, content = _outdented(decoded, content)
            name = decoded[:3]
            if name == "MSH":
                number += 1
                encoding = self._declared(decoded)
                self._encoding = encoding or self._base
                decoded = self._decoded(content)
                separators = separators_of(decoded, self._encoding)
                opened = Message(number, line, decoded, separators)
            separators = message.separators if message else None
            mark = separators.field if separators else "|"
            starts = name in HEADERS or (NAME.fullmatch(name) is not None and decoded[3:4] in ("", mark))
            if not starts and waiting and self._goes_on(waiting, separators):
                waiting = self._joined(waiting, decoded, mark, ended)
                continue
            if waiting:
                yield waiting
            if name == "MSH":
                message = opened
                self.envelope.messages += 1
            elif name in ("BHS", "FHS", "BTS", "FTS"):
                self.envelope.reads(name, decoded)
                message = None
            starts = starts and (name == "OBX" or len(decoded) <= LONGEST)
            fields = decoded.split(mark, MOST_FIELDS) if starts else [decoded]
            self._lines_joined = 0
            waiting = Segment(name if starts else "", fields, line, message, ended)
        if waiting:
            yield waiting
        self.envelope.ends()

    def _goes_on(self, before: Segment, separators: Separators | None) -> bool:
        room = self._lines_joined < MOST_JOINED and len(before.fields[-1]) < text.LONGEST_LINE
        return before.name == "OBX" and separators is not None and len(before.fields) <= RESULT_FIELDS and room

    def _joined(self, before: Segment, more: str, mark: str, ended: bool) -> Segment:
        """The segment with a line added that belongs to it: its text held a bare line end."""
        self._lines_joined += 1
        self.odd["line ends inside a field were read as part of it"] += 1
        first, *rest = more.split(mark, MOST_FIELDS)
        fields = [*before.fields[:-1], f"{before.fields[-1]}\n{first}", *rest]
        return before._replace(fields=fields[: MOST_FIELDS + 1], whole=ended)

    def _decoded(self, content: bytes) -> str:
        if content.isascii() and b"\x1b" not in content:
            return content.decode("ascii")
        try:
            return content.decode(self._encoding).replace("\0", "\ufffd")
        except UnicodeDecodeError:
            self.odd["lines are not in the character set they should be in, and were read as far as possible"] += 1
        return content.decode(self._base, "replace").replace("\0", "\ufffd")

    def _declared(self, header: str) -> str | None:
        """The encoding of a message whose MSH-18 names one that is to be believed."""
        marks = separators_of(header)
        if marks is None:
            return None
        fields = header.split(marks.field, MOST_FIELDS)
        printed = marks.repetitions(fields[17]) if len(fields) > 17 else []
        names = [CHARACTER_SETS.get(name.strip().upper()) for name in printed if name.strip()]
        if None in names:
            self.odd["messages name a character set that is not known here (MSH-18)"] += 1
        known = [name for name in names if name]
        japanese = next((name for name in known if name.startswith("iso2022")), None)
        if japanese or not self._file.guessed or not known or known[0] == "ascii":
            return japanese
        return known[0]

    def _lines(self) -> Iterator[tuple[int, bytes, bool]]:
        """(line number, text, whether a line end follows) of every line that is not blank; blocks and glued messages are
        lines of their own, under the number of the line on which they stand."""
        for number, line in self._physical():
            ended = line[-1:] in (b"\r", b"\n")
            content = line.rstrip(b"\r\n")
            if BLOCK_START in content or BLOCK_END in content or content.find(GLUED, 1) > 0:
                yield from self._parts(number, content, ended)
            elif content.strip():
                yield number, content, ended

    def _parts(self, number: int, content: bytes, ended: bool) -> Iterator[tuple[int, bytes, bool]]:
        pieces = BLOCKS.split(content)
        for at, piece in enumerate(pieces):
            if piece == BLOCK_START:
                if self._in_block:
                    self.odd["message blocks have no end (0x1C): the message in them may be cut short"] += 1
                self._in_block = True
            elif piece == BLOCK_END:
                self._in_block = False
            elif piece.strip():
                closed = pieces[at + 1] == BLOCK_END if at + 1 < len(pieces) else ended
                yield from self._unglued(number, piece, closed)

    def _unglued(self, number: int, content: bytes, ended: bool) -> Iterator[tuple[int, bytes, bool]]:
        first, *glued = content.split(GLUED)
        self.odd["messages were glued to the one before, without a line end"] += len(glued) - (not first.strip())
        if first.strip():
            yield number, first, ended and not glued
        for at, rest in enumerate(glued, start=1):
            yield number, GLUED + rest, ended or at < len(glued)

    def _physical(self) -> Iterator[tuple[int, bytes]]:
        number, rest = 0, b""
        for piece in self._pieces():
            lines = (rest + piece).splitlines(keepends=True)
            # the last line may go on in the next piece, and its CR may be half of a CRLF
            rest = lines.pop() if not lines[-1].endswith(b"\n") else b""
            for line in lines:
                number += 1
                yield number, line
        if rest:
            yield number + 1, rest

    def _pieces(self) -> Iterator[bytes]:
        with self._file.path.open("rb") as opened:
            wide = self._file.encoding in ("utf-16", "utf-32")
            if wide:
                reader = io.TextIOWrapper(opened, self._file.encoding, newline="")
            elif self._file.encoding == "utf-8-sig":
                opened.seek(3)
            while piece := reader.read(text.PIECE).encode() if wide else opened.read(text.PIECE):
                self.position = opened.tell()
                yield piece


def _outdented(decoded: str, content: bytes) -> tuple[str, bytes]:
    """A segment without the blanks that some exports put before it; another line as it is."""
    bare = decoded.lstrip(" \t")
    is_segment = NAME.fullmatch(bare[:3]) and len(bare) > 3 and not bare[3].isalnum() and bare[3] > " "
    return (bare, content.lstrip(b" \t")) if is_segment else (decoded, content)


class Envelope:
    """The counts that batch and file trailers give, against what was there."""

    def __init__(self) -> None:
        self.messages = 0  # in the batch that is open
        self.notes: list[str] = []
        self._batches = 0
        self._open_batch = self._open_file = False

    def reads(self, name: str, segment: str) -> None:
        if name in ("BHS", "FHS"):
            self._opens(name)
            return
        is_batch = name == "BTS"
        if not is_batch and not self._batches and self.messages:
            self._batches = 1  # messages without a BHS are one batch
        if not (self._open_batch if is_batch else self._open_file):
            self._say(f"a {name} without its {name[0]}HS")
        found, what = (self.messages, "messages") if is_batch else (self._batches, "batches")
        printed = segment.split(segment[3:4], 2)[1].strip() if len(segment) > 4 else ""
        if printed and printed != str(found) and not (printed.isdecimal() and int(printed[:9]) == found):
            where = f"batch {self._batches}" if is_batch else "the file"
            self._say(f"{where} holds {found} {what}, and its {name} says {printed[:20]}")
        self.messages = 0
        if is_batch:
            self._open_batch = False
        else:
            self._open_file, self._batches = False, 0

    def ends(self) -> None:
        for is_open, name in ((self._open_batch, "BTS"), (self._open_file, "FTS")):
            if is_open:
                self._say(f"there is no {name}: the file may be cut short")

    def _opens(self, name: str) -> None:
        if name == "BHS":
            if self._open_batch:
                self._say(f"batch {self._batches} has no BTS: it may be cut short")
            self._batches += 1
            self._open_batch = True
        else:
            self._open_file, self._batches = True, 0
        self.messages = 0

    def _say(self, what: str) -> None:
        if len(self.notes) < 20:
            self.notes.append(what)
