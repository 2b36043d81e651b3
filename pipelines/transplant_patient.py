"""One patient of the transplant board in detail: every answer, every referral record, the work-up, and what is to be done."""

from datetime import date

import duckdb

from pipelines import entries, findings, frozen_decision
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


def transplant_basis(cursor: duckdb.DuckDBPyConnection, patient_id: str, as_of: date, snapshot: int) -> dict:
    """What a decision on transplantation is made on, to be kept with it (`frozen_decision.made`): the answers of the transplant group that
    are met."""
    met = findings.standing(cursor, as_of, [patient_id], group="transplant", status="met")
    rules = findings.fetch_rows(cursor.execute("SELECT criterion, version, content_hash FROM result.rule"))
    return frozen_decision.made(met, {row["criterion"]: row for row in rules}, as_of, snapshot)
