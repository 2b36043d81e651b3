"""One patient of the transplant board in detail: every answer, every referral record, the work-up, and what is to be done."""

from datetime import date

import duckdb

from pipelines import entries, findings
from pipelines.transplant_actions import open_actions
from pipelines.transplant_board import BARRIERS
from pipelines.transplant_workup import checklist

REFERRALS = """
    SELECT patient_id, code, CAST(at_high AS DATE) AS on_date, text, date_assumed, file.name AS file, file_id AS receipt, line,
        CAST(record_id AS VARCHAR) AS record_id
    FROM record.event JOIN source.file USING (file_id)
    WHERE patient_id = $patient_id AND kind = 'referral' AND known_until IS NULL AND status IN ('final', 'corrected', 'amended')
    ORDER BY at_high, record_id"""


def transplant_details(cursor: duckdb.DuckDBPyConnection, patient_id: str, as_of: date) -> dict:
    """answers (of the transplant group but barriers, as `findings.standing`), barriers (likewise), referrals (patient_id, code, on_date,
    text, date_assumed, file, receipt, line, record_id, entry: that which brought it, or None; those after the day too, so that each can be
    corrected), workup (`checklist`), actions (`open_actions`). Raises NotFound.
    """
    told = findings.standing(cursor, as_of, [patient_id], group="transplant")
    entered = {(row["receipt"], row["line"]): row for row in entries.standing(cursor, ["referral"], [patient_id])}
    referrals = findings.fetch_rows(cursor.execute(REFERRALS, {"patient_id": patient_id}))
    return {
        "answers": [row for row in told if row["criterion"] != BARRIERS],
        "barriers": [row for row in told if row["criterion"] == BARRIERS],
        "referrals": [row | {"entry": entered.get((row["receipt"], row["line"]))} for row in referrals],
        "workup": checklist(cursor, patient_id, as_of),
        "actions": open_actions(cursor, as_of, [patient_id]).get(patient_id, []),
    }


def transplant_basis(cursor: duckdb.DuckDBPyConnection, patient_id: str, as_of: date) -> dict:
    """What a decision on transplantation is made on: as_of, the answers of the transplant group that are met, and the versions of their
    rules; as texts, to be kept with it."""
    met = findings.standing(cursor, as_of, [patient_id], group="transplant", status="met")
    versions = cursor.execute(
        "SELECT criterion, version, content_hash FROM result.rule WHERE criterion IN (SELECT unnest($criteria))",
        {"criteria": sorted({row["criterion"] for row in met})},
    ).fetchall()
    kept = ("criterion", "item", "status", "grade", "since", "finding", "evidence")
    return {
        "as_of": as_of.isoformat(),
        "answers": [{name: row[name] for name in kept} | {"since": row["since"].isoformat()} for row in met],
        "rules": {name: {"version": version, "content_hash": content} for name, version, content in sorted(versions)},
    }
