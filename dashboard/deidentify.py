"""De-identification: what of a row about a patient may be shown while the switch is on, decided field by field.

Dates count from the patient's first record (relative_days.py). The id is a label, the year of birth an age band at the first record. Coded
and numeric fields and units stay, and so do texts that are made of words of the dictionary and the rules alone, with their dates counted.
Everything else is left out: a text field stands in KEPT or in LEFT_OUT (tests/dashboard/test_deidentify.py fails where it is in neither),
and one that stands in neither is left out.

How a page comes to show nothing else: what `dashboard.data.snapshot.ask` answers is de-identified, so that whatever is drawn, listed or
downloaded is made of rows that hold nothing else; a question asked through it needs no line of its own. A function of dashboard/data that
reads in another way does it with one line:

    @deidentified.shown                      # every row (dict with patient_id, at any depth) of what it returns
    def board() -> list[dict]: ...

    who = deidentified.whose(patient_id)     # a function about one patient, asked with the label and days on screen
    return who.rows(read(who.patient_id, who.real(as_of)))

Fields that are left out are None: a page says nothing of them. Dates are printed by `style.day` alone, put into an address by
`relative_days.in_address`, and asked for by `day_input`. A file that is made when it is asked for gets its function through
`deidentify.kept`, for no session can be asked then, and a function of its own is a line of exports.py, which the leak test reads. A date
that belongs to no patient (the store's last recorded day, times of receipt) is not said by `style.day` while the switch is on.
"""

import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import wraps

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard import relative_days, vocabulary
from pipelines.errors import Refusal

SWITCH = "deidentified"  # in the session's state and in the address
LEFT = "left out"
_NUMBERS = frozenset({bool, int, float, Decimal})
_kept: ContextVar[bool | None] = ContextVar("deidentified", default=None)

# Text fields that are kept. own: a word of the programme, which no text of a file can be; code: a value of a dictionary or of a rule;
# number: as printed, where that is a number or a code; unit: a spelling of the dictionary; sentence: words of the dictionary and the rules
# with numbers and dates; day: a date as text; id: a hash that links rows (never shown); link: an id by which entries are linked, which
# somebody may have chosen (never shown), as a hash; cite: a paper of the dictionary; alias: another text for each name, so that results of
# two laboratories stay two.
KEPT = {
    **dict.fromkeys(
        ("sex", "analyte", "coded", "sample_timing", "activity", "phase", "drug", "drug_class", "drugs", "agents", "agent", "route",
         "purpose", "code", "item", "title", "device", "organism", "site_of_infection", "proof", "specimen", "what", "topic", "test",
         "series", "label", "through"),
        "code",
    ),
    **dict.fromkeys(
        ("criterion", "group", "status", "kind", "action", "per", "dosing", "measure", "fio2_source", "pf_method", "clock", "becomes",
         "basis", "urgency", "outcome", "reason", "field", "class", "severity", "status_now", "state", "trigger", "change", "how", "due",
         "before_status", "band", "closed_because", "referred_as", "first_trigger"),
        "own",
    ),
    **dict.fromkeys(
        ("original_value", "original_dose", "value", "judged_value", "value as printed", "shown", "old_value", "old", "new"), "number"
    ),
    **dict.fromkeys(("unit", "original_unit", "dose_unit", "judged_unit", "old_unit"), "unit"),
    **dict.fromkeys(
        ("finding", "missing", "facts", "notes", "described", "partial", "refused", "because", "met", "unknown", "until_said", "dose",
         "detail", "name", "clocks", "status_words", "thing", "barriers_unknown"),
        "sentence",
    ),
    **dict.fromkeys(("at", "day", "on", "date", "as_of", "date as printed"), "day"),
    **dict.fromkeys(
        ("record_id", "records", "set_id", "evidence", "before_id", "previous_id", "peak_id", "content_hash", "fact_id",
         "new_evidence", "records_after"), "id"
    ),
    **dict.fromkeys(("entry_id", "about"), "link"),
    "cite": "cite",
    **dict.fromkeys(("assay", "laboratory", "reference_set", "reported_set"), "alias"),
}  # fmt: skip

# Fields that are left out whatever is in them: texts of people, whose they are, where they come from; moments of this store and not of the
# patient; numbers that say who it is. `file` and `source` are said in general words.
LEFT_OUT = frozenset(
    (
        "text", "why", "owner", "author", "author_known", "decided_by", "set_by", "hint", "what to do", "found", "raw", "row as received",
        "cells", "place", "site", "file", "source", "line", "file_id", "receipt", "sha256", "format", "specimen_id", "utc_offset",
        "received_at", "received_until", "issued_at", "known_from", "known_until", "known_assumed", "entered_at", "decided_at",
        "judged_at", "last_received_at", "declared", "birth_year", "age", "status_text", "status_file", "status_line", "status_record",
        "sources",
    )
)  # fmt: skip
IN_GENERAL = {"file": "source file", "source": "source file"}
YEAR_OF_BIRTH = "birth_year"  # a change of a record that is of it says no year
AGES = (18, 25, 35, 45, 55, 65, 75)  # a band ends a year before the next begins

_DATED = re.compile(
    r"\b((?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))(?:[T ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?)?(?!\d)"
    r"|\b((?:19|20)\d\d-(?:0[1-9]|1[0-2]))\b(?!-)"
)
_OWN = re.compile(r"[a-z][a-z_ ]{0,39}[0-9]?")
_MADE = re.compile(r"[0-9a-f]{32}")  # an id that the programme made (`entries.new_id`)
_YEAR = re.compile(r"(?:19|20)\d\d")
_WHOLE = re.compile(r"(\d{4}-\d\d-\d\d)([T ]\d\d:\d\d\S*)?")


def on() -> bool:
    """Whether the switch is on for who asks: the session on screen, or the one that a file is made for."""
    kept_on = _kept.get()
    if kept_on is not None:
        return kept_on
    return get_script_run_ctx(suppress_warning=True) is not None and bool(st.session_state.get(SWITCH, False))


def kept(make: Callable) -> Callable:
    """A function that will run when no session can be asked (a download that is made on demand), under the switch as it is now."""
    now = on()

    @wraps(make)
    def made(*asked, **more):
        before = _kept.set(now)
        try:
            return make(*asked, **more)
        finally:
            _kept.reset(before)

    return made


def file_name(name: str, day: date, ending: str) -> str:
    """'agenda-2021-10-04.csv'; while the switch is on 'agenda.csv', for a file's name is seen by everyone who is sent it."""
    return f"{name}{ending}" if on() else f"{name}-{day.isoformat()}{ending}"


SPANS = (7, 30, 90, 365)  # days: the ends of the bands in which `ago` tells how old something is


def ago(days: int) -> str:
    """'12 days'; while the switch is on in bands, '8 to 30 days': a number of days up to the last day of the store, beside a day since the
    first record, would say of every patient which day since the first record that one day is, and who knows it would know all the others.
    """
    if not on():
        return f"{days:,} day{'s' * (days != 1)}"
    ends = [end for end in SPANS if end < days]
    if not ends:
        return f"up to {SPANS[0]} days"
    return f"over {ends[-1]} days" if len(ends) == len(SPANS) else f"{ends[-1] + 1} to {SPANS[len(ends)]} days"


def or_left(text: str | None) -> str:
    """A text of a person as it is shown: that it is left out, while the switch is on."""
    return text or (LEFT if on() else "")


def refuse(what: str) -> None:
    """For what cannot be de-identified, a calendar file of due dates: raises NotDeidentified while the switch is on."""
    if on():
        raise NotDeidentified(
            f"{what} is not made while the page is de-identified.", "", "Turn the de-identification off."
        )


class NotDeidentified(Refusal):
    """Something that would say a date or a name was asked for while the switch is on."""


def age_band(age: int | None) -> str | None:
    """'under 18', '45 to 54', '75 or over'."""
    if age is None:
        return None
    begun = [first for first in AGES if first <= age]
    if not begun:
        return f"under {AGES[0]}"
    if begun[-1] == AGES[-1]:
        return f"{AGES[-1]} or over"
    return f"{begun[-1]} to {AGES[len(begun)] - 1}"


@dataclass(frozen=True)
class Person:
    """Whose rows they are: the id in the store, the label shown, the first recorded day (None: nothing dated is recorded, and no date
    is shown), the year of birth, and what tells one name from another without naming it."""

    patient_id: str
    label: str
    first_day: date | None
    birth_year: int | None = None
    alias: Callable[[str], str] = field(default=lambda name: LEFT, compare=False)

    @property
    def age_band(self) -> str | None:
        """At the first record; of a year of birth the age is one of two, and the later is taken."""
        if self.birth_year is None or self.first_day is None:
            return None
        return age_band(self.first_day.year - self.birth_year)

    def link(self, entry_id: str) -> str:
        """What stands for an entry's id that somebody chose."""
        return LEFT

    @property
    def _shift(self) -> timedelta:
        return relative_days.ZERO - self.first_day

    def shown(self, value: date | datetime | None):
        """A date of the store as one that counts from the first record; None where it cannot."""
        if value is None or self.first_day is None or relative_days.is_relative(value):
            return value if relative_days.is_relative(value) else None
        moved = value.replace(tzinfo=None) + self._shift if isinstance(value, datetime) else value + self._shift
        return moved if relative_days.is_relative(moved) else None

    def real(self, value: date | datetime | None):
        """A date on screen as the store has it."""
        return (
            value
            if value is None or not relative_days.is_relative(value) or self.first_day is None
            else value - self._shift
        )

    def rows(self, rows: list[dict]) -> list[dict]:
        """Rows about this patient, with nothing that says who it is. What was given is not changed."""
        memo: dict = {}
        return [self.row(row, memo) for row in rows]

    def row(self, row: dict, memo: dict | None = None) -> dict:
        """One row; `memo` keeps what was decided of a text, for the next row."""
        memo = {} if memo is None else memo
        made = {name: self._value(name, value, memo) for name, value in row.items()}
        if "patient_id" in row:
            made["patient_id"] = self.label
        if YEAR_OF_BIRTH in row:
            made["age_band"] = self.age_band
        if row.get("what") == YEAR_OF_BIRTH:
            made |= {name: LEFT for name in ("value", "old_value") if made.get(name)} | (
                {"changed": []} if "changed" in row else {}
            )
        return made

    def _value(self, name: str, value: object, memo: dict) -> object:
        if value is None or name in LEFT_OUT:
            return IN_GENERAL.get(name)
        kind = type(value)
        if kind in _NUMBERS or KEPT.get(name) == "id":
            return value
        if kind is str or kind is date:
            key = name, value
            if key not in memo:
                memo[key] = self._text(name, value) if kind is str else self.shown(value)
            return memo[key]
        if isinstance(value, date):
            return self.shown(value)
        if isinstance(value, dict):
            return self.row(value, memo)
        if isinstance(value, (list, tuple, set, frozenset)):
            return kind(self._value(name, one, memo) for one in value) if value else value
        return None

    def _text(self, name: str, text: str) -> str | None:
        kind = KEPT.get(name)
        if kind == "id":
            return text
        if kind == "own":
            return text if _OWN.fullmatch(text) else LEFT
        whole = _WHOLE.fullmatch(text)
        if whole:
            return None if kind is None else self._moved(whole)
        if kind == "code":
            return text if vocabulary.is_code(text) else self._words(text)
        if kind == "number":
            return text if vocabulary.is_number(text) or vocabulary.is_code(text) else self._words(text)
        if kind == "unit":
            return text if vocabulary.is_unit(text) or vocabulary.is_told(text) else LEFT
        if kind == "cite":
            return text if vocabulary.is_citation(text) else LEFT
        if kind == "link":
            return text if _MADE.fullmatch(text) else self.link(text)
        if kind == "alias":
            if vocabulary.is_name(text) or (vocabulary.is_code(text) and not vocabulary.is_number(text)):
                return text
            return f"{vocabulary.plain(name)} {self.alias(text)}"
        return self.sentence(text) if kind == "sentence" else None

    def _moved(self, whole: re.Match) -> str | None:
        """A text that is a date or a moment stays one."""
        try:
            moved = self.shown(date.fromisoformat(whole[1]))
        except ValueError:
            return None
        return None if moved is None else moved.isoformat() + (whole[2] or "")

    def sentence(self, text: str) -> str:
        """A text with its dates counted from the first record; left out where any word of it is none of the dictionary or the rules."""
        told = _DATED.sub(self._counted, text)
        return told if vocabulary.is_told(told) else LEFT

    def _words(self, text: str) -> str:
        """What should be a code and is printed otherwise: known words, and no year."""
        return LEFT if _YEAR.search(text) else self.sentence(text)

    def _counted(self, found: re.Match) -> str:
        if self.first_day is None:
            return LEFT
        try:
            if found[3]:  # a month: from its first day to its last
                first = date.fromisoformat(found[3] + "-01")
                last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
                return f"{relative_days.said(self.shown(first))} to {relative_days.said(self.shown(last))}"
            return relative_days.said(self.shown(date.fromisoformat(found[1]))) + (f" {found[2]}" if found[2] else "")
        except (ValueError, TypeError, AttributeError):
            return LEFT
