"""The transplant board: of everyone at once, who meets a condition for referral or listing, since when, and how long a clock has run.

What is met and since when is read from the answers in the store (`result.spell`), the clocks from the kept concept `referral_clock`;
both count only what had happened by the as-of day. A patient is on the board on whom a trigger stands met, on whom one ever was while no
referral is recorded, or whose referral is under way. A barrier stands beside a trigger: it hides none and moves nobody.
"""

from datetime import date

import duckdb

from pipelines.errors import Refusal
from pipelines.findings import fetch_rows
from pipelines.recorded import DEATHS, LAST_DAYS, is_kept
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
CRITERIA = [*TRIGGERS, *REFERRAL_CONDITIONS, *LISTING_CONDITIONS, BARRIERS]  # in the order in which they are told
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

# Where everyone stands. A clock ends with the first referral by the day, else the counting with the death or the day.
PLACED = f"""
    WITH answer AS (
        SELECT patient_id, criterion, status, from_date, until_date IS NULL OR until_date > $day AS stands FROM result.spell
        WHERE from_date <= $day AND status = 'met' AND list_contains($triggers, criterion)),
    met AS (
        SELECT patient_id, count(*) FILTER (stands) > 0 AS triggered, max(from_date) FILTER (stands) AS newest_trigger,
            count(*) FILTER (stands AND criterion = 'urgent_transfer') > 0 AS urgent,
            count(*) FILTER (stands AND criterion = 'transplant_listing') > 0 AS listing
        FROM answer GROUP BY patient_id),
    died AS ({DEATHS}),
    recorded AS ({LAST_DAYS}),
    clock AS (
        SELECT patient_id, first_met, first_trigger, CASE WHEN referred_on <= $day THEN referred_on END AS ended_on,
            CASE WHEN referred_on <= $day THEN referred_as END AS ended_as
        FROM concept.{CLOCK} WHERE trigger = 'any' AND first_met <= $day),
    status AS ({STATUS}),
    told AS (
        SELECT patient.patient_id, site, last_day, date_diff('day', last_day, $day) AS last_day_ago, died_on,
            first_met, first_trigger, ended_on AS referred_on, ended_as AS referred_as,
            CASE WHEN first_met IS NOT NULL  -- greatest passes over NULL
                THEN greatest(0, date_diff('day', first_met, coalesce(ended_on, died_on, $day))) END AS days,
            coalesce(code, 'not_discussed') AS status, status_on, status_text, status_file, status_line, status_record, discussed_on,
            coalesce(triggered, FALSE) AS triggered, coalesce(urgent, FALSE) AS urgent, coalesce(listing, FALSE) AS listing,
            met.patient_id IS NOT NULL AS ever,
            CASE
                WHEN died_on IS NOT NULL THEN 'died'
                WHEN code = 'transplanted' THEN 'transplanted'
                WHEN code = 'not_needed' AND NOT coalesce(newest_trigger > status_on, FALSE) THEN 'not_needed'
            END AS closed_because
        FROM record.patient AS patient
        LEFT JOIN met USING (patient_id) LEFT JOIN died USING (patient_id) LEFT JOIN recorded USING (patient_id)
        LEFT JOIN clock USING (patient_id) LEFT JOIN status USING (patient_id))
    SELECT * EXCLUDE (triggered, urgent, listing, ever),
        days IS NOT NULL AND referred_on IS NULL AND died_on IS NULL AS running,
        CASE
            WHEN closed_because IS NOT NULL THEN 'closed'
            WHEN urgent THEN 'urgent'
            WHEN listing THEN 'listing'
            WHEN referred_on IS NULL AND NOT list_contains($under_way, status) THEN 'waiting'
            ELSE 'referred'
        END AS band
    FROM told
    WHERE triggered OR (ever AND referred_on IS NULL) OR list_contains($under_way, status)
    ORDER BY list_position($bands, band), running DESC, days DESC NULLS LAST, patient_id"""

# What is told of some patients. What is missing was said on the last day judged; where that is later than the day, it is not told here.
# The lists are put in order when they are read: to order them here costs seconds of everyone.
TOLD = f"""
    WITH answer AS (
        SELECT patient_id, criterion, item, status, grade, from_date, until_date, until_date IS NULL OR until_date > $day AS stands,
            CASE WHEN last_judged <= $day THEN missing END AS missing
        FROM result.spell
        WHERE from_date <= $day AND list_contains($criteria, criterion) AND patient_id IN (SELECT unnest($patients))),
    now AS (
        SELECT patient_id,
            list({{'criterion': criterion, 'since': from_date}}) FILTER (status = 'met' AND criterion <> '{BARRIERS}') AS met,
            list({{'criterion': criterion, 'missing': missing}}) FILTER (status = 'not_evaluable' AND criterion <> '{BARRIERS}') AS unknown,
            list({{'item': item, 'grade': grade, 'since': from_date}}) FILTER (status = 'met' AND criterion = '{BARRIERS}') AS barriers,
            list(item) FILTER (status = 'not_evaluable' AND criterion = '{BARRIERS}' AND item IS NOT NULL) AS barriers_unknown
        FROM answer WHERE stands GROUP BY patient_id),
    once AS (
        SELECT patient_id, criterion, min(from_date) AS first_met, max(until_date) AS ceased FROM answer
        WHERE status = 'met' AND criterion <> '{BARRIERS}' GROUP BY patient_id, criterion HAVING count(*) FILTER (stands) = 0),
    ceased AS (
        SELECT patient_id, list({{'criterion': criterion, 'first_met': first_met, 'ceased': ceased}}) AS no_longer_met
        FROM once GROUP BY patient_id),
    clock AS (
        SELECT patient_id, list({{'trigger': trigger, 'first_met': first_met, 'referred_on': referred_on}}) AS clocks
        FROM concept.{CLOCK} WHERE trigger <> 'any' AND first_met <= $day AND patient_id IN (SELECT unnest($patients)) GROUP BY patient_id)
    SELECT patient_id, met, unknown, barriers, barriers_unknown, no_longer_met, clocks
    FROM now LEFT JOIN ceased USING (patient_id) LEFT JOIN clock USING (patient_id)"""


def board(cursor: duckdb.DuckDBPyConnection, as_of: date) -> list[dict]:
    """The board as of a day, in its order, one dict per patient: what `placed` and `told` say."""
    return told(cursor, placed(cursor, as_of), as_of)


def placed(cursor: duckdb.DuckDBPyConnection, as_of: date) -> list[dict]:
    """Everyone on the board in its order, with where the patient stands:

    patient_id, site, last_day (of its records up to the day) and last_day_ago (days), band (a key of BANDS), closed_because (died,
    transplanted, not_needed or None), died_on; first_met, first_trigger, days (whole days to the referral, to the death, or to the as-of
    day; 0 where the referral came first; None: no clock), running, referred_on, referred_as; status (a code of `transplant_status`),
    status_on, status_text, status_file, status_line, status_record, discussed_on. Raises Refusal where a store was judged before the
    clocks were kept.
    """
    check_clock(cursor)
    asked = {
        "day": as_of,
        "triggers": list(TRIGGERS),
        "under_way": list(UNDER_WAY),
        "bands": [band for band, _ in BANDS],
        "steps": list(STATUS_ORDER),
    }
    rows = fetch_rows(cursor.execute(PLACED, asked))
    for row in rows:
        row["status_record"] = row["status_record"] and str(row["status_record"])
    return rows


def told(cursor: duckdb.DuckDBPyConnection, rows: list[dict], as_of: date) -> list[dict]:
    """Rows of `placed` with what is told of each patient:

    met (criterion, since: the first day of its unbroken run), unknown (criterion, missing: what would settle it, None where only the
    records of the patient tell), no_longer_met (criterion, first_met, ceased), barriers (item, grade 3 to 1, since), barriers_unknown
    (items), clocks (trigger, first_met, days), next_action: the first of `transplant_actions.open_actions`, or None.
    """
    patients = [row["patient_id"] for row in rows]
    asked = {"day": as_of, "criteria": CRITERIA, "patients": patients}
    found = {row.pop("patient_id"): row for row in fetch_rows(cursor.execute(TOLD, asked))}
    actions = open_actions(cursor, as_of, patients)
    return [
        row
        | _in_order(found.get(row["patient_id"], {}), row["died_on"] or as_of)
        | {"next_action": actions.get(row["patient_id"], [None])[0]}
        for row in rows
    ]


def _in_order(lists: dict, reached: date) -> dict:
    """The lists of a patient, each in its order; a clock that no referral ended by the day is counted to the day reached."""
    made = {name: sorted(lists.get(name) or (), key=_place) for name in ("met", "unknown", "no_longer_met")}
    made["barriers"] = sorted(lists.get("barriers") or (), key=lambda one: (-one["grade"], one["item"]))
    made["barriers_unknown"] = sorted(lists.get("barriers_unknown") or ())
    clocks = sorted(lists.get("clocks") or (), key=lambda one: (one["first_met"], one["trigger"]))
    return made | {
        "clocks": [
            {
                "trigger": one["trigger"],
                "first_met": one["first_met"],
                "days": max(0, (min(one["referred_on"] or reached, reached) - one["first_met"]).days),
            }
            for one in clocks
        ]
    }


def _place(one: dict) -> int:
    return CRITERIA.index(one["criterion"])


def check_clock(cursor: duckdb.DuckDBPyConnection) -> None:
    """Raises Refusal where a store was judged before the clocks were kept."""
    if not is_kept(cursor, CLOCK):
        raise Refusal(
            "This store was judged before referral clocks were kept for everyone.",
            hint="Load a file, or run: python -m pipelines rebuild",
        )
