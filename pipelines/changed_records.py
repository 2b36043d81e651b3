"""Which records are new and which are corrected since a meeting, set-wise for some patients or for everyone.

Two sides are compared: the versions that stood then (received by the moment of the meeting, dated up to its day) and those that stand
now (dated up to the day asked for). What stands now and did not then is new, or another version of a fact that stood then; what stood
then and does not now was corrected or withdrawn. The two clocks are kept apart: a record is new because it was received since, or because
its day has come since. A version that differs only in when it was issued says nothing new and is not told.
"""

from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from pipelines.findings import RECORDED, fetch_rows


@dataclass(frozen=True)
class Since:
    """The meeting before: the moment up to which records had been received, and the day as of which it looked.

    `received_at` None: no moment is known, as where a meeting is only assumed; then only the days tell then from now, and nothing
    is known of corrections.
    """

    received_at: datetime | None
    as_of: date


# What of a version can differ, in the order of `particulars` below. The last of an administration are how it goes on.
MOST_NEW = 2_000  # records of one patient that are told; a bedside saturation each 15 seconds makes more in a day
PARTICULARS = {
    "observation": (
        "what", "value", "unit", "value as judged", "from", "date", "status", "reference range", "assay", "laboratory", "sample timing",
        "activity", "phase", "reference set",
    ),
    "administration": (
        "what", "value", "unit", "route", "from", "date", "status", "action", "purpose", "end", "last confirmed",
    ),
    "event": ("what", "value", "text", "from", "date", "status", "date assumed", "end"),
}  # fmt: skip
CONTINUES = frozenset(("end", "last confirmed"))  # a course that only ends or is confirmed is not another than it was

# The versions of every kind in one form. What ends or is confirmed after the day asked for is told as going on then.
VERSIONS = """
    SELECT 'observation' AS kind, record_id, fact_id, analyte AS part,
        CASE WHEN fact_id % 2 = 0
            THEN hash(kind, at_low, at_high, at_timed, assay, laboratory, sample_timing, phase, reference_set) END AS slot,
        patient_id, analyte AS what, analyte AS label, original_value AS value,
        coalesce(original_unit, nullif(unit, '1')) || CASE WHEN unit_assumed AND unit <> '1' THEN ' (assumed)' ELSE '' END AS unit,
        at_low AS "at", CAST(at_high AS DATE) AS day, at_timed AS timed, CAST(NULL AS DATE) AS until, status, known_until, received_at,
        received_until, file_id, line,
        [analyte, original_value, coalesce(original_unit, unit), concat_ws(' to ', CAST(low AS VARCHAR), CAST(high AS VARCHAR), coded),
         CAST(at_low AS VARCHAR), CAST(at_high AS VARCHAR), status, concat_ws(' to ', CAST(ref_low AS VARCHAR), CAST(ref_high AS VARCHAR)),
         assay, laboratory, sample_timing, activity, phase, reference_set] AS particulars
    FROM record.observation WHERE {asked}
    UNION ALL
    SELECT 'administration', record_id, fact_id, '', NULL, patient_id, drug, 'administration',
        coalesce(original_dose, CAST(dose AS VARCHAR)),
        coalesce(original_unit, dose_unit)
            || CASE WHEN per IS NULL OR contains(coalesce(original_unit, dose_unit), '/') THEN '' ELSE '/' || per END,
        start_low, start_high, FALSE, CASE WHEN stop_high <= $as_of THEN stop_high END, status, known_until, received_at, received_until,
        file_id, line,
        [drug, coalesce(original_dose, CAST(dose AS VARCHAR)), concat_ws('/', coalesce(original_unit, dose_unit), per), route,
         CAST(start_low AS VARCHAR), CAST(start_high AS VARCHAR), status, action, purpose,
         CASE WHEN stop_high <= $as_of THEN CAST(stop_high AS VARCHAR) WHEN ongoing OR stop_high > $as_of THEN 'going on' END,
         CAST(least(confirmed_high, $as_of) AS VARCHAR)]
    FROM record.administration WHERE {asked}
    UNION ALL
    SELECT 'event', record_id, fact_id, '', NULL, patient_id, coalesce(nullif(code, ''), kind), kind, coalesce(value, text), NULL,
        at_low, CAST(at_high AS DATE), at_timed, CASE WHEN until_high <= $as_of THEN until_high END, status, known_until, received_at,
        received_until, file_id, line,
        [concat_ws(' ', kind, code), value, text, CAST(at_low AS VARCHAR), CAST(at_high AS VARCHAR), status,
         CASE WHEN date_assumed THEN 'yes' END, CASE WHEN until_high <= $as_of THEN CAST(until_high AS VARCHAR) END]
    FROM record.event WHERE {asked}"""

ASKED = "($everyone OR patient_id IN (SELECT unnest($patients)))"

# fresh: stands now and did not then. gone: stood then and does not now. Of a fact with a record id, versions meet by it; without one a
# correction meets what stands at its place, whatever the value, as a final result meets a preliminary one (ingest/versions.sql).
COMPARED = f"""
    WITH fresh AS (
        SELECT * FROM ({VERSIONS.format(asked=f"known_until IS NULL AND {ASKED}")}) AS version
        WHERE received_at > $moment OR day > $since_day
    ),
    gone AS (
        SELECT * FROM ({VERSIONS.format(asked=f"received_at <= $moment AND received_until > $moment AND {ASKED}")}) AS version
        WHERE day <= $since_day AND {RECORDED}
    ),
    pair AS (
        SELECT gone.record_id AS old_id, fresh.record_id AS new_id FROM gone JOIN fresh USING (kind, patient_id, part, fact_id)
        UNION
        SELECT gone.record_id, fresh.record_id FROM gone JOIN fresh USING (kind, patient_id, part, slot)
        WHERE fresh.status IN ('corrected', 'amended') OR gone.status = 'preliminary'
    )"""

NEW = f"""{COMPARED}
    SELECT {{columns}} FROM fresh JOIN source.file USING (file_id)
    WHERE day <= $as_of AND {RECORDED} AND record_id NOT IN (SELECT new_id FROM pair)"""

TOLD = """CAST({one}.record_id AS VARCHAR) AS {as_}record_id, {one}.what AS {as_}what, {one}.value AS {as_}value, {one}.unit AS {as_}unit,
    {one}.at AS {as_}at, {one}.day AS {as_}day, {one}.timed AS {as_}timed, {one}.until AS {as_}until, {one}.status AS {as_}status,
    {one}.received_at AS {as_}received_at, {one}_file.name AS {as_}file, {one}.file_id AS {as_}receipt, {one}.line AS {as_}line,
    {one}.particulars AS {as_}particulars"""

CORRECTED = f"""{COMPARED}
    SELECT {{columns}} FROM gone LEFT JOIN pair ON pair.old_id = gone.record_id LEFT JOIN fresh ON fresh.record_id = pair.new_id
    JOIN source.file AS gone_file ON gone_file.file_id = gone.file_id
    LEFT JOIN source.file AS fresh_file ON fresh_file.file_id = fresh.file_id
    WHERE gone.particulars IS DISTINCT FROM fresh.particulars"""

# Of a person only what rules read, sex and year of birth; each as the newest file said that had been received.
PERSON = f"""
    WITH told AS (
        SELECT patient_id, sex, birth_year, version.received_at, file.name AS file, version.file_id AS receipt, line,
            row_number() OVER (PARTITION BY patient_id ORDER BY version.file_id DESC) = 1 AS is_now,
            version.received_at <= $moment AS was_then
        FROM record.patient_version AS version JOIN source.file ON file.file_id = version.file_id WHERE {ASKED}
    ),
    before AS (SELECT * FROM told WHERE was_then QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY receipt DESC) = 1)
    SELECT told.*, before.sex AS old_sex, before.birth_year AS old_birth_year, before.file AS old_file, before.line AS old_line,
        before.receipt AS old_receipt, before.received_at AS old_received_at
    FROM told JOIN before USING (patient_id) WHERE told.is_now AND NOT told.was_then"""

TOUCHED = f"""
    SELECT patient_id FROM (
        SELECT patient_id, received_at, received_until FROM record.observation
        UNION ALL SELECT patient_id, received_at, received_until FROM record.administration
        UNION ALL SELECT patient_id, received_at, received_until FROM record.event
        UNION ALL SELECT patient_id, received_at, NULL FROM record.patient_version) AS version
    WHERE (received_at > $moment OR received_until > $moment) AND {ASKED}
    GROUP BY patient_id ORDER BY max(greatest(received_at, received_until)) DESC, patient_id"""


def new(
    cursor: duckdb.DuckDBPyConnection,
    patients: list[str],
    since: Since,
    as_of: date,
    record_ids: list[str] | None = None,
) -> list[dict]:
    """The records that stand now and are of facts that were not seen then, newest first: the newest MOST_NEW of each patient, or those
    asked for by their ids.

    Keys: patient_id, record_id (text), kind, what, label (what rules that read it are found by), value and unit as printed, at, day (its
    last, of a partial date), timed, until (None: goes on, or has no end), status, received_at, file, receipt, line, `because`
    ('received' or 'dated' since), `late` (received since, of a day up to that of the meeting) and `in_all`, how many the patient has.
    """
    columns = """patient_id, CAST(record_id AS VARCHAR) AS record_id, kind, what, label, value, unit, "at", day, timed, until, status,
        fresh.received_at, file.name AS file, file_id AS receipt, line,
        CASE WHEN fresh.received_at > $moment THEN 'received' ELSE 'dated' END AS because,
        coalesce(fresh.received_at > $moment, FALSE) AND day <= $since_day AS late, count(*) OVER (PARTITION BY patient_id) AS in_all"""
    order = 'day DESC, "at" DESC, what, record_id'
    most = f"QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY {order}) <= {MOST_NEW}"
    asked, only = _asked(patients, since, as_of), most
    if record_ids is not None:
        asked, only = (
            asked | {"ids": [int(record_id) for record_id in record_ids]},
            "AND record_id IN (SELECT unnest($ids))",
        )
    return fetch_rows(cursor.execute(f"{NEW.format(columns=columns)} {only} ORDER BY {order}", asked))


def corrected(cursor: duckdb.DuckDBPyConnection, patients: list[str], since: Since, as_of: date) -> list[dict]:
    """The facts that stood then and of which another version, or none, stands now; newest first, courses that only went on at the end.

    Keys: patient_id, kind, what, label, `old` and `new` (record_id, what, value, unit, at, day, timed, until, status, received_at, file,
    receipt, line; `new` None where nothing names what took its place), `withdrawn`, `changed` (dicts of field, old, new) and
    `continues`: only its end or its last confirmation is another. Sex and year of birth are of kind 'patient' and have no record id.
    """
    columns = f"""gone.patient_id, gone.kind, gone.what, gone.label, {TOLD.format(one="gone", as_="old_")},
        {TOLD.format(one="fresh", as_="new_")}"""
    asked = _asked(patients, since, as_of)
    found = fetch_rows(cursor.execute(CORRECTED.format(columns=columns), asked))
    rows = [_pair(row) for row in found]
    rows += [line for row in _persons(cursor, asked) for line in row]
    return sorted(rows, key=lambda row: (row["continues"], -_ordinal(row), row["what"], row["old"]["record_id"] or ""))


def touched(cursor: duckdb.DuckDBPyConnection, patients: list[str] | None, since: Since) -> list[str]:
    """The patients of whom anything was received after the meeting, those of the latest receipt first."""
    if since.received_at is None:
        return []
    asked = {"moment": since.received_at, "everyone": patients is None, "patients": patients or []}
    return [row[0] for row in cursor.execute(TOUCHED, asked).fetchall()]


def counted(cursor: duckdb.DuckDBPyConnection, since: Since, as_of: date) -> dict[str, dict[str, int]]:
    """How many records are new (late) and corrected in the whole store, and in how many patients: {'new': {records, late, patients},
    'corrected': {records, withdrawn, continues, patients}}."""
    asked = _asked(None, since, as_of)
    late = "count(*) FILTER (WHERE fresh.received_at > $moment AND day <= $since_day)"
    columns = f"count(*) AS records, {late} AS late, count(DISTINCT patient_id) AS patients"
    fresh = fetch_rows(cursor.execute(NEW.format(columns=columns), asked))[0]
    ends = len(CONTINUES)
    continues = f"""gone.kind = 'administration' AND fresh.kind IS NOT NULL
        AND list_slice(gone.particulars, 1, -{ends + 1}) IS NOT DISTINCT FROM list_slice(fresh.particulars, 1, -{ends + 1})"""
    columns = f"""count(DISTINCT gone.record_id) AS records, count(DISTINCT gone.patient_id) AS patients,
        count(DISTINCT gone.record_id) FILTER (WHERE fresh.kind IS NULL OR NOT coalesce(fresh.{RECORDED}, TRUE)) AS withdrawn,
        count(DISTINCT gone.record_id) FILTER (WHERE {continues}) AS continues"""
    return {"new": fresh, "corrected": fetch_rows(cursor.execute(CORRECTED.format(columns=columns), asked))[0]}


def _asked(patients: list[str] | None, since: Since, as_of: date) -> dict:
    return {
        "everyone": patients is None,
        "patients": patients or [],
        "moment": since.received_at,
        "since_day": since.as_of,
        "as_of": as_of,
    }


def _ordinal(row: dict) -> int:
    day = (row["new"] or row["old"])["day"]
    return day.toordinal() if day else 0


def _pair(row: dict) -> dict:
    """One row of CORRECTED as `corrected` tells it."""
    old, new = ({name[4:]: value for name, value in row.items() if name.startswith(side)} for side in ("old_", "new_"))
    before, after = old.pop("particulars"), new.pop("particulars")
    is_there = new["record_id"] is not None
    withdrawn = not is_there or new["status"] in ("entered_in_error", "cancelled")
    changed = [] if withdrawn else [
        {"field": field, "old": was, "new": now}
        for field, was, now in zip(PARTICULARS[row["kind"]], before, after, strict=True)
        if was != now
    ]  # fmt: skip
    return {
        **{name: row[name] for name in ("patient_id", "kind", "what", "label")},
        "old": old,
        "new": new if is_there else None,
        "withdrawn": withdrawn,
        "changed": changed,
        "continues": not withdrawn and {one["field"] for one in changed} <= CONTINUES,
    }


def _persons(cursor: duckdb.DuckDBPyConnection, asked: dict) -> list[list[dict]]:
    """Sex and year of birth where they were said then and are said otherwise now."""
    only = {name: asked[name] for name in ("everyone", "patients", "moment")}
    rows = fetch_rows(cursor.execute(PERSON, only))
    return [
        [_of_person(row, field) for field in ("sex", "birth_year") if row[f"old_{field}"] != row[field]] for row in rows
    ]


def _of_person(row: dict, field: str) -> dict:
    def side(prefix: str) -> dict:
        place = {name: row[f"{prefix}{name}"] for name in ("received_at", "file", "receipt", "line")}
        value = row[f"{prefix}{field}"]
        undated = dict.fromkeys(("record_id", "unit", "at", "day", "until", "status"))
        return undated | {"what": field, "value": None if value is None else str(value), "timed": False} | place

    old, new = side("old_"), side("")
    return {
        "patient_id": row["patient_id"],
        "kind": "patient",
        "what": field,
        "label": "*",
        "old": old,
        "new": new,
        "withdrawn": False,
        "changed": [{"field": "value", "old": old["value"], "new": new["value"]}],
        "continues": False,
    }
