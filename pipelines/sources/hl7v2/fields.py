r"""The parts of an HL7 v2 field: separators, escapes, times.

The `hl7` library (0.4.5) parses a field into repetitions, components and subcomponents, and unescapes, when the field is read. What it
cannot take is kept from it: a header without separators (IndexError), a field of more than MOST_MARKS separators (0.45 KB of memory
for each), escapes that are not well formed. Only the cut of a segment into fields is made here (framing): with `hl7.parse`
of each whole segment, 320,300 results are read at 9,000 a second instead of 36,500, for it parses 25 fields of an OBX of which ten
are looked at and most have been seen before.
"""

import re
from collections.abc import Callable
from functools import lru_cache, wraps

import hl7

MOST_FIELDS = 64  # of a segment; the longest that is read (OBR) has 50
MOST_MARKS = 2000  # separators in a field that the library is given: 1 MB and 20 ms
LONGEST_ESCAPED = (
    1 << 18
)  # characters of a text that is unescaped, which takes 30 bytes for each; a longer one stays as printed
LONGEST_ID = 200  # characters; the standard's identifiers have at most 199
LONGEST_TIME = 60
NULL = '""'
TIME = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2}(?:\.\d{1,9})?))?)?)?)?)?([+-]\d{4})?", re.ASCII
)
# A number with one comma: a decimal comma, or, in some, a group of thousands.
COMMA = re.compile(r"([<>=≤≥]{0,2}\s*[+-]?\d{1,15})((?:\.\d{3}){0,5}),(\d{1,15})", re.ASCII)
LONGEST_REMEMBERED = 500  # characters: a cache of texts stays small
# The escapes that are known (chapter 2.7), else the escape character (@) alone. No formatting command is repeated more than 99 times.
ESCAPE = r"@(?:[FSRETPHN]|\.(?:br|sp|ce|sk|fi|nf|in|ti)(?:[+-]?\d{1,2})?|X(?P<bytes>(?:[0-9A-Fa-f]{2})+))@|@"
# What the library makes of the escapes that are not its own separators: lines and blanks; indents and emphasis are appearance.
FORMATTING = {
    ".br": "\n", ".sp": "\n", ".ce": "\n", ".sk": " ", ".fi": "", ".nf": "", ".in": "", ".ti": "", "H": "", "N": "", "P": "#",
}  # fmt: skip
PRECISION = {"Y": 1, "L": 2, "D": 3, "H": 3}  # TS.2 of older versions: how many parts of the time count


def remembered(size: int) -> Callable:
    """lru_cache for a function of a text, which is not asked for texts that are absurdly long."""

    def decorated(function: Callable) -> Callable:
        cached = lru_cache(size)(function)

        def asked(printed: str, *more):
            return (cached if len(printed) <= LONGEST_REMEMBERED else function)(printed, *more)

        return wraps(function)(asked)

    return decorated


def with_decimal_dot(text: str, declared: str | None) -> tuple[str, str | None]:
    """(text, fault) of a number as a text: HL7 numbers have a decimal dot, texts may not. One comma is held until its meaning is
    declared ('comma' or 'dot')."""
    number = COMMA.fullmatch(text) if "," in text else None
    if number is None or declared == "dot":
        return text, None
    if declared is None:
        return text, "decimal_ambiguous"
    return f"{number[1]}{number[2].replace('.', '')}.{number[3]}", None


def field(fields: list[str], number: int) -> str:
    """XXX-number of a segment; empty when the segment ends before it."""
    return fields[number] if number < len(fields) else ""


def identifier(printed: str, separators: "Separators") -> str:
    """An entity identifier (EI): the identifier, with the authority where one is named; empty when it is too long to be one."""
    if not printed or len(printed) > LONGEST_ID:
        return ""
    return separators.component.join(separators.components(printed)).rstrip(separators.component)


class Separators:
    """What MSH-1 and MSH-2 say, the encoding in which bytes in hexadecimal escapes are read, and by these the parts of a field."""

    def __init__(self, marks: str, encoding: str) -> None:
        self.field, self.component, self.repetition, self.escape, self.subcomponent = marks
        self.encoding = encoding
        self._before = f"MSH{marks}{self.field}\rFLD{self.field}"
        self._after = f"{self.field}."  # keeps the library from stripping blanks that separate
        self._message = hl7.parse(self._before + self._after)
        self._inner = (self.component, self.repetition, self.subcomponent)
        self._escape = re.compile(ESCAPE.replace("@", re.escape(self.escape)), re.ASCII)

    def repetitions(self, field: str) -> list[str]:
        """The repetitions of a field, still escaped. Those of an absurd field stay together."""
        return [str(repetition) for repetition in self._parsed(field)]

    def components(self, field: str) -> list[str]:
        """The components of a field that does not repeat, each as plain text: a repetition mark in one belongs to its text."""
        first, *more = ([str(part) for part in _parts(one)] for one in self._parsed(field))
        for parts in more:
            first[-1] += self.repetition + parts[0]
            first += parts[1:]
        return [self.plain(part) for part in first]

    def tree(self, field: str) -> list[list[list[str]]]:
        """A field as repetitions of components of subcomponents, each as plain text; none of them is empty."""
        return [
            [[self.plain(leaf) for leaf in _parts(component)] for component in _parts(repetition)]
            for repetition in self._parsed(field)
        ]

    def time(self, field: str) -> str:
        """A time (TS, DTM), see `instant`."""
        time, precision, *_ = (*self.components(field), "")
        return instant(time, precision)

    def _parsed(self, field: str) -> list[hl7.Repetition | str]:
        """The repetitions of a field as the library has them. A field without any mark, which most are, is its own only part, and so
        is one of more marks than the library is given."""
        marks = sum(map(field.count, self._inner))
        if not 0 < marks <= MOST_MARKS:
            return [field]
        return hl7.parse(self._before + field + self._after)[1][1]

    def plain(self, printed: str) -> str:
        """Text without escapes and blanks around it; empty for the null value (two quotes)."""
        has_escapes = self.escape in printed and len(printed) <= LONGEST_ESCAPED
        text = self._unescaped(printed) if has_escapes else printed
        text = text.strip()
        return "" if text == NULL else text

    def _unescaped(self, printed: str) -> str:
        r"""By the library, from a text that it can take: it loses what stands after an escape character that closes nothing and inside an
        escape it does not know (both stay as printed here), reads each byte of \X..\ as a character of its own, and makes as many
        blanks as `\.sp5000000\` says."""
        return self._message.unescape(self._escape.sub(self._well_formed, printed), FORMATTING)

    def _well_formed(self, found: re.Match[str]) -> str:
        literal = f"{self.escape}E{self.escape}"
        if found["bytes"]:
            text = bytes.fromhex(found["bytes"]).decode(self.encoding, "replace")
            return text.replace("\0", "\ufffd").replace(self.escape, literal)
        return found[0] if len(found[0]) > 1 else literal


def _parts(parsed: hl7.Repetition | hl7.Component | str) -> list:
    """The library gives what has no separator in it as a text, at any depth."""
    return [parsed] if isinstance(parsed, str) else parsed


def separators_of(header: str, encoding: str = "utf-8") -> Separators | None:
    """The separators that an MSH, BHS or FHS names; None when it names none, or one character for two things."""
    marks = header[3:4] + header[4:].split(header[3:4], 1)[0] if len(header) > 4 else ""
    if not 5 <= len(marks) <= 6 or len(set(marks)) < len(marks):
        return None
    if any(mark.isalnum() or mark in ' .+-"' or (mark < " " and mark != "\t") for mark in marks):
        return None
    return _separators(marks[:5], encoding)


@lru_cache(maxsize=256)  # one object of each, for caches find it by identity
def _separators(marks: str, encoding: str) -> Separators:
    return Separators(marks, encoding)


@remembered(1 << 16)
def instant(printed: str, precision: str = "") -> str:
    """A time (TS.1, DTM) in ISO 8601, at the precision printed. One to the hour becomes its day: minutes are never invented.
    An offset is kept with a time of day. A text that is no time of HL7 stays as printed."""
    text = printed[:LONGEST_TIME]
    read = TIME.fullmatch(text)
    if read is None:
        return text
    *parts, zone = read.groups()
    year, month, day, hour, minute, second = (
        part if at < PRECISION.get(precision, 6) else None for at, part in enumerate(parts)
    )
    date = "-".join(part for part in (year, month, day) if part)
    if minute is None:
        return date
    offset = f"{zone[:3]}:{zone[3:]}" if zone else ""
    return f"{date}T{hour}:{minute}{':' + second if second else ''}{offset}"
