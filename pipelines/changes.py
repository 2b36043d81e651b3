"""What changed since a meeting, in five kinds: new and corrected records, flags gained and lost, rules, decisions not done.

Computed from what had been received then and what is received now, never from what was shown then: the same store gives the same answer
however often it is asked. Several patients are asked together, in one replay (changed_flags.py).
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

import duckdb

from pipelines import changed_flags, changed_records, decision_state
from pipelines.catalog import GROUPS, catalog
from pipelines.changed_records import Since as Since
from pipelines.rule_versions import Ledger

MOST_JUDGED = 500  # patients of a cohort who are judged again, in some 20 s; project default


@dataclass
class Changes:
    """What changed of one patient; lists of dicts.

    `new`, `corrected`: as `changed_records.new` and `.corrected` tell them (`new_in_all`: how many are new, `new` holds the newest);
    `gained`, `lost`: `changed_flags.told`; `rules`: `rules_changed`, those of which an answer of the patient stands, with it as `answers`;
    `undone`: `undone`.
    """

    new: list[dict] = field(default_factory=list)
    corrected: list[dict] = field(default_factory=list)
    gained: list[dict] = field(default_factory=list)
    lost: list[dict] = field(default_factory=list)
    rules: list[dict] = field(default_factory=list)
    undone: list[dict] = field(default_factory=list)

    @property
    def new_in_all(self) -> int:
        return self.new[0]["in_all"] if self.new else 0

    def __bool__(self) -> bool:
        return bool(self.new or self.corrected or self.gained or self.lost or self.rules or self.undone)


def changes(
    cursor: duckdb.DuckDBPyConnection, patients: list[str], since: Since, as_of: date, ledger: Ledger | None = None
) -> dict[str, Changes]:
    """What changed of each of some patients between a meeting and a day; every patient asked for has an entry.

    `ledger`: of rule changes, by default that of the store the cursor reads. Raises ValueError where the day is before the meeting's.
    """
    _check(since, as_of)
    found = {patient_id: Changes() for patient_id in patients}
    new = changed_records.new(cursor, patients, since, as_of)
    corrected = changed_records.corrected(cursor, patients, since, as_of)
    replayed = changed_records.touched(cursor, patients, since) if changed_flags.by_spells(cursor) else sorted(found)
    differ = changed_flags.differing(cursor, patients, since, as_of, replayed)
    flags = _ordered(changed_flags.told(cursor, differ, since, as_of, new, corrected))
    kinds = {
        "new": new,
        "corrected": corrected,
        "gained": [row for row in flags if changed_flags.is_gained(row)],
        "lost": [row for row in flags if not changed_flags.is_gained(row)],
        "rules": _rules_of(cursor, patients, rules_changed(cursor, since, ledger), as_of),
        "undone": undone(cursor, since, as_of, patients),
    }
    for kind, rows in kinds.items():
        for row in rows:
            getattr(found[row["patient_id"]], kind).append(row)
    return found


def cohort_changes(
    cursor: duckdb.DuckDBPyConnection,
    since: Since,
    as_of: date,
    most: int = MOST_JUDGED,
    ledger: Ledger | None = None,
) -> dict:
    """What changed in the whole store between a meeting and a day.

    Keys: `records` (`changed_records.counted`), `gained` and `lost` (dicts of criterion, title, group, patients: sorted ids, unknown: of
    a lost one those of whom it now cannot be told), `rules` (`rules_changed`), `undone` (`undone`) and `left_out` (patients: ids, why).
    Patients of whom something was received since are judged again, at most so many, those of the latest receipt first; of the others,
    and of those who are all new, the spells say what stood. Who is left out is in no flag, but counted in `records`.
    """
    _check(since, as_of)
    everyone_again = not changed_flags.by_spells(cursor)
    again = _all_patients(cursor) if everyone_again else changed_records.touched(cursor, None, since)
    known_then = set(again if everyone_again else changed_flags.known_then(cursor, again, since))
    left_out = [patient_id for patient_id in again if patient_id in known_then][most:]
    dropped = frozenset(left_out)
    differ = changed_flags.differing(cursor, None, since, as_of, again, dropped)
    why = "other rules judged this store" if everyone_again else "something was received of them since the meeting"
    return {
        "records": changed_records.counted(cursor, since, as_of),
        "gained": _by_criterion([row for row in differ if changed_flags.is_gained(row)]),
        "lost": _by_criterion([row for row in differ if not changed_flags.is_gained(row)]),
        "rules": rules_changed(cursor, since, ledger),
        "undone": undone(cursor, since, as_of),
        "left_out": {
            "patients": left_out,
            "why": f"{why}, and at most {most:,} patients are judged again at once" if left_out else "",
        },
    }


def rules_changed(cursor: duckdb.DuckDBPyConnection, since: Since, ledger: Ledger | None = None) -> list[dict]:
    """The changes of rules since a meeting, newest first: the fields of `rule_versions.RuleChange`, judged_at (text), title, and
    `through`, the titles of what of it changed. Where the meeting has no moment, those after the end of its day."""
    ledger = ledger or _ledger(cursor)
    moment = since.received_at or datetime.combine(since.as_of, time.max)
    return [
        {"judged_at": entry["judged_at"], "title": _title(change["criterion"])}
        | change
        | {"through": [_title(part) for part in change["parts"]]}
        for entry in reversed(ledger.entries() if ledger else [])
        if datetime.fromisoformat(entry["judged_at"]) > moment
        for change in entry["changes"]
    ]


def undone(
    cursor: duckdb.DuckDBPyConnection, since: Since, as_of: date, patients: list[str] | None = None
) -> list[dict]:
    """The decisions of which something is due on a day, as `decision_state.decisions` tells them, with `due`: 'to do' or 'to check', and
    `check` (it is to be checked, whatever `due` says). A check day that came since the meeting is told also where somebody has looked
    since. Oldest due day first."""
    rows = []
    for row in decision_state.decisions(cursor, as_of, patients):
        code = row["progress"]["code"] if row["progress"] else None
        came = bool(row["until"] and since.as_of < row["until"] <= as_of and code != "dropped")
        check = row["to_check"] or came
        if row["to_do"] or check:
            rows.append(row | {"due": "to do" if row["to_do"] else "to check", "check": check})
    return sorted(rows, key=lambda row: (row["due_on"] or row["until"], row["patient_id"], row["entry_id"]))


def _rules_of(cursor: duckdb.DuckDBPyConnection, patients: list[str], changed: list[dict], as_of: date) -> list[dict]:
    """The changed rules per patient of whom an answer of them stands."""
    stands = defaultdict(list)
    for patient_id, criterion, item, status in (
        cursor.execute(
            """SELECT patient_id, criterion, item, status FROM result.spell
        WHERE from_date <= $day AND (until_date IS NULL OR until_date > $day) AND patient_id IN (SELECT unnest($patients))
        AND criterion IN (SELECT unnest($criteria)) ORDER BY ALL""",
            {"day": as_of, "patients": patients, "criteria": [change["criterion"] for change in changed]},
        ).fetchall()
        if changed
        else ()
    ):
        stands[criterion, patient_id].append({"item": item, "status": status})
    return [
        change | {"patient_id": patient_id, "answers": stands[change["criterion"], patient_id]}
        for change in changed
        for patient_id in dict.fromkeys(patients)
        if (change["criterion"], patient_id) in stands
    ]


def _ledger(cursor: duckdb.DuckDBPyConnection) -> Ledger | None:
    """That of the store whose snapshot a cursor reads; None where it reads no file."""
    paths = cursor.execute("SELECT path FROM duckdb_databases() WHERE NOT internal AND path IS NOT NULL").fetchall()
    return Ledger(Path(paths[0][0]).parent) if paths else None


def _title(name: str) -> str:
    """What a criterion or concept is called; a part of the dictionary by its own name."""
    rules = catalog()
    known = rules.criteria.get(name) or rules.concepts.get(name)
    return known.title if known else name


def _ordered(rows: list[dict]) -> list[dict]:
    groups = list(GROUPS)
    return sorted(rows, key=lambda row: (groups.index(row["group"]), row["criterion"], row["item"] or ""))


def _by_criterion(rows: list[dict]) -> list[dict]:
    """Of each criterion the patients, in order of groups."""
    patients, unknown = defaultdict(set), defaultdict(set)
    for row in rows:
        patients[row["criterion"]].add(row["patient_id"])
        if row["status"] == "not_evaluable":
            unknown[row["criterion"]].add(row["patient_id"])
    rules, groups = catalog().criteria, list(GROUPS)
    return [
        {
            "criterion": name,
            "title": rules[name].title,
            "group": rules[name].group,
            "patients": sorted(patients[name]),
            "unknown": sorted(unknown[name]),
        }
        for name in sorted(patients, key=lambda name: (groups.index(rules[name].group), name))
    ]


def _all_patients(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[0] for row in cursor.execute("SELECT patient_id FROM record.patient ORDER BY patient_id").fetchall()]


def _check(since: Since, as_of: date) -> None:
    if as_of < since.as_of:
        raise ValueError(f"the day {as_of} is before that of the meeting, {since.as_of}")
