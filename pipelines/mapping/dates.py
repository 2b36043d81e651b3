"""Dates in a format that a mapping file names: "DD.MM.YYYY" or "%d.%m.%Y". Nothing is ever guessed from the dates themselves."""

import re
from collections.abc import Callable
from datetime import date, datetime

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Longest first. A token of one letter takes one or two digits. YY is a year from 2000 on: no result in a store is older.
TOKENS = {
    "YYYY": r"(?P<year>\d{4})",
    "MMM": r"(?P<name>[A-Za-z]{3})[a-z]*\.?",
    "YY": r"(?P<short>\d{2})",
    "MM": r"(?P<month>\d{2})",
    "DD": r"(?P<day>\d{2})",
    "hh": r"(?P<hour>\d{2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "D": r"(?P<day>\d{1,2})",
    "h": r"(?P<hour>\d{1,2})",
}
STRPTIME = {"%Y": "YYYY", "%y": "YY", "%m": "M", "%d": "D", "%b": "MMM", "%H": "h", "%M": "mm", "%S": "ss"}
TOKEN = re.compile("|".join(TOKENS))
LONGEST = 40
PROBES = ((2021, 3, 4), (2012, 11, 10), (2003, 2, 1))


def compiled(format: str) -> re.Pattern:
    """The format as a pattern. Raises ValueError, with what is wrong, for one that does not say which number is what."""
    tokens = format
    for printed, token in STRPTIME.items():
        tokens = tokens.replace(printed, token)
    if "%" in tokens or len(tokens) > LONGEST:
        raise ValueError(f"{format!r} is not a date format such as DD.MM.YYYY")
    pattern, at, seen = "", 0, []
    for found in TOKEN.finditer(tokens):
        pattern += _literal(tokens[at : found.start()], format) + TOKENS[found[0]]
        seen.append(found[0])
        at = found.end()
    pattern += _literal(tokens[at:], format)
    if not {"YYYY", "YY"} & set(seen):
        raise ValueError(f"{format!r} has no year (YYYY)")
    if {"D", "DD"} & set(seen) and not {"M", "MM", "MMM"} & set(seen):
        raise ValueError(f"{format!r} has a day but no month")
    try:
        return re.compile(pattern)
    except re.error:
        raise ValueError(f"{format!r} names a part twice") from None


def _literal(text: str, format: str) -> str:
    if re.search(r"[A-Za-z]", text.replace("T", "")):
        raise ValueError(f"{format!r} has letters that mean nothing: use YYYY, MM, DD, MMM, hh, mm, ss")
    return re.escape(text)


def iso(text: str, pattern: re.Pattern) -> str | None:
    """ISO 8601 of a text in a format; None when it is not in it, or names a day that does not exist."""
    found = pattern.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if not found or not text.isascii():
        return None
    part = {name: value for name, value in found.groupdict().items() if value is not None}
    year = int(part["year"]) if "year" in part else 2000 + int(part["short"])
    if "name" in part and part["name"].lower() not in MONTHS:
        return None
    month = MONTHS.index(part["name"].lower()) + 1 if "name" in part else int(part.get("month", 0))
    day = int(part.get("day", 0))
    try:
        date(year, month or 1, day or 1)
        time = datetime(2000, 1, 1, int(part.get("hour", 0)), int(part.get("minute", 0)), int(part.get("second", 0)))
    except ValueError:
        return None
    text = f"{year:04d}" + (f"-{month:02d}" if month else "") + (f"-{day:02d}" if day else "")
    if "hour" not in part or not day:
        return text
    return text + time.strftime("T%H:%M:%S" if "second" in part else "T%H:%M")


def reader(formats: tuple[str, ...]) -> Callable[[str], str]:
    """Turns a printed date into ISO 8601; a text in none of the formats goes through as printed. Raises ValueError where two of
    the formats can read one text differently."""
    patterns = [compiled(format) for format in formats]
    for at, first in enumerate(patterns):
        for second in patterns[at + 1 :]:
            for text in _examples(formats):
                read = {iso(text, first), iso(text, second)} - {None}
                if len(read) > 1:
                    raise ValueError(f"the date formats {', '.join(formats)} read {text!r} differently")

    def read_date(text: str) -> str:
        return next((found for pattern in patterns if (found := iso(text, pattern))), text)

    return read_date


def _examples(formats: tuple[str, ...]) -> list[str]:
    """Dates written in each of the formats, with days that could be months."""
    examples = []
    for format in formats:
        for printed, token in STRPTIME.items():
            format = format.replace(printed, token)
        for year, month, day in PROBES:
            parts = {"YYYY": f"{year}", "YY": f"{year % 100:02d}", "MMM": MONTHS[month - 1], "MM": f"{month:02d}", "DD": f"{day:02d}",
                     "M": f"{month}", "D": f"{day}", "hh": "08", "h": "8", "mm": "30", "ss": "15"}  # fmt: skip
            examples.append(TOKEN.sub(lambda found, parts=parts: parts[found[0]], format))
            zeros = parts | {"M": parts["MM"], "D": parts["DD"], "h": "08"}
            examples.append(TOKEN.sub(lambda found, parts=zeros: parts[found[0]], format))
    return examples
