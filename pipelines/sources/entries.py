"""Entries: what people enter in the dashboard, a file of records that is loaded and kept like any other.

One row, one version of an entry (dictionary/entries.toml says what each kind needs). The patient's id is that of the store. A later
version of the same entry_id corrects or withdraws it.
"""

import json
import re
from datetime import date, datetime
from pathlib import Path

from pipelines import dictionary
from pipelines.sources import Declared
from pipelines.sources.entered_rows import EnteredRows, begins_with

SUFFIXES = (".csv",)
FIELDS = (
    "kind", "entry_id", "patient_id", "author", "author_known", "entered_at", "day", "code", "item", "criterion", "text", "why", "owner",
    "due_on", "until", "about", "topic", "frozen", "withdrawn",
)  # fmt: skip
ALWAYS = ("kind", "entry_id", "patient_id", "author", "author_known", "entered_at")
DAYS = ("day", "due_on", "until")
AUTHOR_KNOWN = ("typed",)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
LONGEST = 4_000  # characters of one text


def recognises(path: Path, declared: Declared) -> bool:
    return begins_with(path, FIELDS)


def read(path: Path, declared: Declared) -> EnteredRows:
    """Raises FileRefused for a file larger than people can have entered. The events among its rows ingest reads again, as events."""
    return EnteredRows(path, "entries", FIELDS, lambda row: fault(row) is None, "entry_unknown")


def fault(row: dict[str, str | None]) -> str | None:
    """What an entry lacks or says wrongly, in words for a person; None where it says all it must. `row`: its texts by field."""
    said = {name for name in FIELDS if row.get(name)}
    rule = dictionary.entries().get(row.get("kind") or "")
    if rule is None:
        return "There is no such kind of entry."
    code = row.get("code")
    needs = [*ALWAYS, *rule["needs"]] + (["text"] if code in rule.get("reasons", ()) else [])
    needs += (["day"] if code in rule.get("dated", ()) else []) + (
        rule.get("together", []) if said & set(rule.get("together", ())) else []
    )
    missing = [name for name in needs if name not in said]
    if missing:
        return f"It says nothing of: {', '.join(dict.fromkeys(missing))}."
    beyond = said - set(ALWAYS) - set(rule["needs"]) - set(rule.get("may", ())) - {"withdrawn"}
    if beyond:
        return f"This kind of entry has no {', '.join(sorted(beyond))}."
    return _unreadable(row, rule)


def _unreadable(row: dict, rule: dict) -> str | None:
    """The first cell that is not what it must be."""
    if row.get("code") and row["code"] not in rule.get("codes", ()):
        return f"The code is one of: {', '.join(rule.get('codes', ()))}."
    if row["author_known"] not in AUTHOR_KNOWN or row.get("withdrawn") not in (None, "", "yes"):
        return "author_known is 'typed', withdrawn is 'yes' or empty."
    if not MOMENT.fullmatch(row["entered_at"]) or not _is(datetime.fromisoformat, row["entered_at"]):
        return "The time of the entry cannot be read."
    for name in DAYS:
        if row.get(name) and not (DAY.fullmatch(row[name]) and _is(date.fromisoformat, row[name])):
            return f"{name} is no day."
    if any(len(row.get(name) or "") > LONGEST for name in FIELDS if name != "frozen"):
        return f"A text is longer than {LONGEST:,} characters."
    if row.get("frozen") and not _is(_json_object, row["frozen"]):
        return "frozen is no JSON object."
    return None


def _is(read, text: str) -> bool:
    try:
        read(text)
    except (ValueError, RecursionError):
        return False
    return True


def _json_object(text: str) -> dict:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("an object is needed")
    return found
