"""The work-up for a transplant referral: of each item of dictionary/workup.toml what was entered, whether it still holds, and the newest
result in the records beside it. A result in the records is never taken for an item done: a person says that it is.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import duckdb

from pipelines import dictionary, entries
from pipelines.findings import fetch_rows

SOON_DAYS = 14  # project default
STATES = {
    "expired": "expired",
    "soon": f"expires within {SOON_DAYS} days",
    "nothing": "nothing recorded",
    "planned": "planned",
    "done": "done",
    "not_needed": "not needed",
}

# The newest standing result of each item by $day; an item may ask for several analytes and events.
NEWEST = """
    WITH asked AS (SELECT unnest($items) AS item, unnest($kinds) AS kind, unnest($names) AS name),
    found AS (
        SELECT 'observation' AS kind, analyte AS name, analyte AS title, original_value AS value,
            coalesce(original_unit, nullif(unit, '1')) || CASE WHEN unit_assumed AND unit <> '1' THEN ' (assumed)' ELSE '' END AS unit,
            at_high, FALSE AS date_assumed, file_id, line, record_id
        FROM record.observation
        WHERE patient_id = $patient_id AND known_until IS NULL AND status IN ('final', 'corrected', 'amended')
            AND CAST(at_high AS DATE) <= $day
        UNION ALL
        SELECT kind, code, code, coalesce(value, text), NULL, at_high, date_assumed, file_id, line, record_id FROM record.event
        WHERE patient_id = $patient_id AND known_until IS NULL AND status IN ('final', 'corrected', 'amended')
            AND CAST(at_high AS DATE) <= $day)
    SELECT item, kind, title, value, unit, CAST(at_high AS DATE) AS on_date, date_diff('day', CAST(at_high AS DATE), $day) AS age_days,
        date_assumed, file.name AS file, line, CAST(record_id AS VARCHAR) AS record_id
    FROM asked JOIN found USING (kind, name) JOIN source.file USING (file_id)
    QUALIFY row_number() OVER (PARTITION BY item ORDER BY at_high DESC, title, record_id) = 1"""


def checklist(cursor: duckdb.DuckDBPyConnection, patient_id: str, as_of: date) -> list[dict]:
    """Every item in the dictionary's order: patient_id, item, title, group, valid_days, cite (citation_text), state (a key of STATES), day
    (when done), expires (the last day it holds), days_left (negative once expired), planned (day, None: no day said), planned_known
    (whether a plan stands), text, entry (the entry that counts, or None), entered (all entries of the item, oldest first), newest (kind,
    title, value, unit, on_date, age_days, date_assumed, file, line, record_id) or None.
    """
    by_item: dict[str, list[dict]] = {}
    for entry in entries.standing(cursor, ["workup"], [patient_id]):
        by_item.setdefault(entry["item"], []).append(entry)
    newest = newest_results(cursor, patient_id, as_of)
    cited = dictionary.citations()
    return [
        {
            "patient_id": patient_id,
            "item": item,
            "title": block["title"],
            "group": block["group"],
            "valid_days": block["valid_days"],
            "cite": dictionary.citation_text(cited[block["cite"]]),
            "published": block["cite"] != "project",
            "entered": by_item.get(item, []),
            "newest": newest.get(item),
        }
        | state(by_item.get(item, []), as_of)
        for item, block in dictionary.workup().items()
    ]


def newest_results(cursor: duckdb.DuckDBPyConnection, patient_id: str, as_of: date) -> dict[str, dict]:
    """By item the newest result in the records that it asks for."""
    asked = [
        (item, kind, name)
        for item, block in dictionary.workup().items()
        for kind, name in [*(("observation", analyte) for analyte in block["analytes"]), *block["events"]]
    ]
    items, kinds, names = (list(column) for column in zip(*asked, strict=True))
    found = cursor.execute(
        NEWEST, {"items": items, "kinds": kinds, "names": names, "patient_id": patient_id, "day": as_of}
    )
    return {row.pop("item"): row for row in fetch_rows(found)}


def state(entered: Iterable[dict], as_of: date) -> dict:
    """What the entries of one item say on a day: state, day, expires, days_left, planned, planned_known, text, entry.

    What was done counts from its day on, the latest day first, and holds to the end of its last day. A plan counts when it was entered
    after that, and "not needed" when nothing was entered after it.
    """
    told = list(entered)
    last = told[-1] if told else None
    if last and last["code"] == "not_needed":
        return _stated("not_needed", last)
    done = [(entry["day"], place, entry) for place, entry in enumerate(told) if counts_as_done(entry, as_of)]
    plan = last if last and last["code"] == "planned" else None
    if not done:
        return _stated("planned", plan, plan=plan) if plan else _stated("nothing", None)
    entry = max(done, key=lambda one: one[:2])[2]
    left = (expiry(entry) - as_of).days
    name = "expired" if left < 0 else "soon" if left <= SOON_DAYS else "done"
    return _stated(name, entry, left, plan)


def counts_as_done(entry: dict, as_of: date) -> bool:
    """Whether an entry says that something had been done by a day."""
    return entry["code"] == "done" and entry["day"] is not None and entry["day"] <= as_of


def expiry(entry: dict) -> date | None:
    """The last day on which what was done still holds: as entered, else by the item's days. None: the dictionary has no such item."""
    block = dictionary.workup().get(entry["item"])
    return entry["until"] or (block and entry["day"] + timedelta(days=block["valid_days"]))


def _stated(name: str, entry: dict | None, left: int | None = None, plan: dict | None = None) -> dict:
    done = left is not None
    return {
        "state": name,
        "day": entry["day"] if entry else None,
        "expires": expiry(entry) if done else None,
        "days_left": left,
        "planned": plan and plan["day"],
        "planned_known": plan is not None,
        "text": entry and entry["text"],
        "entry": entry,
    }
