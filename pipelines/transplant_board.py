"""The transplant board: of everyone at once, who meets a condition for referral or listing, since when, and how long a clock has run.

What is met and since when is read from the answers in the store (`result.spell`), the clocks from the kept concept `referral_clock`;
both count only what had happened by the as-of day. A patient is on the board on whom a trigger stands met, on whom one ever was while no
referral is recorded, or whose referral is under way. A barrier stands beside a trigger: it hides none and moves nobody.
"""

from datetime import date

import duckdb

from pipelines.errors import Refusal
from pipelines.findings import fetch_rows
from pipelines.transplant_actions import open_actions
from pipelines.transplant_status import STATUS, STATUS_ORDER

TRIGGERS = (
    "urgent_transfer",
    "transplant_listing",
    "transplant_referral",
    "transplant_early_referral",
    "ecmo_consideration",
)
REFERRAL_CONDITIONS = ("referral_oxygen", "referral_lung_function", "referral_decline", "referral_refractory")
LISTING_CONDITIONS = ("listing_decline", "listing_walk", "listing_events")
BARRIERS = "transplant_barriers"
CLOCK = "referral_clock"
UNDER_WAY = ("work_up", "referred", "accepted", "listed")

BANDS = (
    ("urgent", "Urgent transfer stands met"),
    ("listing", "A listing criterion stands met"),
    ("waiting", "Referral clock running, no referral recorded"),
    ("referred", "Work-up, referral or its answer recorded"),
    ("closed", "Transplanted, no longer needed, or died"),
)
BAND_WORDS = dict(BANDS)
ORDER_SENTENCE = (
    "Urgent transfer standing first, then listing criteria met, then the longest referral clock without a referral, then those with a "
    "referral recorded; transplanted, no longer needed and died last. In each, the longest running clock is on top. Barriers move nobody. "
    "Who was no longer in need comes back when a condition is newly met."
)

# `standing`: what stands on the day. What is missing was said on the last day judged; where that is later, it is not told here.
BOARD = f"""
    WITH answer AS (
        SELECT patient_id, criterion, item, status, grade, from_date, until_date, last_judged, missing FROM result.spell
        WHERE from_date <= $day AND list_contains($criteria, criterion)),
    standing AS (
        SELECT patient_id, criterion, item, status, grade, from_date AS since, CASE WHEN last_judged <= $day THEN missing END AS missing
        FROM answer WHERE until_date IS NULL OR until_date > $day),
    now AS (
        SELECT patient_id,
            list({{'criterion': criterion, 'since': since}} ORDER BY list_position($criteria, criterion))
                FILTER (status = 'met' AND criterion <> '{BARRIERS}') AS met,
            list({{'criterion': criterion, 'missing': missing}} ORDER BY list_position($criteria, criterion))
                FILTER (status = 'not_evaluable' AND criterion <> '{BARRIERS}') AS unknown,
            list({{'item': item, 'grade': grade, 'since': since}} ORDER BY grade DESC, item)
                FILTER (status = 'met' AND criterion = '{BARRIERS}') AS barriers,
            list(item ORDER BY item) FILTER (status = 'not_evaluable' AND criterion = '{BARRIERS}' AND item IS NOT NULL)
                AS barriers_unknown,
            max(since) FILTER (status = 'met' AND list_contains($triggers, criterion)) AS newest_trigger,
            count(*) FILTER (status = 'met' AND list_contains($triggers, criterion)) > 0 AS triggered,
            count(*) FILTER (status = 'met' AND criterion = 'urgent_transfer') > 0 AS urgent,
            count(*) FILTER (status = 'met' AND criterion = 'transplant_listing') > 0 AS listing
        FROM standing GROUP BY patient_id),
    once AS (
        SELECT patient_id, criterion, min(from_date) AS first_met, max(until_date) AS ceased,
            count(*) FILTER (until_date IS NULL OR until_date > $day) > 0 AS stands
        FROM answer WHERE status = 'met' AND criterion <> '{BARRIERS}' GROUP BY patient_id, criterion),
    ceased AS (
        SELECT patient_id,
            list({{'criterion': criterion, 'first_met': first_met, 'ceased': ceased}} ORDER BY list_position($criteria, criterion))
                FILTER (NOT stands) AS no_longer_met,
            count(*) FILTER (list_contains($triggers, criterion)) > 0 AS ever
        FROM once GROUP BY patient_id),
    died AS (
        SELECT patient_id, CAST(min(at_high) AS DATE) AS died_on FROM record.event
        WHERE kind = 'outcome' AND code = 'death' AND known_until IS NULL AND status IN ('final', 'corrected', 'amended')
            AND CAST(at_high AS DATE) <= $day
        GROUP BY patient_id),
    counted AS (
        SELECT patient_id, trigger, first_trigger, first_met, CASE WHEN referred_on <= $day THEN referred_on END AS ended_on,
            CASE WHEN referred_on <= $day THEN referred_as END AS ended_as, least($day, coalesce(died_on, $day)) AS reached
        FROM concept.{CLOCK} LEFT JOIN died USING (patient_id) WHERE first_met <= $day),
    clock AS (
        SELECT patient_id,
            list({{'trigger': trigger, 'first_met': first_met,
                'days': greatest(0, date_diff('day', first_met, coalesce(ended_on, reached)))}} ORDER BY first_met, trigger)
                FILTER (trigger <> 'any') AS clocks,
            min(first_met) AS first_met, any_value(first_trigger) FILTER (trigger = 'any') AS first_trigger,
            greatest(0, date_diff('day', min(first_met), coalesce(any_value(ended_on), any_value(reached)))) AS days,
            any_value(ended_on) AS referred_on, any_value(ended_as) AS referred_as
        FROM counted GROUP BY patient_id),
    status AS ({STATUS}),
    told AS (
        SELECT patient.patient_id, site, died_on,
            coalesce(met, []) AS met, coalesce(unknown, []) AS unknown, coalesce(no_longer_met, []) AS no_longer_met,
            coalesce(barriers, []) AS barriers, coalesce(barriers_unknown, []) AS barriers_unknown,
            clocks, clock.first_met, first_trigger, days, referred_on, referred_as,
            coalesce(code, 'not_discussed') AS status, status_on, status_text, status_file, status_line, status_record, discussed_on,
            newest_trigger, coalesce(triggered, FALSE) AS triggered, coalesce(urgent, FALSE) AS urgent, coalesce(listing, FALSE) AS listing,
            coalesce(ever, FALSE) AS ever,
            CASE
                WHEN died_on IS NOT NULL THEN 'died'
                WHEN code = 'transplanted' THEN 'transplanted'
                WHEN code = 'not_needed' AND NOT coalesce(newest_trigger > status_on, FALSE) THEN 'not_needed'
            END AS closed_because
        FROM record.patient AS patient
        LEFT JOIN now USING (patient_id) LEFT JOIN ceased USING (patient_id) LEFT JOIN died USING (patient_id)
        LEFT JOIN clock USING (patient_id) LEFT JOIN status USING (patient_id))
    SELECT * EXCLUDE (newest_trigger, triggered, urgent, listing, ever),
        days IS NOT NULL AND referred_on IS NULL AND died_on IS NULL AS running,
        CASE
            WHEN closed_because IS NOT NULL THEN 'closed'
            WHEN urgent THEN 'urgent'
            WHEN listing THEN 'listing'
            WHEN referred_on IS NULL AND NOT list_contains($under_way, status) THEN 'waiting'
            ELSE 'referred'
        END AS band,
        list_position($bands, band) AS place
    FROM told
    WHERE triggered OR (ever AND referred_on IS NULL) OR list_contains($under_way, status)
    ORDER BY place, running DESC, days DESC NULLS LAST, patient_id"""


def board(cursor: duckdb.DuckDBPyConnection, as_of: date) -> list[dict]:
    """The board as of a day, in its order, one dict per patient:

    patient_id, site, band (a key of BANDS), closed_because (died, transplanted, not_needed or None), died_on; met (criterion, since: the
    first day of its unbroken run), unknown (criterion, missing: what would settle it, None where only the records of the patient tell),
    no_longer_met (criterion, first_met, ceased); barriers (item, grade 3 to 1, since), barriers_unknown (items); first_met,
    first_trigger, days (whole days to the referral, to the death, or to the as-of day; 0 where the referral came first; None: no clock),
    running, clocks (trigger, first_met, days), referred_on, referred_as; status (a code of `transplant_status`), status_on, status_text,
    status_file, status_line, status_record, discussed_on; next_action: the first of `transplant_actions.open_actions`, or None.

    Raises Refusal where a store was judged before the clocks were kept.
    """
    check_clock(cursor)
    rows = fetch_rows(
        cursor.execute(
            BOARD,
            {
                "day": as_of,
                "criteria": [*TRIGGERS, *REFERRAL_CONDITIONS, *LISTING_CONDITIONS, BARRIERS],
                "triggers": list(TRIGGERS),
                "under_way": list(UNDER_WAY),
                "bands": [band for band, _ in BANDS],
                "steps": list(STATUS_ORDER),
            },
        )
    )
    actions = open_actions(cursor, as_of)
    for row in rows:
        row["next_action"] = actions.get(row["patient_id"], [None])[0]
        row["status_record"] = row["status_record"] and str(row["status_record"])
    return rows


def check_clock(cursor: duckdb.DuckDBPyConnection) -> None:
    """Raises Refusal where a store was judged before the clocks were kept."""
    kept = "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'concept' AND table_name = $name"
    if not cursor.execute(kept, {"name": CLOCK}).fetchone():
        raise Refusal(
            "This store was judged before referral clocks were kept for everyone.",
            hint="Load a file, or run: python -m pipelines rebuild",
        )
