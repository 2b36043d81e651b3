"""Which flags stand otherwise than at a meeting, and which record did it.

Then is judged again from what had been received by then, as of the meeting's day; now is what stands on the day asked for; both by the
rules of now. Only patients of whom something was received since are judged again: of the others nothing but the day is different,
and their spells say what stood on it.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date

import duckdb

from pipelines import changed_records, findings
from pipelines.catalog import catalog
from pipelines.changed_records import Since
from pipelines.engines import on_duckdb, relevance
from pipelines.engines.inputs import Known

# What stands on a day, of the spells and of a replay. Evidence of a spell may be later than the day, so it is not taken from there.
STANDS = "{start} <= $%s AND (until_date IS NULL OR until_date > $%s)"
BY_SPELLS = """SELECT criterion, patient_id, item, status, grade, from_date AS since, CAST(NULL AS BIGINT[]) AS evidence
    FROM result.spell WHERE """ + STANDS.format(start="from_date")
BY_REPLAY = """SELECT criterion, patient_id, item, status, grade, since, evidence
    FROM judgement WHERE """ + STANDS.format(start="on_date")
NOTHING = f"SELECT * FROM ({BY_SPELLS}) AS spell WHERE FALSE"

DIFFERING = """
    SELECT coalesce(now.patient_id, before.patient_id) AS patient_id, coalesce(now.criterion, before.criterion) AS criterion,
        coalesce(now.item, before.item) AS item, before.status AS before_status, before.grade AS before_grade,
        before.evidence AS before_evidence, now.status, now.grade, now.since
    FROM (SELECT * FROM ({before}) AS answer WHERE {whose}) AS before
    FULL JOIN (SELECT * FROM ({now}) AS answer WHERE {whose}) AS now ON now.patient_id = before.patient_id
        AND now.criterion = before.criterion AND coalesce(now.item, '') = coalesce(before.item, '')
    WHERE (before.status = 'met' OR now.status = 'met')
        AND (before.status IS DISTINCT FROM now.status OR before.grade IS DISTINCT FROM now.grade)
    ORDER BY 1, 2, 3"""

KNOWN_THEN = """
    SELECT DISTINCT patient_id FROM (
        SELECT patient_id, received_at FROM record.observation UNION ALL SELECT patient_id, received_at FROM record.administration
        UNION ALL SELECT patient_id, received_at FROM record.event) AS version
    WHERE received_at <= $moment AND patient_id IN (SELECT unnest($patients)) ORDER BY patient_id"""


def differing(
    cursor: duckdb.DuckDBPyConnection,
    patients: list[str] | None,
    since: Since,
    as_of: date,
    touched: list[str],
    left_out: Collection[str] = (),
) -> list[dict]:
    """The flags of some patients (None: everyone) that stand otherwise: patient_id, criterion, item, before_status, before_grade,
    before_evidence (None of patients not judged again), status, grade, since (first day of the run that stands; status None: nothing does).

    `touched` are those among them who are judged again, but for some `left_out`, who are not compared. Where other rules judged the store
    only they are compared: see `by_spells`.
    """
    rows: list[dict] = []
    if by_spells(cursor):
        whose = (
            "patient_id NOT IN (SELECT unnest($touched)) AND ($everyone OR patient_id IN (SELECT unnest($patients)))"
        )
        asked = {"touched": touched, "everyone": patients is None, "patients": patients or []}
        rows += _compared(cursor, BY_SPELLS, BY_SPELLS, whose, since, as_of, asked)
    again = [patient_id for patient_id in touched if patient_id not in left_out]
    for start in range(0, len(again), findings.BATCH):
        batch = again[start : start + findings.BATCH]
        with _sides(cursor, batch, since, as_of) as (own, before, now):
            whose = "patient_id IN (SELECT unnest($patients))"
            rows += _compared(own, before, now, whose, since, as_of, {"patients": batch})
    return [row for row in rows if row["criterion"] in catalog().criteria]


def by_spells(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Whether the spells of the store are answers of the rules of now; if not, everyone has to be judged again."""
    return on_duckdb.judged_by_these_rules(cursor)


@contextmanager
def _sides(
    cursor: duckdb.DuckDBPyConnection, batch: list[str], since: Since, as_of: date
) -> Iterator[tuple[duckdb.DuckDBPyConnection, str, str]]:
    """A cursor and, as SQL on it, what stood then and what stands now of the patients of a batch."""
    received_then = known_then(cursor, batch, since)
    with cursor.cursor() as own:  # its TEMP tables go with it, at once
        now, judged_now = BY_SPELLS, None
        if not by_spells(cursor):
            on_duckdb.replay(own, batch, Known())
            sql = BY_REPLAY.replace("$%s", "$day")
            now, judged_now = "SELECT * FROM judged_now", own.execute(sql, {"day": as_of}).to_arrow_table()
        if received_then:
            on_duckdb.replay(own, received_then, Known(received_at=since.received_at))
        if judged_now is not None:
            own.register("judged_now", judged_now)
        yield own, BY_REPLAY if received_then else NOTHING, now


def known_then(cursor: duckdb.DuckDBPyConnection, patients: list[str], since: Since) -> list[str]:
    """Those of whom anything had been received then."""
    if since.received_at is None:
        return patients
    asked = {"moment": since.received_at, "patients": patients}
    return [row[0] for row in cursor.execute(KNOWN_THEN, asked).fetchall()]


def _compared(cursor, before: str, now: str, whose: str, since: Since, as_of: date, asked: dict) -> list[dict]:
    sql = DIFFERING.format(before=before.replace("$%s", "$since_day"), now=now.replace("$%s", "$as_of"), whose=whose)
    days = {name: day for name, day in (("since_day", since.as_of), ("as_of", as_of)) if f"${name}" in sql}
    return findings.fetch_rows(cursor.execute(sql, days | asked))


def is_gained(row: dict) -> bool:
    """Whether a flag that stands otherwise is gained (newly met, or met with a higher grade) or lost."""
    if row["status"] != "met" or row["before_status"] != "met":
        return row["status"] == "met"
    return (row["grade"] if row["grade"] is not None else -1) > (
        row["before_grade"] if row["before_grade"] is not None else -1
    )


def told(
    cursor: duckdb.DuckDBPyConnection,
    differ: list[dict],
    since: Since,
    as_of: date,
    new: list[dict],
    corrected: list[dict],
) -> list[dict]:
    """The flags that stand otherwise, for a person: the answer that stands now (`findings.standing`; status None: nothing stands) with

    * `change`: 'met', 'grade', 'ceased' (now not met), 'unknown' (now cannot be told: `missing` says what is) or 'gone' (nothing stands),
    * `before_status`, `before_grade`,
    * `because` and `did`, the records that did it, by the answer on the first day of its run (rows of `changed_records.new` or the sides
      of its `corrected`, with `how`: 'received', 'dated', 'corrected', 'continued' (only its end or confirmation) or 'withdrawn'):
      'records': in its evidence, not received or not dated then (and evidence of then that is otherwise now);
      'corrected': evidence of then that is otherwise now, alone;
      'read': not in the evidence, but the rule reads such records, and these are of the day, arrived late or were corrected;
      'first': nothing of the patient had been received then, and no evidence is named;
      'waiting time' (a flag gained) or 'time' (lost): no record did.
    """
    if not differ:
        return []
    patients = sorted({row["patient_id"] for row in differ})
    answers = _answers(cursor, differ, as_of)
    turned = {key: [str(record_id) for record_id in row["first_evidence"]] for key, row in answers.items()}
    named = sorted({record_id for evidence in turned.values() for record_id in evidence})
    arrived = changed_records.new(cursor, patients, since, as_of, named) if named else []
    causes = Causes([*new, *arrived], corrected, since, set(patients) - set(known_then(cursor, patients, since)))
    rows = []
    for row in differ:
        rule, answer = catalog().criteria[row["criterion"]], answers.get(_key(row))
        known = {name: row[name] for name in ("patient_id", "criterion", "item", "before_status", "before_grade")}
        nothing = {
            "status": None,
            "grade": None,
            "on_date": None,
            "since": None,
            "evidence": [],
            "missing": [],
            "finding": "",
            "margin": None,
        }
        because, did = causes.of(row, answer, turned.get(_key(row), []))
        change = {
            "met": "grade" if row["before_status"] == "met" else "met",
            "not_met": "ceased",
            "not_evaluable": "unknown",
            None: "gone",
        }
        rows.append(
            (answer or nothing | {"group": rule.group, "title": rule.title})
            | known
            | {"change": change[row["status"]], "because": because, "did": did}
        )  # fmt: skip
    return rows


def _key(row: dict) -> tuple:
    return row["patient_id"], row["criterion"], row["item"]


# What stands on a day with the evidence of the first day of its run, which is what turned it: the same where it was judged once.
ONCE_JUDGED = f"""
    SELECT criterion, patient_id, item, last_judged AS on_date, status, grade, evidence, missing, facts, notes, margin, from_date AS since,
        evidence AS first_evidence
    FROM result.spell WHERE last_judged = from_date AND {STANDS.format(start="from_date")}"""


def _answers(cursor: duckdb.DuckDBPyConnection, differ: list[dict], as_of: date) -> dict[tuple, dict]:
    """The answers that stand now of flags that stand otherwise, as `findings.standing` gives them, each with `first_evidence`."""
    standing = {_key(row) for row in differ if row["status"]}
    found: list[dict] = []
    if by_spells(cursor):
        asked = {"day": as_of, "patients": sorted({key[0] for key in standing})}
        sql = ONCE_JUDGED.replace("$%s", "$day") + " AND patient_id IN (SELECT unnest($patients))"
        found = [row for row in findings.fetch_rows(cursor.execute(sql, asked)) if _key(row) in standing]
    open_keys = standing - {_key(row) for row in found}
    patients = sorted({key[0] for key in open_keys})
    for start in range(0, len(patients), findings.BATCH):
        with cursor.cursor() as own:
            batch = patients[start : start + findings.BATCH]
            on_duckdb.replay(own, batch, Known(), criteria={key[1] for key in open_keys})
            rows = findings.fetch_rows(own.execute(JUDGED_AGAIN, {"day": as_of}))
        found += [row for row in rows if _key(row) in open_keys]
    return {_key(row): row for row in findings.tell(found)}


JUDGED_AGAIN = f"""
    SELECT {", ".join(f"answer.{column}" for column in findings.COLUMNS)}, coalesce(first.evidence, answer.evidence) AS first_evidence
    FROM judgement AS answer
    LEFT JOIN judgement AS first ON first.patient_id = answer.patient_id AND first.criterion = answer.criterion
        AND coalesce(first.item, '') = coalesce(answer.item, '') AND first.on_date = answer.since
    WHERE answer.on_date <= $day AND (answer.until_date IS NULL OR answer.until_date > $day)
        AND answer.patient_id IN (SELECT patient_id FROM asked)"""


class Causes:
    """Finds the records that changed an answer among those that changed."""

    def __init__(self, new: Iterable[dict], corrected: Iterable[dict], since: Since, unknown_then: set[str]) -> None:
        self.since, self.unknown_then = since, unknown_then
        # by record id: what stands now and did not then, and what stood then and does not now
        self.arrived = {row["record_id"]: row | {"how": row["because"]} for row in new}
        self.closed: dict[str, dict] = {}
        for row in corrected:
            side = self._side(row)
            if row["new"] and not row["withdrawn"] and row["new"]["record_id"]:
                self.arrived[row["new"]["record_id"]] = side
            if row["old"]["record_id"]:
                self.closed[row["old"]["record_id"]] = side
        self.undated = [self._side(row) for row in corrected if row["kind"] == "patient"]
        self.read = relevance.facts_read(catalog(), catalog().order)

    @staticmethod
    def _side(row: dict) -> dict:
        """What took the place of a record, or the record that was withdrawn; with the value it had."""
        shown = row["old"] if row["withdrawn"] or row["new"] is None else row["new"]
        how = "withdrawn" if row["withdrawn"] else "continued" if row["continues"] else "corrected"
        about = {name: row[name] for name in ("patient_id", "kind", "label", "changed")}
        return shown | about | {"how": how, "old_value": row["old"]["value"], "old_unit": row["old"]["unit"]}

    def of(self, row: dict, answer: dict | None, evidence: list[str]) -> tuple[str, list[dict]]:
        """`because` and `did` of a flag that stands otherwise (`told`); `evidence` of the answer when it became this one."""
        before = [str(record_id) for record_id in row["before_evidence"] or []]
        arrived = [self.arrived[record_id] for record_id in evidence if record_id in self.arrived]
        closed = [self.closed[record_id] for record_id in before if record_id in self.closed]
        if arrived or closed:
            both = {
                id(one): one for one in [*arrived, *closed]
            }  # a version and the one it took the place of are told once
            return ("records" if arrived else "corrected"), list(both.values())
        if row["patient_id"] in self.unknown_then:
            return "first", []
        found = self._read_by(row, answer)
        if found:
            return "read", found
        return ("waiting time" if row["status"] == "met" else "time"), []

    def _read_by(self, row: dict, answer: dict | None) -> list[dict]:
        """Records that the rule reads: of the day on which the answer became this one, or, where that day was over at the meeting, those
        that arrived late, were corrected or withdrawn."""
        read = self.read[row["criterion"]]
        theirs = {
            id(one): one
            for one in [*self.arrived.values(), *self.closed.values(), *self.undated]
            if one["patient_id"] == row["patient_id"] and (one["label"] in read or one["label"] == "*")
        }.values()
        if answer and answer["since"] > self.since.as_of:
            return [one for one in theirs if one["day"] == answer["since"] and one["how"] != "withdrawn"]
        return [one for one in theirs if one["how"] not in ("received", "dated") or one.get("late")]
