"""The life cycle of an alert: open, acknowledged by whom, why and until when, re-opened, over.

An **alert** is a patient, a criterion and an item with the evidence of the answer that raised it. There is one of each at a time, with the
severity of its last met answer; several of one patient are all there. It lives from the first met day of its run until the answer has
been not met for `settle_days` on end (alert_runs.py says what a run and a flap are); what cannot be told never ends it. Patients whose
death is recorded have none. Nothing is remembered but acknowledgements, which are entries of the store: the same records make the same
alerts, however often they are loaded or judged.

An **acknowledgement** covers an alert of the same run while as_of <= until, nothing met since is of a higher severity or grade, and the
last met answer rests on no record that was not acknowledged (code 'evidence'). With 'unless_worse' a new record re-opens it unless it is
told to be no worse: of a lower grade, or of the same grade with a margin that is not larger; margins of different grades are distances to
different thresholds and are not compared. What was worse on any judged day since (alert_worse.py), or cannot be told to have been no
worse, keeps it re-opened until it is acknowledged again, however the last answer is. No worse is told only of rules whose margin measures
one thing in one direction (alerts.toml). The newest acknowledgement counts. None covers another patient, rule or item, nor stale data; no
treatment covers anything.
"""

from datetime import date

import duckdb

from pipelines import alert_rules, alert_runs, alert_worse, dictionary, entries, findings, stale_data
from pipelines.alert_rules import RANKS, SEVERITIES, STALE

MOST_NAMED = 3  # so many new records are named

LIVING = """
    CREATE OR REPLACE TEMP TABLE living AS
    SELECT
        run.key, run.patient_id, run.criterion, run.item, run.since, run.flaps, run.status_now, run.status_since, run.highest_rank,
        last.rank, last.grade, met.margin, met.last_judged AS on_date, coalesce(met.evidence, []) AS evidence,
        coalesce(met.facts, []) AS facts, coalesce(met.notes, []) AS notes, coalesce(latest.missing, []) AS missing
    FROM alert_run AS run
    JOIN alert_spell AS last ON last.place = run.place
    LEFT JOIN {spells} AS met ON met.rowid = run.place
    LEFT JOIN {spells} AS latest ON latest.rowid = CASE WHEN run.status_now = 'not_evaluable' THEN run.place_now END
    WHERE run.over_on IS NULL AND run.stands_until > $day AND run.patient_id NOT IN (SELECT patient_id FROM dead)
    UNION ALL
    SELECT
        NULL, patient_id, $stale, NULL, since, 0, 'met', since, rank, rank, NULL,
        greatest(days, coalesce(arrival_days, 0)) - expected_within,
        $day, coalesce(evidence, []),
        [CAST(last_day AS VARCHAR), CAST(days AS VARCHAR), CAST(expected_within AS VARCHAR),
            strftime(last_received_at, '%Y-%m-%d %H:%M'), CAST(arrival_days AS VARCHAR), device], [], []
    FROM stale LEFT JOIN stale_evidence USING (patient_id) WHERE rank >= $lowest"""

# Answers with all that is told of them are dear to read: where only states are asked for, those of which something was acknowledged.
ACKNOWLEDGED_SPELLS = """(
    SELECT rowid, * FROM result.spell WHERE (patient_id, criterion) IN (SELECT (patient_id, criterion) FROM acknowledged))"""

# What was met since an acknowledgement was given counts, also what was worse for a while: `worst_rank`, `worst_grade`.
ALERT = """
    CREATE OR REPLACE TEMP TABLE alert AS
    WITH worst AS (
        SELECT living.patient_id, living.criterion, living.item, max(spell.rank) AS worst_rank, max(spell.grade) AS worst_grade
        FROM living
        JOIN acknowledged AS given ON given.patient_id = living.patient_id AND given.criterion = living.criterion
            AND given.item IS NOT DISTINCT FROM living.item
        JOIN alert_spell AS spell ON spell.key = living.key
        WHERE spell.status = 'met' AND spell.from_date >= living.since AND coalesce(spell.until_date, DATE '9999-12-31') > given.as_of
        GROUP BY ALL
    ),
    compared AS (
        SELECT
            living.*, given.entry_id,
            $day > given.until AS ran_out,
            greatest(living.rank, worst_rank) > given.rank AS graver,
            graded AND coalesce(worst_grade, living.grade) > coalesce(given.grade, -1) AS higher,
            list_filter(living.evidence, lambda record: NOT list_contains(given.evidence, record)) AS unseen,
            unless_worse AND given.code = 'unless_worse' AND living.margin IS NOT NULL AND given.margin IS NOT NULL AND (
                coalesce(living.grade < given.grade, FALSE)
                OR (living.grade IS NOT DISTINCT FROM given.grade AND living.margin <= given.margin)) AS last_no_worse,
            last_no_worse AND worse.patient_id IS NULL AS no_worse,
            worse.patient_id IS NOT NULL AND (last_no_worse OR len(unseen) = 0) AS was_worse
        FROM living
        JOIN alerting USING (criterion)
        LEFT JOIN acknowledged AS given ON given.patient_id = living.patient_id AND given.criterion = living.criterion
            AND given.item IS NOT DISTINCT FROM living.item AND given.as_of >= living.since
        LEFT JOIN worst ON worst.patient_id = living.patient_id AND worst.criterion = living.criterion
            AND worst.item IS NOT DISTINCT FROM living.item
        LEFT JOIN worse ON worse.patient_id = living.patient_id AND worse.criterion = living.criterion
            AND worse.item IS NOT DISTINCT FROM living.item
    ),
    told AS (
        SELECT
            * EXCLUDE (key, unseen, no_worse, last_no_worse, ran_out, graver, higher),
            coalesce(ran_out, FALSE) AS ran_out, coalesce(graver, FALSE) AS graver, coalesce(higher, FALSE) AS higher,
            CASE WHEN entry_id IS NULL OR no_worse THEN [] ELSE unseen END AS new_evidence
        FROM compared
    )
    SELECT
        *, CASE
            WHEN entry_id IS NULL THEN 'open'
            WHEN ran_out OR graver OR higher OR was_worse OR len(new_evidence) > 0 THEN 'reopened'
            ELSE 'acknowledged' END AS state
    FROM told"""


def create_alerts(
    cursor: duckdb.DuckDBPyConnection, as_of: date, patients: list[str] | None = None, urgent_only: bool = False
) -> None:
    """TEMP table alert: a row for each alert that lives on a day, of some patients or of all (None), set-wise. `urgent_only`: of what can
    be urgent alone, which of a large cohort takes a fifth of the time; those that are warnings now are among them, but of silence. Of these
    only what was acknowledged has its margin, evidence, facts, notes, on_date and missing.

    patient_id, criterion, item, rank (2 urgent, 1 warning), highest_rank (of the run), grade, margin, since, flaps, status_now ('met',
    'not_met': it has ceased, 'not_evaluable'), status_since, evidence, facts, notes and on_date (of the last met answer), missing, state
    ('open', 'reopened', 'acknowledged'), entry_id (of the acknowledgement), and why it re-opened: ran_out, graver, higher, was_worse (on
    some day since), new_evidence. As of the last recorded day it reads the spells; as of an earlier day answers that were judged again
    later are judged anew from the records.
    """
    last_day = findings.last_recorded_day(cursor)
    now = last_day is None or as_of >= last_day
    given = _create_acknowledged(cursor, as_of, patients)
    silence = [one["patient_id"] for one in given if one["criterion"] == STALE]
    stale_data.create_stale(cursor, as_of, now, patients, silence if urgent_only else None)
    alert_runs.create_runs(cursor, as_of, patients, urgent_only)
    asked = {"day": as_of, "stale": STALE, "lowest": RANKS["urgent" if urgent_only else "warning"]}
    cursor.execute(LIVING.format(spells=ACKNOWLEDGED_SPELLS if urgent_only else "result.spell"), asked)
    if not now:
        _judge_again(cursor, as_of)
    alert_worse.create_worse(cursor, as_of)
    cursor.execute(ALERT, {"day": as_of})


def alerts(cursor: duckdb.DuckDBPyConnection, as_of: date, patients: list[str] | None = None) -> list[dict]:
    """The alerts of a day for a person, one dict each; of a patient urgent ones first, then the newest.

    Keys: those of the table `alert`, and severity, title, group, finding, status_words, because (why it re-opened, else None),
    acknowledgement (the entry, or None), was_urgent (earlier in this run), unless_worse (may be acknowledged so). Record ids are texts.
    """
    create_alerts(cursor, as_of, patients)
    rows = findings.fetch_rows(cursor.execute("SELECT * FROM alert"))
    given = {entry["entry_id"]: entry for entry in entries.standing(cursor, ("acknowledgement",), patients)}
    named = {str(record) for row in rows for record in row["new_evidence"]}
    records = findings.evidence_records(cursor, named) if named else {}
    later = sorted({row["patient_id"] for row in rows if row["on_date"] > as_of})
    answers = _answers(cursor, as_of, later)
    told = [_told(row, answers.get(_key(row)), given.get(row["entry_id"]), records) for row in rows]
    return sorted(told, key=_order)


def _order(alert: dict) -> tuple:
    return (
        alert["patient_id"], alert["state"] == "acknowledged", -alert["rank"], -alert["since"].toordinal(), alert["criterion"],
        alert["item"] or "",
    )  # fmt: skip


def _told(row: dict, answer: dict | None, entry: dict | None, records: dict[str, dict]) -> dict:
    criterion = row["criterion"]
    row = row | {
        "severity": SEVERITIES[row["rank"] - 1],
        "title": alert_rules.title(criterion),
        "group": alert_rules.group(criterion),
        "evidence": [str(record) for record in row["evidence"]],
        "new_evidence": [str(record) for record in row["new_evidence"]],
        "margin": None if row["margin"] is None else float(row["margin"]),
        "was_urgent": row["highest_rank"] > row["rank"],
        "unless_worse": criterion != STALE and alert_rules.alerting()[criterion].unless_worse,
        "acknowledgement": entry,
    }
    row |= {"finding": _finding(row, answer), "status_words": _status_words(row)}
    return row | {"because": _because(row, entry, records) if row["state"] == "reopened" else None}


def _finding(row: dict, answer: dict | None) -> str:
    """The sentence of the last met answer. Where the spell was judged again after the day, that of the day itself."""
    if row["criterion"] == STALE:
        return stale_data.finding(row["facts"])
    if answer is not None and answer["status"] == "met":
        return answer["finding"]
    return findings.tell([row | {"status": "met", "missing": []}])[0]["finding"]


def _status_words(row: dict) -> str | None:
    """What has become of the answer since it was last met; None while it is met."""
    since = row["status_since"]
    if row["status_now"] == "not_met":
        return f"ceased on {since}; over when it has been not met for {alert_rules.number('settle_days')} days [project default]"
    if row["status_now"] == "not_evaluable":
        return f"cannot be told since {since}; would settle it: {', '.join(row['missing']) or 'nothing that is named'}"
    return None


def _because(row: dict, entry: dict, records: dict[str, dict]) -> str:
    """Every reason for which an acknowledgement no longer covers it."""
    frozen = entry["frozen"]
    said = []
    if row["ran_out"]:
        said.append(f"the acknowledgement ran out on {entry['until']}")
    if row["graver"]:
        said.append("urgent, and acknowledged as a warning")
    if row["higher"]:
        before = frozen.get("grade")
        said.append(f"of a higher grade than acknowledged ({'none' if before is None else before})")
    if row["was_worse"]:
        said.append("it was worse since, or cannot be told to have been no worse")
    if row["new_evidence"]:
        found = [_record_words(records[record]) for record in row["new_evidence"] if record in records]
        more = f", and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        said.append(f"new evidence: {', '.join(found[:MOST_NAMED])}{more}")
    return "; ".join(said)


def _record_words(record: dict) -> str:
    """'Ferritin 1500 ng/mL of 2021-09-03'."""
    titles = {"observation": dictionary.analytes, "administration": dictionary.drugs}.get(record["kind"], dict)()
    what = titles.get(record["what"], {}).get("title") or record["what"].replace("_", " ")
    unit = None if record["unit"] == "1" else record["unit"]
    return f"{' '.join(str(part) for part in (what, record['value'], unit) if part)} of {record['at']:%Y-%m-%d}"


def _key(row: dict) -> tuple[str, str, str | None]:
    return row["patient_id"], row["criterion"], row["item"]


def _answers(cursor: duckdb.DuckDBPyConnection, as_of: date, patients: list[str]) -> dict[tuple, dict]:
    """The answers of some patients as of the day itself, by patient, criterion and item."""
    return {_key(answer): answer for answer in findings.standing(cursor, as_of, patients)} if patients else {}


def _judge_again(cursor: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """In `living`, as of an earlier day: the evidence of answers that were judged again after it is that of the day."""
    found = cursor.execute("SELECT DISTINCT patient_id FROM living WHERE on_date > $day ORDER BY 1", {"day": as_of})
    answers = _answers(cursor, as_of, [row[0] for row in found.fetchall()])
    for (patient_id, criterion, item), answer in answers.items():
        if answer["status"] == "met":
            cursor.execute(
                """UPDATE living SET evidence = CAST($evidence AS BIGINT[]), facts = CAST($facts AS VARCHAR[]),
                    notes = CAST($notes AS VARCHAR[]), margin = $margin, on_date = $on_date
                WHERE patient_id = $patient_id AND criterion = $criterion AND item IS NOT DISTINCT FROM $item AND on_date > $day""",
                {name: answer[name] for name in ("facts", "notes", "margin", "on_date")}
                | {"evidence": [int(record) for record in answer["evidence"]], "day": as_of}
                | {"patient_id": patient_id, "criterion": criterion, "item": item},
            )


def _create_acknowledged(cursor: duckdb.DuckDBPyConnection, as_of: date, patients: list[str] | None) -> list[dict]:
    """TEMP table acknowledged: of each patient, criterion and item the newest acknowledgement that was given by the day."""
    newest = {}
    for entry in entries.standing(cursor, ("acknowledgement",), patients):  # oldest first
        given = _given(entry)
        if given and given["as_of"] <= as_of:
            newest[_key(entry)] = given
    types = {
        "patient_id": "VARCHAR", "criterion": "VARCHAR", "item": "VARCHAR", "entry_id": "VARCHAR", "code": "VARCHAR", "as_of": "DATE",
        "until": "DATE", "rank": "INTEGER", "grade": "INTEGER", "margin": "DECIMAL(19,6)", "evidence": "BIGINT[]",
    }  # fmt: skip
    columns = ", ".join(f"unnest(CAST(${name} AS {kind}[])) AS {name}" for name, kind in types.items())
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE acknowledged AS SELECT {columns}",
        {name: [given[name] for given in newest.values()] for name in types},
    )
    return list(newest.values())


def _given(entry: dict) -> dict | None:
    """An acknowledgement as it is compared; None where what it froze cannot be read: it covers nothing then."""
    frozen = entry["frozen"]
    if not isinstance(frozen.get("evidence"), list):
        return None
    try:
        given = {
            "as_of": date.fromisoformat(frozen["as_of"]),
            "rank": RANKS[frozen["severity"]],
            "grade": None if frozen.get("grade") is None else int(frozen["grade"]),
            "margin": None if frozen.get("margin") is None else float(frozen["margin"]),
            "evidence": [int(record) for record in frozen["evidence"]],
        }
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if any(abs(record) >= 2**63 for record in given["evidence"]) or abs(given["grade"] or 0) >= 2**31:
        return None
    if given["margin"] is not None and not abs(given["margin"]) < 10**12:
        return None
    return given | {name: entry[name] for name in ("patient_id", "criterion", "item", "entry_id", "code", "until")}


def acknowledged_on(entry: dict) -> date | None:
    """The as-of day on which an acknowledgement was given; None where it cannot be read."""
    given = _given(entry)
    return given and given["as_of"]


def frozen(alert: dict, snapshot: int, as_of: date) -> dict:
    """What an acknowledgement keeps of the alert it is of."""
    kept = ("severity", "grade", "margin", "evidence", "finding")
    return {"snapshot": snapshot, "as_of": as_of.isoformat()} | {name: alert[name] for name in kept}
