"""Values 10, 100 or 1,000 times off the patient's own recent history: held for a person, because a unit or a decimal mark may have slipped.

A new exact result of a laboratory is compared with the median of the last three results before it, of the same patient, analyte, assay
and unit, at most 28 days old; there must be two at least. It is held where the quotient is one of the three powers of ten or its inverse,
give or take a quarter. Results already held are no history. A tenfold change is let through where the next result of the file, or one
before it, held or not, in this file or an earlier one, is of the same size (within twice): a level seen twice is no slip of one value;
and for what changes tenfold in illness (`swings` in analytes.toml). A correction by the source was looked at there and is not held.
What is held stays held when it comes again, until a person decides, and for good where a person rejected it.

All numbers here are project defaults.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from statistics import median

import duckdb
import pyarrow as pa

from pipelines.sources import Source

SERIES = Path(__file__).with_name("slips.sql").read_text(encoding="utf-8")
RECENT = timedelta(days=28)
OLDEST_COMPARED, FEWEST_COMPARED = 3, 2
POWERS = (10, 100, 1000)
TOLERANCE = Decimal("1.25")
SAME_SIZE = 2


@dataclass(frozen=True)
class Result:
    """One result of a series: same patient, analyte, assay and unit, in order of time."""

    record_id: int
    value: Decimal
    at: datetime
    line: int
    is_new: bool


@dataclass(frozen=True)
class Held:
    """A result of the series that an earlier file brought and that is held; `rejected`: by a person, for good."""

    value: Decimal
    at: datetime
    rejected: bool = False


@dataclass(frozen=True)
class Slip:
    """A result that is held: how many times it is off (10, or 0.01), and what it was compared with."""

    result: Result
    times: Decimal
    history: tuple[Result, ...]

    def sentence(self, unit: str) -> str:
        """What it was compared with, for a person."""
        values = ", ".join(f"{before.value.normalize():f} on {before.at:%Y-%m-%d}" for before in self.history)
        if self.times == 1:
            return "It was held before."
        return f"About {self.times:f} times the values before it: {values} ({unit})."


def slips(series: list[Result], swings: bool, before: Sequence[Held] = ()) -> Iterator[Slip]:
    """The new results of one series, in order of time, that are held. `before`: those held already."""
    accepted: list[Result] = []
    known = {(one.value, one.at) for one in before}
    held: list[Result | Held] = [one for one in before if not one.rejected]
    for place, result in enumerate(series):
        recent = [before for before in accepted if before.at < result.at and result.at - before.at <= RECENT]
        history = recent[-OLDEST_COMPARED:]
        times = _times(result, history) if result.is_new else None
        again = result.is_new and (result.value, result.at) in known
        if again:
            times = times or Decimal(1)
        elif times is not None and times in (10, Decimal("0.1")):
            following = series[place + 1 : place + 2]
            around = recent + [one for one in held + following if abs(one.at - result.at) <= RECENT]
            seen_again = any(_same_size(one, result) for one in around)
            if swings or seen_again:
                times = None
        if times is None:
            accepted.append(result)
        else:
            held.append(result)
            yield Slip(result, times, tuple(history))


def _times(result: Result, history: list[Result]) -> Decimal | None:
    """The power of ten, or its inverse, by which a result is off its history; None when it is not."""
    if len(history) < FEWEST_COMPARED:
        return None
    usual = median(before.value for before in history)
    for power in POWERS:
        for times in (Decimal(power), 1 / Decimal(power)):
            if usual * times <= result.value * TOLERANCE and result.value <= usual * times * TOLERANCE:
                return times
    return None


def _same_size(one: Result | Held, other: Result | Held) -> bool:
    return one.value <= other.value * SAME_SIZE and other.value <= one.value * SAME_SIZE


def hold(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Takes the slips among a file's results out of the records, into the held rows. Reads the file again only when there are any."""
    con.execute(SERIES)
    found = con.execute(
        """SELECT patient_id, analyte, assay, unit, swings, record_id, value, "at", line, is_new FROM series
           ORDER BY patient_id, analyte, assay, unit, "at", line"""
    ).fetchall()
    before = _held_before(con) if found else {}
    held: dict[int, tuple[Slip, str, str]] = {}
    for (*of, swings), rows in groupby(found, key=itemgetter(0, 1, 2, 3, 4)):
        series = [Result(*row[5:]) for row in rows]
        patient_id, _, _, unit = of
        found_slips = slips(series, swings, before.get(tuple(of), ()))
        held |= {slip.result.line: (slip, patient_id, unit) for slip in found_slips}
    if not held:
        return
    con.register("held_lines", pa.table({"line": pa.array(held, pa.int32())}))
    con.execute("CREATE OR REPLACE TEMP TABLE slipped AS SELECT line FROM held_lines")
    con.unregister("held_lines")
    _move(con, source, held)


def _held_before(con: duckdb.DuckDBPyConnection) -> dict[tuple, list[Held]]:
    """By patient, analyte, assay and unit, what is held of the series in `series`: not what a person accepted or corrected."""
    rows = con.execute(
        """
        SELECT DISTINCT patient_id, analyte, assay, unit, value, "at", coalesce(decision = 'reject', FALSE)
        FROM source.slip JOIN source.file USING (file_id)
        LEFT JOIN source.decided USING (sha256, line)
        WHERE coalesce(decision, 'reject') = 'reject' AND (patient_id, analyte) IN (SELECT (patient_id, analyte) FROM series)"""
    ).fetchall()
    held: dict[tuple, list[Held]] = {}
    for *of, value, at, rejected in rows:
        held.setdefault(tuple(of), []).append(Held(value, at, rejected))
    return held


def _move(con: duckdb.DuckDBPyConnection, source: Source, held: dict[int, tuple[Slip, str, str]]) -> None:
    """A result that closed an earlier version stays: the source itself has looked at it again."""
    con.execute(
        """
        DELETE FROM temp.slipped WHERE line IN (
            SELECT new.line FROM record.observation AS new JOIN receipt USING (file_id) JOIN record.observation AS old
                ON old.patient_id = new.patient_id AND old.analyte = new.analyte AND old.record_id <> new.record_id
            WHERE new.line IN (FROM temp.slipped)
                AND (old.fact_id = new.fact_id OR (old.at_high = new.at_high AND old.known_until IS NOT NULL)))"""
    )
    con.execute(
        """
        INSERT INTO source.slip SELECT file_id, line, patient_id, analyte, assay, unit, value, at_high
        FROM record.observation JOIN receipt USING (file_id) WHERE line IN (FROM temp.slipped)"""
    )
    lines = {line for (line,) in con.execute("FROM temp.slipped").fetchall()}
    con.execute(
        "DELETE FROM record.observation WHERE file_id = (SELECT file_id FROM receipt) AND line IN (FROM temp.slipped)"
    )
    con.execute(
        "UPDATE source.row SET outcome = 'rejected' WHERE file_id = (SELECT file_id FROM receipt) AND line IN (FROM temp.slipped)"
    )
    notes = list(source.notes)
    for kind, table in source.batches():
        wanted = pa.array([line in lines for line in table.column("line").to_pylist()]) if kind == "labs" else None
        for row in table.filter(wanted).to_pylist() if wanted is not None else ():
            slip, patient_id, unit = held[row["line"]]
            con.execute(
                """
                INSERT INTO source.rejected
                SELECT file_id, $line, $patient_id, class, reason, 'value', $found, concat_ws(' ', hint, $detail), $raw, $cells
                FROM reason, receipt WHERE reason = 'value_slip'""",
                {
                    "line": row["line"],
                    "patient_id": patient_id,
                    "found": row["value"],
                    "detail": slip.sentence(unit),
                    "raw": row["raw"],
                    "cells": json.dumps(row, ensure_ascii=False),
                },
            )
    source.notes[:] = notes
