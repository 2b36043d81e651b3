"""What the worklist says of each patient on a page: a few queries for all of them at once, after `worklist.create_listed`."""

from datetime import date
from decimal import Decimal

import duckdb

from pipelines import alert_rules, entries, findings
from pipelines.catalog import catalog
from pipelines.recorded import is_kept

CURVE_POINTS = 24  # the last so many results of a sparkline
# What a flag is called in a review: the criterion, its item where it has several, and its grade.
FLAG = "criterion || coalesce('~' || item, '') || ':' || coalesce(CAST(grade AS VARCHAR), '')"
# That treatment has not begun is no missing test.
THERAPY = ("combination therapy", "therapy start")
OF_PAGE = "patient_id IN (SELECT patient_id FROM page)"

ACTING = """
    SELECT patient_id, unnest(list_distinct(agents)) AS agent FROM concept.immunosuppression
    WHERE from_date <= $day AND (to_date IS NULL OR to_date > $day)"""

PEOPLE = """
    SELECT page.patient_id, sex, birth_year, patient.site, "group", first_day, listed.last_day, records, state, corrected,
        CAST(date_diff('day', listed.last_day, CAST($day AS DATE)) AS INTEGER) AS silent_days, dead.died_on AS died,
        CAST(stale.expected_within AS INTEGER) AS expected_within, CAST(stale.arrival_days AS INTEGER) AS arrival_days,
        (SELECT max(file_id) FROM source.file) AS receipt
    FROM page JOIN record.patient AS patient USING (patient_id) JOIN listed USING (patient_id)
    LEFT JOIN result.patient_state USING (patient_id) LEFT JOIN dead USING (patient_id) LEFT JOIN stale USING (patient_id) ORDER BY place"""

# What is missing is that of the last day on which the run was judged.
ANSWERS = f"""
    SELECT patient_id, criterion, item, grade, status, from_date AS since, missing, alerting, {FLAG} AS flag,
        (patient_id, criterion, coalesce(item, '')) NOT IN (SELECT (patient_id, criterion, coalesce(item, '')) FROM held) AS fresh
    FROM result.spell AS spell JOIN rule USING (criterion)
    WHERE {OF_PAGE} AND from_date <= $day AND (until_date IS NULL OR until_date > $day)"""

OXYGEN = f"""
    SELECT patient_id, on_date, level, device, flow, fio2, fio2_source, spo2 FROM concept.oxygen_support
    WHERE level IS NOT NULL AND on_date <= $day AND {OF_PAGE}
    QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY on_date DESC, oxygen_support.at DESC NULLS LAST, level DESC) = 1"""

CURVES = f"""
    SELECT patient_id, analyte, list({{'day': day, 'value': value, 'low': low, 'high': high}} ORDER BY day, record_id) AS points FROM (
        SELECT patient_id, analyte, CAST(at_high AS DATE) AS day, value, low, high, record_id FROM record.observation
        WHERE {OF_PAGE} AND analyte IN ('ferritin', 'fvc_percent') AND low IS NOT NULL AND known_until IS NULL
            AND status IN ('final', 'corrected', 'amended') AND (phase IS NULL OR phase = 'pre') AND CAST(at_high AS DATE) <= $day
        QUALIFY row_number() OVER (PARTITION BY patient_id, analyte ORDER BY at_high DESC, record_id) <= $points)
    GROUP BY patient_id, analyte"""

# The one thing whose record would settle most of the conditions that cannot be told: a condition counts once, and as settled only
# where all its open answers miss this alone. What each of several readings of a missing thing is called does not matter.
SETTLING = """
    WITH open AS (SELECT patient_id, criterion, list_distinct(missing) AS missing FROM answer WHERE alerting AND status = 'not_evaluable'),
    whole AS (SELECT patient_id, criterion, count(*) AS answers FROM open GROUP BY ALL),
    asking AS (
        SELECT patient_id, criterion, thing, count(*) FILTER (alone) AS alone FROM (
            SELECT patient_id, criterion, unnest(missing) AS thing, len(missing) = 1 AS alone FROM open)
        WHERE thing NOT IN (SELECT unnest($therapy)) GROUP BY ALL)
    SELECT patient_id, thing, CAST(sum(CASE WHEN alone = answers THEN 1 ELSE 0 END) AS INTEGER) AS settles, count(*) AS asked_by
    FROM asking JOIN whole USING (patient_id, criterion) GROUP BY patient_id, thing
    QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY settles DESC, asked_by DESC, thing) = 1"""

# Facts that came since what was reviewed: those that were there in one version only are new, those of several were corrected or withdrawn.
SINCE = f"""
    WITH version AS (
        SELECT patient_id, fact_id, file_id, status FROM record.observation WHERE {OF_PAGE}
        UNION ALL SELECT patient_id, fact_id, file_id, status FROM record.administration WHERE {OF_PAGE}
        UNION ALL SELECT patient_id, fact_id, file_id, status FROM record.event WHERE {OF_PAGE}),
    fact AS (
        SELECT patient_id, fact_id, count(*) AS versions, max(file_id) AS last,
            bool_and(status IN ('entered_in_error', 'cancelled')) AS void
        FROM version GROUP BY patient_id, fact_id)
    SELECT patient_id, count(*) FILTER (versions = 1 AND NOT void) AS new, count(*) FILTER (versions > 1) AS corrected
    FROM fact JOIN review USING (patient_id) WHERE last > seen GROUP BY patient_id"""

URGENT = f"""
    SELECT patient_id, criterion, item, since, state FROM alert
    WHERE {OF_PAGE} AND rank = $urgent AND state IN ('open', 'reopened') ORDER BY since DESC, criterion, item"""

WAITING = f"SELECT patient_id, entry_id, what, due_on, text FROM due WHERE {OF_PAGE} ORDER BY due_on DESC, entry_id"


def agents_acting(cursor: duckdb.DuckDBPyConnection, as_of: date) -> tuple[str, ...]:
    """The classes of immunosuppressants that act on anybody on a day, by name."""
    if not is_kept(cursor, "immunosuppression"):
        return ()
    found = cursor.execute(f"SELECT DISTINCT agent FROM ({ACTING}) ORDER BY agent", {"day": as_of})
    return tuple(agent for (agent,) in found.fetchall())


def details(cursor: duckdb.DuckDBPyConnection, as_of: date, ids: list[str], curves: bool = True) -> list[dict]:
    """One dict per patient, in the order of `ids`: what PEOPLE names (silent_days from the last record that nobody typed; expected_within
    and arrival_days, from the last arrival to the latest of the store, of those of whom nothing new is heard), and

    oxygen (the last known support or None), ferritin and fvc (dicts day, value, low, high; only with `curves`), agents (classes acting),
    met (dicts criterion, item, grade, group, since, alerting, fresh: not held by the last review, or ceased and met again since),
    unknown (how many alerting criteria cannot be told), judged, settling (thing, settles, asked_by, or None), alerts (open and urgent:
    criterion, item, since, state), due (decisions: entry_id, what: due or check, due_on: from which day on, text), review (the entry,
    with `days` from its day to the as-of day, or None), new and corrected_records (since it), changed (some record was corrected or
    withdrawn since), lost (flags it held that are not met any more), frozen (what a review of this row holds).
    """
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE page AS SELECT unnest($1) AS patient_id, unnest(range(len($1))) AS place",
        [ids or [""]],
    )
    day = {"day": as_of}
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE answer AS {ANSWERS}", day)
    rows = {row["patient_id"]: row | _nothing() for row in _rows(cursor, PEOPLE, day)}
    _add_answers(cursor, rows)
    if is_kept(cursor, "oxygen_support"):
        for row in _rows(cursor, OXYGEN, day):
            rows[row["patient_id"]]["oxygen"] = {name: _plain(value) for name, value in row.items()}
    if is_kept(cursor, "immunosuppression"):
        for row in _rows(cursor, f"SELECT patient_id, agent FROM ({ACTING}) WHERE {OF_PAGE} ORDER BY agent", day):
            rows[row["patient_id"]]["agents"].append(row["agent"])
    for row in _rows(cursor, CURVES, day | {"points": CURVE_POINTS}) if curves else ():
        points = [{name: _plain(value) for name, value in point.items()} for point in row["points"]]
        rows[row["patient_id"]]["ferritin" if row["analyte"] == "ferritin" else "fvc"] = points
    for name, sql, of in (("alerts", URGENT, {"urgent": alert_rules.RANKS["urgent"]}), ("due", WAITING, {})):
        for row in _rows(cursor, sql, of):
            rows[row["patient_id"]][name].append(row)
    _add_reviews(cursor, rows, as_of)
    return list(rows.values())


def _nothing() -> dict:
    empty = {name: [] for name in ("agents", "ferritin", "fvc", "met", "alerts", "due")}
    none = dict.fromkeys(("oxygen", "settling", "review"))
    return empty | none | {
        "unknown": 0, "judged": False, "new": 0, "corrected_records": 0, "changed": False, "lost": [], "frozen": {}
    }  # fmt: skip


def _add_answers(cursor: duckdb.DuckDBPyConnection, rows: dict[str, dict]) -> None:
    """What is met and what cannot be told, and what a review would freeze of it."""
    criteria = catalog().criteria
    held: dict[str, dict[str, list[str]]] = {name: {"met": [], "not_evaluable": []} for name in rows}
    told = "SELECT * EXCLUDE (missing) FROM answer WHERE status <> 'not_met' ORDER BY since DESC, criterion, item"
    for answer in _rows(cursor, told):
        patient_id, status = answer.pop("patient_id"), answer.pop("status")
        held[patient_id][status].append(answer["flag"])
        if status == "met":
            rows[patient_id]["met"].append(answer | {"group": criteria[answer["criterion"]].group})
    counts = """
        SELECT patient_id, bool_or(alerting) AS judged,
            count(DISTINCT CASE WHEN alerting AND status = 'not_evaluable' THEN criterion END) AS unknown
        FROM answer GROUP BY patient_id"""
    for row in _rows(cursor, counts):
        rows[row["patient_id"]] |= row
    for row in _rows(cursor, SETTLING, {"therapy": list(THERAPY)}):
        rows[row.pop("patient_id")]["settling"] = row
    for patient_id, row in rows.items():
        of = held[patient_id]
        unknown = sorted(flag.rpartition(":")[0] for flag in of["not_evaluable"])
        row["frozen"] = {name: row[name] for name in ("state", "corrected", "receipt")} | {
            "met": sorted(of["met"]),
            "unknown": unknown,
        }


def _add_reviews(cursor: duckdb.DuckDBPyConnection, rows: dict[str, dict], as_of: date) -> None:
    """The last review of each, and what has come since."""
    for entry in entries.standing(cursor, ["review"], list(rows)):  # oldest first: the last one stays
        if entry["day"] and entry["day"] <= as_of:
            rows[entry["patient_id"]]["review"] = entry | {"days": (as_of - entry["day"]).days}
    for row in _rows(cursor, SINCE):
        rows[row["patient_id"]] |= {"new": row["new"], "corrected_records": row["corrected"]}
    for row in rows.values():
        if row["review"]:
            seen = row["review"]["frozen"].get("met")
            seen = {flag for flag in seen if isinstance(flag, str)} if isinstance(seen, list) else set()
            now = {_without_grade(flag["flag"]) for flag in row["met"]}
            row["lost"] = sorted({_without_grade(flag) for flag in seen} - now)
            row["changed"] = row["review"]["frozen"].get("corrected") != row["corrected"]


def _without_grade(flag: str) -> str:
    return flag.rpartition(":")[0]


def _plain(value: object) -> object:
    """Decimals only place things from here on."""
    return float(value) if isinstance(value, Decimal) else value


def _rows(cursor: duckdb.DuckDBPyConnection, sql: str, parameters: dict | None = None) -> list[dict]:
    found = cursor.execute(sql, parameters) if parameters else cursor.execute(sql)
    return findings.fetch_rows(found)
