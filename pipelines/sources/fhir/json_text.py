"""JSON as FHIR files hold it, read safely: numbers keep their printed digits, nothing is guessed from a broken text.

A name that stands twice in one object, NaN, half of a surrogate pair, and nesting deeper than the parser follows are refused.
"""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path

import orjson

from pipelines.errors import FileRefused

PIECE = 8 << 20
# The longest line of an NDJSON file, and the longest entry of a Bundle: a resource with an attachment has some megabytes.
LONGEST_VALUE = 64 << 20
OVERLAP = 4096  # characters
HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
BLANK = re.compile(r"[ \t\n\r]*")


class NotJson(Exception):
    """The text is not valid JSON; the message says why."""


class Number(str):
    """A JSON number, as printed."""

    __slots__ = ()


def parse(text: str) -> object:
    """The value that a whole text holds. Raises NotJson."""
    value, end = _value(text, BLANK.match(text).end())
    if BLANK.match(text, end).end() != len(text):
        raise NotJson("text follows the end of the value")
    return value


def written(value: object, longest: int = 4000) -> str:
    """A value as JSON again, numbers as they were printed, cut when it is longer than `longest` characters."""
    try:
        text = orjson.dumps(value, default=_as_printed, option=orjson.OPT_PASSTHROUGH_SUBCLASS).decode()
    except TypeError:  # nested deeper than the writer follows
        return "{}"
    return text if len(text) <= longest else text[:longest] + "…"


def _as_printed(value: object) -> orjson.Fragment:
    if isinstance(value, Number):
        return orjson.Fragment(str(value))
    raise TypeError


def _object(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("a name stands twice in one object")
    return found


def _no_number(text: str) -> None:
    raise NotJson(f"{text} is no JSON number")


DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Number, parse_int=Number, parse_constant=_no_number
)  # fmt: skip


def _value(text: str, at: int) -> tuple[object, int]:
    """The value that begins at `at`, and where it ends. Raises NotJson; json.JSONDecodeError where the text may end too early."""
    broken = None
    try:
        value, end = DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        broken = _Broken(error.msg, error.pos, len(text))  # raised below, so that it does not keep the text
    except RecursionError:
        raise NotJson("it is nested too deep") from None
    if broken:
        raise broken
    if HALF_PAIR.search(text, at, end):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except (UnicodeEncodeError, RecursionError):
            raise NotJson("it holds half of a surrogate pair") from None
    return value, end


class _Broken(NotJson):
    """Not valid JSON; `open`: the text may only end too early."""

    def __init__(self, why: str, place: int, length: int) -> None:
        super().__init__(f"{why} at character {place + 1}")
        self.open = why.startswith("Unterminated string") or place >= length - 16


def line_blocks(path: Path) -> Iterator[bytes]:
    """The file in blocks of whole lines, without a byte order mark. Raises FileRefused for an endless line."""
    with path.open("rb") as file:
        rest = file.read(3).removeprefix(codecs.BOM_UTF8)
        while piece := file.read(PIECE):
            end = piece.rfind(b"\n") + 1
            if end:
                yield rest + piece[:end]
                rest = piece[end:]
            else:
                rest += piece
            if len(rest) > LONGEST_VALUE:
                raise FileRefused(
                    f"A line is longer than {LONGEST_VALUE >> 20} MB.",
                    path.name,
                    "An NDJSON file has one resource a line.",
                )
        if rest:
            yield rest


def overlapping_texts(path: Path) -> Iterator[str]:
    """The file as text, in pieces that overlap so far that no address or identifier is cut in all of them; slashes unescaped."""
    decoder, rest = codecs.getincrementaldecoder("utf-8")("replace"), ""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            text = rest + decoder.decode(piece).replace("\\/", "/")
            yield text
            rest = text[-OVERLAP:]


class Document:
    """A file that is one JSON object: a Bundle, read entry by entry in a window, or a single resource.

    `entries` gives each entry as (its place, from 1; the entry; its text). What stands beside `entry` is in `head` when they
    are all read. `position`: bytes read so far.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.head, self.position = path, {}, 0

    def entries(self) -> Iterator[tuple[int, object, str]]:
        """Raises FileRefused where the file is not one valid JSON object."""
        self.head, self._text, self._at, self._ended = {}, "", 0, False
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
        with self.path.open("rb") as self._file:
            try:
                yield from self._object()
            except NotJson as error:
                raise self._refused(str(error)) from None
            except UnicodeDecodeError:
                raise self._refused("it is not UTF-8") from None

    def _refused(self, why: str) -> FileRefused:
        return FileRefused(
            f"The file is not valid JSON ({why}).", self.path.name, "Export it again; nothing of it was loaded."
        )

    def _object(self) -> Iterator[tuple[int, object, str]]:
        self._take("{")
        if self._peek() != "}":
            while True:
                name, _ = self._next()
                if not isinstance(name, str) or isinstance(name, Number) or name in self.head:
                    raise NotJson("a name stands twice in the object, or is no text")
                self._take(":")
                if name == "entry" and self._peek() == "[":
                    self.head[name] = None
                    yield from self._array()
                else:
                    self.head[name] = self._next()[0]
                if self._peek() != ",":
                    break
                self._take(",")
        self._take("}")
        if self._peek():
            raise NotJson("text follows the end of the object")

    def _array(self) -> Iterator[tuple[int, object, str]]:
        self._take("[")
        number = 0
        if self._peek() != "]":
            while True:
                number += 1
                value, text = self._next()
                yield number, value, text
                if self._peek() != ",":
                    break
                self._take(",")
        self._take("]")

    def _peek(self) -> str:
        """The next character that is no blank; '' at the end of the file."""
        while True:
            self._at = BLANK.match(self._text, self._at).end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _take(self, character: str) -> None:
        if self._peek() != character:
            raise NotJson(f"'{character}' is missing about byte {self.position}")
        self._at += 1

    def _next(self) -> tuple[object, str]:
        """The next value, and its text."""
        self._peek()
        while True:
            try:
                value, end = _value(self._text, self._at)
                if end < len(self._text) or not self._more():  # a number may go on behind the window
                    text, self._at = self._text[self._at : end], end
                    return value, text
            except _Broken as error:
                if not error.open or not self._more():
                    raise NotJson(f"{error} of the window that ends at byte {self.position}") from None

    def _more(self) -> bool:
        """Reads on: as much again as is left unread, so that a long value is tried few times. False at the end of the file."""
        left = self._text[self._at :]
        if len(left) > LONGEST_VALUE:
            raise NotJson(f"an entry is longer than {LONGEST_VALUE >> 20} million characters")
        piece = b"" if self._ended else self._file.read(max(PIECE // 8, len(left)))
        self._ended = not piece
        self.position += len(piece)
        text = self._decoder.decode(piece, final=self._ended)
        self._text, self._at = left + text, 0
        return bool(text) or not self._ended
