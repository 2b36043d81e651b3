"""How an analyte ran in the other patients of a store: percentiles on the days around each patient's start of therapy.

Reads one published snapshot through a cursor, set-wise for everyone, and judges nothing: no rule reads a band. Day 0 is the start of
triple therapy, else of combination therapy, that stands at the end of the record (or on an earlier day asked for): the latest one after a
gap of treatment. A step is a day and the six before it; of each patient its last value counts, so that the step of day 0 has the last
value before therapy. Results are judged as everywhere: standing versions, final, corrected or amended.

Left out, for they cannot be placed: results of a partial date, a patient in a step on whose last day results differ and no time tells
which is the last, and patients whose therapy starts with a dose of a partial date.
"""

from collections.abc import Iterable
from datetime import date

import duckdb

from pipelines import dictionary
from pipelines.engines.inputs import JUDGED
from pipelines.recorded import DEATHS, is_kept

# Project defaults: no publication says how to compare a patient with a cohort of this disease.
FIRST_DAY, LAST_DAY, STEP_DAYS = -28, 180, 7
DAYS = tuple(range(FIRST_DAY, LAST_DAY + 1, STEP_DAYS))
PERCENTILES = (10, 25, 50, 75, 90)
FEWEST_PATIENTS = 5  # fewer could be told apart

OUTCOMES = {  # as events of kind 'outcome' say; an absent record is no survival
    "died": "death recorded",
    "off_oxygen": "off oxygen recorded, no death recorded",
    "not_recorded": "no outcome recorded",
}
# Results compared only within one assay, laboratory and sample timing (rulebook, "What counts").
WITHIN_ASSAY = frozenset(("kl6", "ciclosporin_level", "tacrolimus_level"))
OXYGENATION = frozenset(("spo2", "sao2", "pao2", "aado2", "fio2", "oxygen_flow"))
NO_CLOCKS = "this store was judged before starts of therapy were kept: the next load judges it again"

# series: within what a result may be compared with another patient's; NULL where that is not printed.
SERIES = """CASE within
    WHEN 'assay' THEN CASE WHEN coalesce(assay, laboratory) IS NOT NULL THEN concat_ws(', ',
        coalesce('assay ' || assay, 'laboratory ' || laboratory || ', assay not named'), sample_timing) END
    WHEN 'reference_set' THEN 'reference set ' || reference_set
    ELSE '' END"""

# The results that may be compared: numbers in the one unit of their analyte, at rest, before a bronchodilator.
COUNTED = f"""{JUDGED} AND known_until IS NULL AND low IS NOT NULL AND coalesce(activity, 'rest') = 'rest'
    AND coalesce(phase, 'pre') = 'pre' AND CAST(at_high AS DATE) <= $as_of"""

MEMBERS = f"""
    WITH clock AS (
        SELECT patient_id, clock, day0, evidence FROM concept.therapy_clock
        WHERE applies_from <= $as_of AND coalesce(applies_to, DATE '9999-12-31') > $as_of
        QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY clock = 'triple' DESC, day0 DESC) = 1
    ),
    partly_dated AS (
        SELECT named.patient_id FROM (SELECT patient_id, unnest(evidence) AS record_id FROM clock) AS named
        JOIN record.administration AS given ON given.record_id = named.record_id AND given.start_low <> given.start_high
    ),
    death AS ({DEATHS.replace("$day", "$as_of")}),
    ended AS (
        SELECT DISTINCT patient_id FROM record.event
        WHERE kind = 'outcome' AND {JUDGED} AND known_until IS NULL AND CAST(at_high AS DATE) <= $as_of
    )
    SELECT clock.patient_id, clock, day0,
        CASE WHEN died_on IS NOT NULL THEN 'died' WHEN ended.patient_id IS NOT NULL THEN 'off_oxygen' ELSE 'not_recorded' END AS outcome,
        clock.patient_id IN (SELECT patient_id FROM partly_dated) AS partly_dated
    FROM clock LEFT JOIN ended ON ended.patient_id = clock.patient_id LEFT JOIN death ON death.patient_id = clock.patient_id
    WHERE clock.patient_id IS DISTINCT FROM $leaving_out"""

ASKED = (
    "SELECT unnest($analytes) AS analyte, unnest($units) AS unit, unnest($within) AS within, unnest($series) AS series"
)

# high NULL: unbounded.
STEPS = f"""
    WITH asked AS ({ASKED}),
    member AS (FROM ({MEMBERS}) WHERE NOT partly_dated AND coalesce(outcome = $outcome, TRUE)),
    placed AS (
        SELECT analyte, patient_id, low, high, at_high, at_timed, CAST(at_high AS DATE) AS day,
            CAST(ceil(date_diff('day', day0, CAST(at_high AS DATE)) / {STEP_DAYS}.0) AS INTEGER) * {STEP_DAYS} AS step
        FROM record.observation JOIN asked USING (analyte, unit) JOIN member USING (patient_id)
        WHERE {COUNTED} AND CAST(at_low AS DATE) = CAST(at_high AS DATE) AND {SERIES} = series
            AND date_diff('day', day0, CAST(at_high AS DATE)) BETWEEN {DAYS[0] - STEP_DAYS + 1} AND {DAYS[-1]}
    ),
    last_day AS (
        FROM placed QUALIFY day = max(day) OVER (PARTITION BY analyte, patient_id, step)
    ),
    last_time AS (
        FROM last_day
        QUALIFY NOT at_timed OR at_high = max(CASE WHEN at_timed THEN at_high END) OVER (PARTITION BY analyte, patient_id, step)
    ),
    last AS (
        SELECT analyte, step, patient_id, CAST(min(low) AS DOUBLE) AS low, CAST(min(high) AS DOUBLE) AS high
        FROM last_time GROUP BY analyte, step, patient_id
        HAVING min(low) = max(low) AND count(high) IN (0, count(*)) AND min(high) IS NOT DISTINCT FROM max(high)
    ),
    listed AS (
        SELECT analyte, step, count(*) AS n, list(low ORDER BY low) AS lows, list(high ORDER BY high NULLS LAST) AS highs
        FROM last GROUP BY analyte, step
    )
    SELECT analyte, step, n, {{percentiles}} FROM listed ORDER BY analyte, step"""


def _percentile(ends: str, percent: int) -> str:
    """A percentile of a sorted list, linear between neighbours, as SQL: counted in whole hundredths, so that a value which is the
    percentile by itself is not touched by an unbounded neighbour. NULL: unbounded."""
    place, part = f"({percent} * (n - 1)) // 100", f"({percent} * (n - 1)) % 100"
    first, second = f"{ends}[{place} + 1]", f"{ends}[{place} + 2]"
    between = f"CASE WHEN {part} = 0 THEN {first} ELSE {first} + ({second} - {first}) * ({part}) / 100.0 END"
    return f"CASE WHEN n >= {FEWEST_PATIENTS} THEN round({between}, 6) END"


QUERY = STEPS.format(
    percentiles=", ".join(
        f"{_percentile(ends, percent)} AS p{percent}_{end}"
        for percent in PERCENTILES
        for end, ends in (("low", "lows"), ("high", "highs"))
    )
)
NAMES = [f"p{percent}_{end}" for percent in PERCENTILES for end in ("low", "high")]


def bands(
    cursor: duckdb.DuckDBPyConnection,
    analytes: Iterable[str],
    outcome: str | None = None,
    leaving_out: str | None = None,
    as_of: date | None = None,
) -> dict[str, list[dict]]:
    """By analyte, one row for each of DAYS: analyte, unit (UCUM), series, day, n (patients), refused, and where n is at least
    FEWEST_PATIENTS p10_low, p10_high, ... p90_high, with `open`: the percentiles that are only known to lie in [low, high], because
    results there are beyond an assay's limit (high None: unbounded).

    `outcome` is one of OUTCOMES, None: everyone. `leaving_out` is the patient shown: of what is compared within one assay or reference
    set only, its last result says which. `as_of`: what is dated later is not read. An analyte that cannot be compared has one row, with
    day None and the reason in `refused`. Raises ValueError for an outcome or analyte that does not exist.
    """
    if outcome is not None and outcome not in OUTCOMES:
        raise ValueError(f"there is no outcome group '{outcome}'; known: {', '.join(OUTCOMES)}")
    reasons = {analyte: _never(analyte) for analyte in dict.fromkeys(analytes)}
    asked = {analyte: _within(analyte) for analyte, reason in reasons.items() if reason is None}
    if asked and not is_kept(cursor, "therapy_clock"):
        reasons |= dict.fromkeys(asked, NO_CLOCKS)
        asked = {}
    until = as_of or date(9999, 12, 30)
    series = _series(cursor, asked, leaving_out, until)
    reasons |= {analyte: _not_named(within) for analyte, within in asked.items() if series[analyte] is None}
    asked = {analyte: within for analyte, within in asked.items() if series[analyte] is not None}
    found = _steps(cursor, asked, series, {"outcome": outcome, "leaving_out": leaving_out, "as_of": until})
    return {
        analyte: [_row(analyte, series[analyte], day, found.get((analyte, day))) for day in DAYS]
        if reason is None
        else [_refused(analyte, None, None, reason)]
        for analyte, reason in reasons.items()
    }


def cohort(cursor: duckdb.DuckDBPyConnection, leaving_out: str | None = None, as_of: date | None = None) -> dict:
    """Who is aligned: `others` (patients of the store but the one left out), `partly_dated` (left out, their start has a partial
    date), and by outcome group `patients` and `triple`, how many of these on triple therapy."""
    groups = dict.fromkeys(OUTCOMES, 0)
    known = {"others": 0, "partly_dated": 0, "patients": groups.copy(), "triple": groups.copy()}
    known["others"] = cursor.execute(
        "SELECT count(*) FROM record.patient WHERE patient_id IS DISTINCT FROM $leaving_out",
        {"leaving_out": leaving_out},
    ).fetchone()[0]
    if not is_kept(cursor, "therapy_clock"):
        return known
    for outcome, partly_dated, triple, patients in cursor.execute(
        f"SELECT outcome, partly_dated, count(*) FILTER (clock = 'triple'), count(*) FROM ({MEMBERS}) GROUP BY outcome, partly_dated",
        {"leaving_out": leaving_out, "as_of": as_of or date(9999, 12, 30)},
    ).fetchall():
        if partly_dated:
            known["partly_dated"] += patients
        else:
            known["patients"][outcome], known["triple"][outcome] = patients, triple
    return known


def _never(analyte: str) -> str | None:
    """Why an analyte is compared between patients in no store, if so."""
    if analyte not in dictionary.analytes():
        raise ValueError(f"there is no analyte '{analyte}'")
    block = dictionary.analytes()[analyte]
    if block["value_kind"] == "coded":
        return "its results are words, which have no percentiles"
    if block["value_kind"] == "either" and block["unit"]:
        return "some of its results are words: percentiles of the numbers alone would leave them out"
    if analyte in OXYGENATION:
        return "it depends on the oxygen given, which differs between patients"
    if block["unit"] is None:
        return "each assay has a unit of its own, never converted: results of different patients are not on one scale"
    if f"{analyte}_percent" in dictionary.analytes():
        return "it depends on sex, age and height: only its % predicted is compared"
    return None


def _within(analyte: str) -> str | None:
    """What results of an analyte must share to be compared."""
    if analyte in WITHIN_ASSAY:
        return "assay"
    return "reference_set" if "% predicted" in dictionary.analytes()[analyte]["title"] else None


def _not_named(within: str | None) -> str:
    what = "the assay or laboratory" if within == "assay" else "the reference set"
    return f"compared only within one: no result of this patient names {what}"


def _series(
    cursor: duckdb.DuckDBPyConnection, asked: dict[str, str | None], patient_id: str | None, until: date
) -> dict[str, str | None]:
    """Within what each analyte is compared: as the patient's last result that counts says; '' where anything may be."""
    series: dict[str, str | None] = {analyte: None if within else "" for analyte, within in asked.items()}
    if None in series.values():
        limited = [analyte for analyte, within in asked.items() if within]
        found = cursor.execute(
            f"""SELECT analyte, arg_max({SERIES}, (at_high, record_id)) FROM record.observation
            JOIN (SELECT unnest($analytes) AS analyte, unnest($within) AS within) AS asked USING (analyte)
            WHERE patient_id = $patient_id AND {COUNTED} AND {SERIES} IS NOT NULL GROUP BY analyte""",
            {"analytes": limited, "within": [asked[one] for one in limited], "patient_id": patient_id, "as_of": until},
        )
        series |= dict(found.fetchall())
    return series


def _steps(
    cursor: duckdb.DuckDBPyConnection, asked: dict[str, str | None], series: dict[str, str | None], chosen: dict
) -> dict[tuple[str, int], tuple]:
    """(n, p10_low, ...) by analyte and day, of the days on which any patient has a value."""
    if not asked:
        return {}
    found = cursor.execute(
        QUERY,
        {
            "analytes": list(asked),
            "units": [dictionary.analytes()[analyte]["unit"] for analyte in asked],
            "within": [within or "" for within in asked.values()],
            "series": [series[analyte] for analyte in asked],
            **chosen,
        },
    )
    return {(analyte, day): tuple(rest) for analyte, day, *rest in found.fetchall()}


def _row(analyte: str, series: str | None, day: int, found: tuple | None) -> dict:
    n, *ends = found or (0,)
    if n < FEWEST_PATIENTS:
        return _refused(analyte, series, day, f"fewer than {FEWEST_PATIENTS} patients", n)
    known = dict(zip(NAMES, ends, strict=True))
    is_open = [percent for percent in PERCENTILES if known[f"p{percent}_low"] != known[f"p{percent}_high"]]
    return _head(analyte, series, day, n) | {"refused": None, "open": is_open} | known


def _refused(analyte: str, series: str | None, day: int | None, reason: str, n: int | None = None) -> dict:
    return _head(analyte, series, day, n) | {"refused": reason, "open": []} | dict.fromkeys(NAMES)


def _head(analyte: str, series: str | None, day: int | None, n: int | None) -> dict:
    unit = dictionary.analytes()[analyte]["unit"]
    return {"analyte": analyte, "unit": unit, "series": series or None, "day": day, "n": n}
