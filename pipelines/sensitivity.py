"""What would change an answer: the single record without which it turns, and whether that record is a weak one.

Each record that decided, or that is tied with one that did, is left out in turn: a patient without it (`inputs.Variant`) is
judged by the same rules beside the patient, from what was known at the moment asked for. Nothing is guessed in its place. A
record is weak where it is one of several of a day that differ and no time of day orders, where its date was assumed, and where
the rule says that it read an FiO2 estimated from the flow.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import duckdb

from pipelines.engines import on_duckdb
from pipelines.engines.inputs import JUDGED, Known, Variant

MOST_SHOWN = 3
MOST_TRIED = 40  # the weak ones and then the latest; an answer that rests on more records seldom turns on one
BASES = ("tie", "assumed date", "estimated FiO2", "record")  # the weaker the basis, the earlier it is named
ESTIMATED = "estimated_fio2"  # the note by which a rule says that it read an estimate

# `comparable`: what is one and the same thing measured or told; NULL where several of a day stand beside one another.
CANDIDATES = """
WITH observed AS (
    SELECT record_id, set_id, analyte AS what, kind = 'oxygen' AS one_row, at_low, at_high, at_timed, FALSE AS assumed,
        concat(analyte, '/', assay, '/', laboratory, '/', sample_timing, '/', activity, '/', phase, '/', reference_set) AS comparable,
        coalesce(coded, concat(low, low_open, '/', high, high_open)) AS told
    FROM ({observation}) WHERE patient_id = $patient_id AND {judged}
    UNION ALL
    SELECT record_id, record_id, code, FALSE, at_low, at_high, at_timed, date_assumed,
        CASE
            WHEN kind = 'impression' THEN kind
            WHEN kind IN ('diagnosis', 'measure', 'symptom', 'imaging', 'stay') THEN concat(kind, '/', code)
        END,
        CASE kind WHEN 'impression' THEN code ELSE coalesce(CAST(number AS VARCHAR), value, '') END
    FROM ({event}) WHERE patient_id = $patient_id AND {judged}
    UNION ALL
    SELECT record_id, record_id, drug, FALSE, CAST(start_low AS TIMESTAMP), CAST(start_high AS TIMESTAMP), FALSE, FALSE, NULL, ''
    FROM ({administration}) WHERE patient_id = $patient_id AND {judged}
),
dated AS (SELECT *, CAST(at_high AS DATE) AS day, CAST(at_low AS DATE) = CAST(at_high AS DATE) AS exact FROM observed),
deciding AS (SELECT * FROM dated WHERE record_id IN (SELECT unnest($evidence))),
pair AS (
    SELECT deciding.record_id, other.record_id AS other_id
    FROM deciding JOIN dated AS other USING (comparable, day)
    WHERE other.told <> deciding.told AND other.exact AND deciding.exact
        AND (NOT other.at_timed OR NOT deciding.at_timed OR other.at_high = deciding.at_high)
),
tied AS (SELECT record_id FROM pair UNION SELECT other_id FROM pair),
candidate AS (SELECT * FROM dated WHERE record_id IN (SELECT record_id FROM deciding UNION SELECT record_id FROM tied)),
taken AS (   -- a row of oxygen records is one record to its reader
    SELECT * FROM candidate
    UNION
    SELECT * FROM dated WHERE one_row AND set_id IN (SELECT set_id FROM candidate WHERE one_row)
)
SELECT
    list_sort(list(record_id)) AS records,
    CASE
        WHEN bool_or(record_id IN (SELECT record_id FROM tied)) THEN 'tie' WHEN bool_or(assumed) THEN 'assumed date' ELSE 'record'
    END AS basis,
    CASE   -- the flow of a row in which nothing else tells the FiO2, and something else the support
        WHEN bool_or(what = 'oxygen_device') AND NOT bool_or(what = 'fio2') THEN max(CASE WHEN what = 'oxygen_flow' THEN record_id END)
    END AS flow
FROM taken
GROUP BY set_id, CASE WHEN one_row THEN 0 ELSE record_id END
ORDER BY basis = 'record' AND flow IS NULL, max(day) DESC, min(record_id)"""


@dataclass(frozen=True)
class Flips:
    """What would turn each item that is met or not met; `untried`: so many of the records were not left out in turn."""

    found: dict[str | None, list[dict]]
    untried: int = 0


def flips(
    cursor: duckdb.DuckDBPyConnection,
    patient_id: str,
    criterion: str,
    as_of: date,
    answers: Iterable[dict],
    known: Known,
) -> Flips:
    """Per item with a met or not met answer, at most three ways in which it would turn, the strongest first: those that turn it
    over before those that leave it untold, weak records before others, later ones before earlier.

    Each has `basis` (one of BASES), `records` (ids as strings) and `becomes` (the status then; where the item would not be judged
    at all, the answer for the whole).
    """
    decided = {answer["item"]: answer for answer in answers if answer["status"] != "not_evaluable"}
    evidence = sorted({int(record_id) for answer in decided.values() for record_id in answer["evidence"]})
    if not evidence:
        return Flips({})
    estimated = any(ESTIMATED in answer["notes"] for answer in decided.values())
    tried, untried = _tried(cursor, patient_id, evidence, known, estimated)
    variants = [Variant(str(number), patient_id, frozenset(without)) for number, (_, without) in enumerate(tried)]
    with cursor.cursor() as own:
        on_duckdb.replay(own, [patient_id], known, criteria=[criterion], variants=variants)
        said = own.execute(
            "SELECT patient_id, item, status FROM judgement WHERE on_date <= $day AND (until_date IS NULL OR until_date > $day)",
            {"day": as_of},
        ).fetchall()
    standing = {(name, item): status for name, item, status in said}
    found = {}
    for item, answer in decided.items():
        turned: list[dict] = []
        for variant, (basis, without) in zip(variants, tried, strict=True):
            name = f"{patient_id}{chr(30)}{variant.name}"
            becomes = standing.get((name, item), standing.get((name, None), "not_evaluable"))
            if becomes == answer["status"] or (basis == "estimated FiO2" and ESTIMATED not in answer["notes"]):
                continue
            if not any(set(one["records"]) < set(map(str, without)) and one["becomes"] == becomes for one in turned):
                turned.append({"basis": basis, "records": [str(one) for one in without], "becomes": becomes})
        turned.sort(key=lambda flip: (flip["becomes"] == "not_evaluable", BASES.index(flip["basis"])))
        found[item] = turned[:MOST_SHOWN]
    return Flips(found, untried)


def _tried(
    cursor: duckdb.DuckDBPyConnection, patient_id: str, evidence: list[int], known: Known, estimated: bool
) -> tuple[list[tuple[str, list[int]]], int]:
    """What to leave out in turn, the basis and the records; and how many rows of records there was no turn for."""
    tables = {name: known.standing(f"record.{name}") for name in ("observation", "event", "administration")}
    sql = CANDIDATES.format(judged=JUDGED, **tables)
    rows = cursor.execute(sql, {"patient_id": patient_id, "evidence": evidence}).fetchall()
    tried: list[tuple[str, list[int]]] = []
    for records, basis, flow in rows[:MOST_TRIED]:
        if estimated and flow is not None:  # without its flow the support is known, and its FiO2 is not
            tried.append(("estimated FiO2", [flow]))
        tried.append((basis, records))
    return tried, len(rows[MOST_TRIED:])
