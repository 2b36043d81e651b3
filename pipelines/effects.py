"""Whether decisions did what was expected of them, computed from the records: "off high-flow oxygen by 14 September" is the criterion
urgent_transfer, expected not met on that day.

Judged as of the check day by what is received now. An answer that rests on nothing recorded after the day of the decision says nothing
of its effect, and neither does a record of that day itself: which of the two came first is not known. A record that says only a part
of its date counts as after the decision where its first possible day is.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import duckdb

from pipelines import findings, frozen_decision
from pipelines.catalog import STATUS_WORDS, catalog
from pipelines.engines import on_duckdb
from pipelines.engines.inputs import Known

# First and last possible day of when a record was, ended, and was last confirmed.
RECORD_DAYS = """
    SELECT record_id, CAST(at_low AS DATE), CAST(at_high AS DATE), NULL, NULL, NULL, NULL
    FROM record.observation WHERE record_id IN (SELECT unnest($ids))
    UNION ALL SELECT record_id, start_low, start_high, stop_low, stop_high, confirmed_low, confirmed_high
    FROM record.administration WHERE record_id IN (SELECT unnest($ids))
    UNION ALL SELECT record_id, CAST(at_low AS DATE), CAST(at_high AS DATE), until_low, until_high, NULL, NULL
    FROM record.event WHERE record_id IN (SELECT unnest($ids))"""
Days = dict[str, tuple[tuple[date, date], ...]]  # by record the first and last possible day of each of these


@dataclass(frozen=True)
class Effect:
    """Whether a decision's expected effect came.

    `outcome`: 'reached' (the expected answer stands on the check day, on a record dated after the decision's day), 'not_reached'
    (another definite answer does), 'cannot_be_told' or 'not_due' (the check day has not come).
    `because`: a sentence for a person. `as_of`: the day judged, the check day or the earlier day asked for.
    `answer`: the one that decides (`findings.standing`, with `records_after`: its evidence dated after the decision's day), None where
    there is none; `answers`: all of them.
    `since`: the first day of the unbroken run of the expected answer, where reached (of what is not due: as it stands now).
    `between`: first and last day on which the answer was as expected after the decision though it is not on the day judged.
    `rules_changed`: whether the rule is another than when the decision was frozen; None where that was not kept, or cannot be
    read.
    """

    entry_id: str
    outcome: str
    because: str
    as_of: date
    answer: dict | None = None
    answers: list[dict] = field(default_factory=list)
    since: date | None = None
    between: tuple[date, date] | None = None
    rules_changed: bool | None = None


def judged(cursor: duckdb.DuckDBPyConnection, decisions: Iterable[dict], as_of: date) -> dict[str, Effect]:
    """The effect of each of some decisions (`entries.standing`) as of a day, by entry_id; all of them in one pass over their patients.

    A decision of which no effect is expected has none.
    """
    expected = [row for row in decisions if row["criterion"] and row["code"]]
    known = [row for row in expected if row["criterion"] in catalog().criteria]
    history = _history(cursor, known, as_of)
    days = _days(cursor, known, history)
    return {
        row["entry_id"]: _effect(row, history[row["patient_id"], row["criterion"]], days, as_of) for row in expected
    }


def _history(cursor: duckdb.DuckDBPyConnection, decisions: list[dict], as_of: date) -> dict[tuple, list[dict]]:
    """Every judged date up to the day of the patients and criteria of the decisions, by both."""
    found = defaultdict(list)
    patients = sorted({row["patient_id"] for row in decisions})
    criteria = sorted({row["criterion"] for row in decisions})
    for start in range(0, len(patients), findings.BATCH):
        with cursor.cursor() as own:  # its TEMP tables go with it, at once
            on_duckdb.replay(own, patients[start : start + findings.BATCH], Known(), criteria=criteria)
            columns = ", ".join((*findings.COLUMNS, "until_date"))
            rows = own.execute(
                f"SELECT {columns} FROM judgement WHERE on_date <= $day AND patient_id IN (SELECT patient_id FROM asked)",
                {"day": as_of},
            )
            for answer in findings.tell(findings.fetch_rows(rows)):
                found[answer["patient_id"], answer["criterion"]].append(answer)
    return found


def _days(cursor: duckdb.DuckDBPyConnection, decisions: list[dict], history: dict) -> Days:
    """The days of every record named: when it was, and of what lasts when it was last confirmed and ended."""
    answers = [answer for row in decisions for answer in history[row["patient_id"], row["criterion"]]]
    ids = {int(record_id) for answer in answers for record_id in answer["evidence"]}
    rows = cursor.execute(RECORD_DAYS, {"ids": sorted(ids)}).fetchall() if ids else []
    pairs = {str(row[0]): zip(row[1::2], row[2::2], strict=True) for row in rows}
    return {record_id: tuple((low, high) for low, high in days if low and high) for record_id, days in pairs.items()}


def _effect(decision: dict, history: list[dict], days: Days, as_of: date) -> Effect:
    rules = catalog().criteria
    until = decision["until"] or as_of
    judged_on = min(until, as_of)
    about = {"entry_id": decision["entry_id"], "as_of": judged_on, "rules_changed": _rules_changed(decision)}
    if decision["criterion"] not in rules:
        return Effect(outcome="cannot_be_told", because="There is no such rule any more.", **about)
    asked = [row for row in history if decision["item"] in (None, row["item"])]
    runs = [Run(rows, decision, days, judged_on) for rows in _by_item(asked)]
    standing = [run for run in runs if run.answer]
    outcome, deciding, because = _decided(decision, standing)
    reached = outcome == "reached"
    if as_of < until:
        outcome, because = "not_due", f"It is checked on {until}. Now: {because}"
    between = [day for run in runs for day in (run.between or ())]
    return Effect(
        outcome=outcome,
        because=because,
        answer=deciding.answer if deciding else None,
        answers=[run.answer for run in standing],
        since=deciding.since if deciding and reached else None,
        between=None if reached or not between else (min(between), max(between)),
        **about,
    )


def _by_item(history: list[dict]) -> list[list[dict]]:
    items = defaultdict(list)
    for row in history:
        items[row["item"]].append(row)
    return [items[item] for item in sorted(items, key=lambda item: item or "")]


def _decided(decision: dict, runs: list["Run"]) -> tuple[str, "Run | None", str]:
    """Outcome on the day judged, the run that decides, and a sentence. Of several items any is enough where 'met' is expected, and
    every one has to answer where 'not_met' is."""
    if not runs:
        return "cannot_be_told", None, "The patient has no such answer by then."
    order = ("reached", "cannot_be_told", "not_reached")
    if decision["code"] == "not_met":
        order = ("not_reached", "cannot_be_told", "reached")
    deciding = min(runs, key=lambda run: order.index(run.outcome))
    return deciding.outcome, deciding, deciding.because()


class Run:
    """The judged dates of one item up to the day judged, and what stands on it."""

    def __init__(self, rows: list[dict], decision: dict, days: Days, judged_on: date) -> None:
        self.decision, self.days, self.judged_on = decision, days, judged_on
        self.rows = [row for row in rows if row["on_date"] <= judged_on]
        last = self.rows[-1] if self.rows else None
        stands = last and (last["until_date"] is None or last["until_date"] > judged_on)
        self.answer = last | {"records_after": self._after(last)} if stands else None
        self.outcome = self._outcome() if self.answer else "cannot_be_told"

    def _after(self, row: dict) -> list[str]:
        """The evidence that is surely dated after the decision's day, up to the day judged."""
        made, until = self.decision["day"], self.judged_on
        return [
            one for one in row["evidence"] if any(made < low and high <= until for low, high in self.days.get(one, ()))
        ]

    def _outcome(self) -> str:
        if self.answer["status"] == "not_evaluable" or not self.answer["records_after"]:
            return "cannot_be_told"
        return "reached" if self.answer["status"] == self.decision["code"] else "not_reached"

    @property
    def since(self) -> date:
        """The first day of the unbroken run of the status that stands, whatever its grade."""
        first = self.rows[-1]
        for row in reversed(self.rows[:-1]):
            if row["status"] != first["status"] or row["until_date"] != first["on_date"]:
                break
            first = row
        return first["on_date"]

    @property
    def between(self) -> tuple[date, date] | None:
        """First and last day after the decision on which the answer was the expected one, on a record after it."""
        expected = [row for row in self.rows if row["status"] == self.decision["code"] and self._after(row)]
        return (expected[0]["on_date"], expected[-1]["on_date"]) if expected else None

    def because(self) -> str:
        words, made = STATUS_WORDS[self.answer["status"]].lower(), self.decision["day"]
        item = f"{self.answer['item'].replace('_', ' ')}: " if self.answer["item"] else ""
        if self.answer["status"] == "not_evaluable":
            missing = ", ".join(self.answer["missing"]) or "not said"
            return f"{item}cannot be told, missing: {missing}."
        if not self.answer["records_after"]:
            return (
                f"{item}{words}, but {self._old()}; the answer of {self.answer['on_date']} is no evidence of an effect."
            )
        if self.outcome != "reached":
            return f"{item}{words} on {self.answer['on_date']}."
        already = f", as it was already on the day of the decision, {made}" if self.since <= made else ""
        return f"{item}{words} since {self.since}{already}."

    def _old(self) -> str:
        """What there is instead of a record after the decision."""
        made = self.decision["day"]
        days = [pair for record_id in self.answer["evidence"] for pair in self.days.get(record_id, ())]
        if (made, made) in days:
            return f"the last record that the rule reads is of the day of the decision itself, {made}, which is not after it"
        for low, high in days:
            if low <= made <= high:
                return f"the date of a record that the rule reads, {low} to {high}, does not say whether it is after the decision of {made}"
        return f"nothing that the rule reads is recorded after the decision of {made}"


def _rules_changed(decision: dict) -> bool | None:
    frozen = frozen_decision.read(decision["frozen"])
    kept = frozen and frozen.rules.get(decision["criterion"])
    if not kept:
        return None
    return catalog().content_hashes().get(decision["criterion"]) != kept["content_hash"]
