"""Days counted from a patient's first record, as dates: what a date becomes while the de-identification switch is on.

The first recorded day of a patient becomes `ZERO`, a day of the year 4000, and every other date of that patient keeps its distance from
it. So all arithmetic on dates stays right, and a date says itself which of the two it is: one near ZERO is told as "day 12", any other is
a calendar date. Nothing has to know whether the switch is on, and a calendar date can never be told as a number of days.
"""

import re
from datetime import date, datetime, timedelta

ZERO = date(4000, 1, 1)
REACH = timedelta(days=150 * 365)  # a record lies within so many days of the first one
MOST = 5  # digits of a day
_DAY = re.compile(rf"day([-−]?\d{{1,{MOST}}})")
_WHOLE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})\S*)?")


def is_relative(value: date | datetime | None) -> bool:
    """Whether a date counts from a first record."""
    if value is None:
        return False
    day = value.date() if isinstance(value, datetime) else value
    return abs(day - ZERO) <= REACH


def number(value: date | datetime) -> int:
    """The day: 0 is that of the first record."""
    return ((value.date() if isinstance(value, datetime) else value) - ZERO).days


def of(day: int) -> date:
    """The date of a day."""
    return ZERO + timedelta(days=day)


def said(value: date | datetime) -> str:
    """'day 12', 'day −3'."""
    return f"day {number(value)}".replace("-", "−")


def in_text(text: str) -> str | None:
    """'day 12', 'day 12 08:30' of a text that is a relative date, or a moment, and nothing else; None of any other."""
    found = _WHOLE.fullmatch(text)
    if found is None or not is_relative(_read(found[1])):
        return None
    return said(_read(found[1])) + (f" {found[2]}" if found[2] else "")


def cell(value: object) -> object:
    """A value of a table: a relative date as it is said, all else as it is."""
    if isinstance(value, date) and is_relative(value):
        return said(value) + (
            f" {value:%H:%M}" if isinstance(value, datetime) and value.time().isoformat() > "00:00:00" else ""
        )
    return (in_text(value) or value) if isinstance(value, str) else value


def in_address(value: date) -> str:
    """A date as an address holds it: 2021-09-03, or day12."""
    return f"day{number(value)}" if is_relative(value) else value.isoformat()


def from_address(text: str) -> date | None:
    """The relative date that an address holds, if it holds one."""
    found = _DAY.fullmatch(text)
    return of(int(found[1].replace("−", "-"))) if found else None


def _read(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
