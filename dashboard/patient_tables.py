"""The tables of one patient's page, read through a cursor that dashboard.data gives: records as rows, long series as arrays.

Of a kind of record there are at most dense.LONG, and all are rows; or more, and then only what a window shows is, chosen from arrays.
"""

from datetime import timedelta

import numpy as np

from dashboard import held, queries
from dashboard.dense import DRAWN, LONG, LongSeries
from dashboard.rows import fetch_rows, moment, source_of

RATIO = "sf"  # the one long series that is not of an analyte: saturation over the fraction of oxygen breathed


def records(cursor, patient_id: str, standing: dict[str, str], long: list[str]) -> dict[str, list[dict]]:
    """patient, observation (without the analytes of `long` series), event, administration (what was recorded of drugs, a row a record) and
    held of a patient; `standing` has, by table, the SELECT of the versions that are read."""
    only = {"patient_id": patient_id}
    observed = fetch_rows(cursor, queries.OBSERVATIONS.format(standing=standing["observation"]), only | {"long": long})
    return {
        "patient": fetch_rows(cursor, f"SELECT * FROM ({standing['patient']}) WHERE patient_id = $patient_id", only),
        "observation": [_observation(row) for row in observed],
        "event": fetch_rows(cursor, queries.EVENTS.format(standing=standing["event"]), only),
        "administration": fetch_rows(cursor, queries.ADMINISTRATIONS.format(standing=standing["administration"]), only),
        "held": [
            row | {"analyte": held.analyte_named(row["row as received"])}
            for row in fetch_rows(cursor, queries.HELD, only | {"most": queries.MOST_HELD})
        ],
    }


def long_series(cursor, patient_id: str, standing: str) -> dict[str, LongSeries]:
    """By analyte the series of more than LONG results."""
    only = {"patient_id": patient_id}
    found = cursor.execute(queries.LONG_ANALYTES.format(standing=standing), only | {"long": LONG}).fetchall()
    series = queries.LONG_SERIES.format(standing=standing)
    return {analyte: _series(cursor, series, only | {"analyte": analyte}) for (analyte,) in found}


def long_rows(cursor, series: LongSeries, shown: np.ndarray) -> list[dict]:
    """The records of a long series that are drawn (their places in it), as rows of `observation`."""
    if not len(shown):
        return []
    first, last = (series.at[place].item() for place in (shown[0], shown[-1]))
    last += timedelta(milliseconds=1)  # places are cut to the millisecond
    asked = {"ids": series.record_id[shown].tolist(), "first": first, "last": last}
    return [_observation(row) for row in fetch_rows(cursor, queries.CHOSEN_OBSERVATIONS, asked)]


def support(cursor, patient_id: str, evidence: frozenset[str]) -> tuple[list[dict], LongSeries | None]:
    """The rows of oxygen_support of a replay; of more than LONG those on which the support changes, the last of each day and the
    evidence, and the ratio of saturation to oxygen as a long series. Of more than LONG changes the extremes of each stretch."""
    only = {"patient_id": patient_id}
    many = cursor.execute("SELECT count(*) FROM oxygen_support WHERE patient_id = $patient_id", only).fetchone()[0]
    if many <= LONG:
        return fetch_rows(cursor, queries.SUPPORT, only), None
    asked = only | {"evidence": [int(one) for one in evidence], "most": LONG, "stretches": DRAWN // 2}
    changes = fetch_rows(cursor, queries.SUPPORT_CHANGES, asked)
    return changes, _series(cursor, queries.RATIO_SERIES, only)


def ratio_rows(cursor, table: str, patient_id: str, series: LongSeries, shown: np.ndarray) -> list[dict]:
    """The rows of the ratio that are drawn, from a table in the form of oxygen_support."""
    asked = {"patient_id": patient_id, "ids": series.record_id[shown].tolist()}
    return fetch_rows(cursor, queries.CHOSEN_RATIOS.format(table=table), asked)


def with_sources(rows: list[dict], observed: list[dict]) -> list[dict]:
    """Rows of a concept with the moment they are drawn at and the file and line of the first of their records."""
    sources = {row["record_id"]: source_of(row, ":") for row in observed}
    return [
        row
        | {
            "at": moment(row["at"] or row["on_date"]),
            "source": next((sources[record_id] for record_id in row["evidence"] if record_id in sources), ""),
        }
        for row in rows
    ]


def _series(cursor, sql: str, parameters: dict) -> LongSeries | None:
    columns = cursor.execute(sql, parameters).fetchnumpy()
    value = columns["value"]
    filled = value.filled(float("nan")) if hasattr(value, "filled") else value
    return LongSeries(columns["at"].astype("M8[ms]"), filled, columns["record_id"]) if len(filled) else None


def _observation(row: dict) -> dict:
    """One date for the axis; a partial date stands on its last day and says what it may mean."""
    partial = row["at_low"] != row["at_high"]
    shown = f"{row['at_low']:%Y-%m-%d} to {row['at_high']:%Y-%m-%d}" if partial else None
    return row | {"at": moment(row["at_high"] if row["at_timed"] else row["at_high"].date()), "partial": shown}
