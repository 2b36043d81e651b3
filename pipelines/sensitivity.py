"""What would change an answer: the single record without which it turns, and whether that record is a weak one.

Each record that decided, or that shares the day of one that did, is left out in turn: a patient without it (`inputs.Variant`) is
judged by the same rules beside the patient. Nothing is guessed in its place. A record is weak where its answer rests on a tie
of one day that no time of day settles, on a date that was assumed, or on an FiO2 that was estimated from the flow.
"""

from collections.abc import Iterable
from datetime import date

import duckdb

from pipelines.engines import on_duckdb
from pipelines.engines.inputs import Known, Variant

MOST_SHOWN = 3
MOST_TRIED = 40  # the latest; an answer that rests on more records seldom turns on one
BASES = ("tie", "assumed date", "estimated FiO2", "record")  # the weaker the basis, the earlier it is named

CANDIDATES = """
WITH observed AS (
    SELECT record_id, set_id, analyte AS what, kind = 'oxygen' AS one_row, CAST(at_high AS DATE) AS day, at_high, at_timed, original_value AS told,
        FALSE AS assumed
    FROM record.observation WHERE patient_id = $patient_id
    UNION ALL
    SELECT record_id, record_id, kind || ' ' || code, FALSE, CAST(at_high AS DATE), at_high, at_timed, coalesce(value, ''), date_assumed
    FROM record.event WHERE patient_id = $patient_id
    UNION ALL
    SELECT record_id, record_id, drug, FALSE, start_high, CAST(start_high AS TIMESTAMP), FALSE, coalesce(original_dose, ''), FALSE
    FROM record.administration WHERE patient_id = $patient_id
),
deciding AS (SELECT * FROM observed WHERE record_id IN (SELECT unnest($evidence))),
tied AS (   -- of one kind and day as a deciding record, with another value, and nothing says which was later
    SELECT DISTINCT other.record_id
    FROM deciding JOIN observed AS other
        ON other.what = deciding.what AND other.day = deciding.day AND other.record_id <> deciding.record_id
    WHERE other.told <> deciding.told AND (NOT other.at_timed OR NOT deciding.at_timed OR other.at_high = deciding.at_high)
        AND other.what NOT LIKE 'procedure %'
)
SELECT
    min(record_id) AS record_id, list_sort(list(DISTINCT record_id)) AS records, max(day) AS day,
    bool_or(assumed) AS assumed,
    bool_or(record_id IN (SELECT record_id FROM tied))
        OR bool_or(EXISTS (SELECT 1 FROM tied JOIN observed AS other USING (record_id)
            WHERE other.what = observed.what AND other.day = observed.day)) AS tie,
    max(CASE WHEN what = 'oxygen_flow' THEN record_id END) AS flow, bool_or(what = 'oxygen_device') AS device, bool_or(what = 'fio2') AS fio2
FROM observed
WHERE record_id IN (SELECT record_id FROM deciding UNION ALL SELECT record_id FROM tied)
    OR (one_row AND set_id IN (SELECT set_id FROM deciding WHERE one_row))   -- a row of oxygen records is one record to its reader
GROUP BY set_id, CASE WHEN one_row THEN 0 ELSE record_id END
ORDER BY day DESC, record_id"""


def flips(
    cursor: duckdb.DuckDBPyConnection,
    patient_id: str,
    criterion: str,
    as_of: date,
    answers: Iterable[dict],
    known: Known,
) -> dict[str | None, list[dict]]:
    """Per item with a met or not met answer, at most three ways in which it would turn, the strongest first: those that turn it
    over before those that leave it untold, weak records before others, later ones before earlier.

    Each has `basis` (one of BASES), `records` (ids as strings) and `becomes` (the status then).
    """
    decided = {answer["item"]: answer for answer in answers if answer["status"] != "not_evaluable"}
    evidence = sorted({int(record_id) for answer in decided.values() for record_id in answer["evidence"]})
    if not evidence:
        return {}
    tried = _tried(cursor, patient_id, evidence)
    variants = [Variant(str(number), patient_id, frozenset(without)) for number, (_, without) in enumerate(tried)]
    with cursor.cursor() as own:
        on_duckdb.replay(own, [patient_id], known, criteria=[criterion], variants=variants)
        said = own.execute(
            "SELECT patient_id, item, status FROM judgement WHERE on_date <= $day AND (until_date IS NULL OR until_date > $day)",
            {"day": as_of},
        ).fetchall()
    status = {(name, item): status for name, item, status in said}
    found: dict[str | None, list[dict]] = {}
    for item, answer in decided.items():
        turned = []
        for variant, (basis, without) in zip(variants, tried, strict=True):
            becomes = status.get((f"{patient_id}{chr(30)}{variant.name}", item), "not_evaluable")
            if becomes != answer["status"]:
                turned.append({"basis": basis, "records": [str(one) for one in without], "becomes": becomes})
        turned.sort(key=lambda flip: (flip["becomes"] == "not_evaluable", BASES.index(flip["basis"])))
        found[item] = turned[:MOST_SHOWN]
    return found


def _tried(cursor: duckdb.DuckDBPyConnection, patient_id: str, evidence: list[int]) -> list[tuple[str, list[int]]]:
    """What to leave out in turn: the basis, and the records. The latest come first."""
    rows = cursor.execute(CANDIDATES, {"patient_id": patient_id, "evidence": evidence}).fetchall()
    tried = []
    for _, records, _, assumed, tie, flow, device, fio2 in rows[:MOST_TRIED]:
        if flow and device and not fio2:  # without its flow the support is known, and its FiO2 is not
            tried.append(("estimated FiO2", [flow]))
        tried.append(("tie" if tie else "assumed date" if assumed else "record", records))
    return tried
