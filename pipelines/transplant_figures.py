"""How many of those who ever met a condition were referred, and after how many days: this store beside what was published.

Two definitions side by side. The published one asks who met lung-function criteria; ours asks who met any trigger of the referral clock.
"""

from datetime import date

import duckdb

from pipelines.catalog import catalog
from pipelines.findings import fetch_rows, thresholds
from pipelines.recorded import DEATHS
from pipelines.transplant_board import CLOCK, check_clock

FEWEST = 5  # project default: of fewer patients there is no percentage, only the counts
DEFINITIONS = {
    "lung_function": "Lung-function criteria ever met (as published)",
    "any_trigger": "Any trigger ever met (referral, early referral, urgent transfer)",
}

FIGURES = f"""
    WITH died AS ({DEATHS}),
    clock AS (
        SELECT patient_id, first_met, CASE WHEN referred_on <= $day THEN referred_on END AS referred_on,
            coalesce(not_needed_on <= $day, FALSE) AS not_needed
        FROM concept.{CLOCK} WHERE trigger = 'any'),
    met AS (
        SELECT patient_id, 'any_trigger' AS definition, first_met FROM clock WHERE first_met <= $day
        UNION ALL
        SELECT patient_id, 'lung_function', min(from_date) FROM result.spell
        WHERE criterion IN ('referral_lung_function', 'referral_decline') AND status = 'met' AND from_date <= $day
        GROUP BY patient_id),
    counted AS (
        SELECT definition, referred_on IS NOT NULL AS referred, coalesce(referred_on < met.first_met, FALSE) AS before,
            died_on IS NOT NULL AS died, coalesce(not_needed, FALSE) AS not_needed,
            greatest(0, date_diff('day', met.first_met, coalesce(referred_on, $day))) AS days
        FROM met LEFT JOIN clock USING (patient_id) LEFT JOIN died USING (patient_id))
    SELECT definition, count(*) AS patients, count(*) FILTER (referred) AS referred, count(*) FILTER (referred AND before) AS before,
        median(days) FILTER (referred) AS days_to_referral,
        count(*) FILTER (NOT referred AND died) AS died,
        count(*) FILTER (NOT referred AND NOT died AND not_needed) AS not_needed,
        count(*) FILTER (NOT referred AND NOT died AND NOT not_needed) AS waiting,
        median(days) FILTER (NOT referred AND NOT died AND NOT not_needed) AS days_waiting
    FROM counted GROUP BY definition"""


def referral_figures(cursor: duckdb.DuckDBPyConnection, as_of: date) -> dict:
    """`rows`: for each of DEFINITIONS definition, title, patients, referred, before (of them referred first: 0 days), percent (None of
    fewer than FEWEST), days_to_referral (median of those referred), waiting (neither referred, died nor said to be no longer in need) and
    days_waiting (their median to the as-of day), died and not_needed (without a referral). `published`: the same of the paper: patients,
    percent, days, citation, doi. Days are whole or halves. Raises Refusal as `board`.
    """
    check_clock(cursor)
    found = {row["definition"]: row for row in fetch_rows(cursor.execute(FIGURES, {"day": as_of}))}
    return {"rows": [_row(definition, found.get(definition)) for definition in DEFINITIONS], "published": published()}


def _row(definition: str, counted: dict | None) -> dict:
    none = dict.fromkeys(("patients", "referred", "before", "died", "not_needed", "waiting"), 0)
    row = counted or none | {"days_to_referral": None, "days_waiting": None}
    percent = round(100 * row["referred"] / row["patients"], 1) if row["patients"] >= FEWEST else None
    return {"definition": definition, "title": DEFINITIONS[definition], "percent": percent} | row


def published() -> dict:
    """What was published, with its source: patients, percent, days, citation, doi, tag."""
    told = {line["name"]: line for line in thresholds(catalog().concepts[CLOCK])}
    return {
        "patients": told["published_patients"]["value"],
        "percent": told["published_referred"]["value"],
        "days": told["published_days"]["value"],
        "citation": told["published_days"]["citation"],
        "doi": told["published_days"]["doi"],
        "tag": told["published_days"]["tag"],
    }
