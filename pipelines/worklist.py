"""The worklist: every patient of a store in one of six plain groups (worklist_groups.py), in a stated order, and what one page of it shows.

Set-wise: the cohort is grouped, filtered and ordered in the database, and only the patients of the page become rows (worklist_rows.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import duckdb

from pipelines import alert_rules, alerts, decision_state, entries, worklist_rows
from pipelines.catalog import GROUPS as CRITERION_GROUPS
from pipelines.catalog import catalog
from pipelines.errors import Refusal
from pipelines.worklist_groups import GROUPS

ON_A_PAGE = 20


@dataclass(frozen=True)
class Asked:
    """What of the worklist is asked for; None or empty: no such filter. `text` is part of an id, `group` a key of worklist_groups, `flags`
    a group of criteria some of which is met, `agent` a class of drugs that acts on the as-of day, `recorded` and `newly` days before it
    within which something was recorded, or a flag was met that stands, `patients` the only ones looked at. Where neither a group nor an id
    is asked for, those whose death is recorded are folded: counted, and left out of the list, unless `whole`."""

    text: str = ""
    site: str | None = None
    group: str | None = None
    flags: str | None = None
    agent: str | None = None
    recorded: int | None = None
    newly: int | None = None
    page: int = 1
    whole: bool = False
    patients: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Choices:
    """What can be asked for in this store: its sites, and the classes of immunosuppressants acting on the as-of day."""

    sites: tuple[str, ...]
    agents: tuple[str, ...]


@dataclass(frozen=True)
class Worklist:
    """`ids`: who passes the filters, in order. `counts`: how many in each group pass all filters but that of the group. `rows`: the page
    (`worklist_rows.details`), the `first` being so many places from the top; there are so many `pages`."""

    as_of: date | None
    counts: dict[str, int]
    ids: list[str]
    pages: int
    page: int
    first: int
    rows: list[dict]

    @property
    def on_page(self) -> list[str]:
        """The ids of the page."""
        return self.ids[self.first : self.first + ON_A_PAGE]


def worklist(cursor: duckdb.DuckDBPyConnection, as_of: date | None, asked: Asked) -> Worklist:
    """The worklist as of a day (None: nothing dated is recorded), and one page of it; a page beyond the last is the last. Raises Refusal
    for a store of an older schema."""
    day = create_listed(cursor, as_of)
    found = _at_page(as_of, _counts(cursor, day, asked), ordered(cursor, day, asked), asked.page)
    return replace(found, rows=worklist_rows.details(cursor, day, found.on_page))


def _at_page(as_of: date | None, counts: dict[str, int], ids: list[str], asked: int) -> Worklist:
    pages = -(-len(ids) // ON_A_PAGE)
    page = max(1, min(asked, pages))
    return Worklist(as_of, counts, ids, pages, page, (page - 1) * ON_A_PAGE, [])


def choices(cursor: duckdb.DuckDBPyConnection, as_of: date | None) -> Choices:
    """What the filters offer."""
    sites = cursor.execute("SELECT DISTINCT site FROM record.patient WHERE site IS NOT NULL ORDER BY site").fetchall()
    return Choices(tuple(site for (site,) in sites), worklist_rows.agents_acting(cursor, as_of or date.min))


def everything(cursor: duckdb.DuckDBPyConnection, as_of: date | None, asked: Asked) -> list[dict]:
    """The rows of all pages, in order, for a download: as `worklist_rows.details`, without the curves."""
    day = create_listed(cursor, as_of)
    return worklist_rows.details(cursor, day, ordered(cursor, day, replace(asked, whole=True)), curves=False)


def of_patients(
    cursor: duckdb.DuckDBPyConnection, as_of: date | None, patients: Sequence[str], curves: bool = False
) -> list[dict]:
    """The rows of some patients, in their order, as `worklist_rows.details`; only these are looked at."""
    day = create_listed(cursor, as_of, list(patients))
    return worklist_rows.details(cursor, day, list(patients), curves)


def by_group(cursor: duckdb.DuckDBPyConnection, as_of: date | None) -> dict[str, list[str]]:
    """The ids of every patient, in the order of the worklist, by group; all groups are there."""
    create_listed(cursor, as_of)
    found: dict[str, list[str]] = {group: [] for group in GROUPS}
    for patient_id, group in cursor.execute(f'SELECT patient_id, "group" FROM listed {ORDER}', _order()).fetchall():
        found[group].append(patient_id)
    return found


def order(cursor: duckdb.DuckDBPyConnection, as_of: date | None) -> list[str]:
    """The ids of every patient, in the order of the worklist."""
    return [patient_id for ids in by_group(cursor, as_of).values() for patient_id in ids]


def chosen(groups: dict[str, list[str]], asked: Asked) -> Worklist | None:
    """The worklist without its rows, out of `by_group`, where no filter but that of the group is asked for; else None."""
    if replace(asked, group=None, page=1, whole=False) != Asked():
        return None
    shown = [asked.group] if asked.group else [group for group in GROUPS if asked.whole or group != "died"]
    ids = [patient_id for group in shown for patient_id in groups.get(group, ())]
    return _at_page(None, {group: len(those) for group, those in groups.items()}, ids, asked.page)


def create_listed(cursor: duckdb.DuckDBPyConnection, as_of: date | None, patients: list[str] | None = None) -> date:
    """TEMP table listed: a row per patient, of some or of all (None), with `group` and what the order and the filters read; and rule,
    review, held, due, alert, dead, heard and stale, of which it is made. Returns the as-of day, the first of the calendar where nothing
    dated is recorded."""
    as_of = as_of or date.min
    try:
        cursor.execute("SELECT 1 FROM result.patient_state, record.entry LIMIT 0")
    except duckdb.CatalogException:
        raise Refusal(
            "This store was made by an earlier version of the programme.",
            "",
            "Run load: it brings the store up to date.",
        ) from None
    alerting = alert_rules.alerting()
    rules = [(rule.id, CRITERION_GROUPS.index(rule.group), rule.id in alerting) for rule in catalog().criteria.values()]
    names, places, sound = zip(*rules, strict=True)
    cursor.execute(
        """CREATE OR REPLACE TEMP TABLE rule AS
        SELECT unnest($names) AS criterion, unnest($places) AS place, unnest($sound) AS alerting""",
        {"names": names, "places": places, "sound": sound},
    )
    alerts.create_alerts(cursor, as_of, patients, urgent_only=True)
    only, of_day = "TRUE", {"day": as_of}
    if patients is not None:
        only, of_day = "patient_id IN (SELECT unnest($patients))", {"day": as_of, "patients": patients}
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE review AS {REVIEWS}", {"day": as_of, "moment": None})
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE held AS {HELD.format(only=only)}", of_day)
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE due AS {DUE}", {"day": as_of, "moment": None, "patients": patients})
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE listed AS {LISTED.format(only=only)}",
        of_day | {"urgent": alert_rules.RANKS["urgent"]},
    )
    return as_of


def ordered(cursor: duckdb.DuckDBPyConnection, as_of: date, asked: Asked) -> list[str]:
    """Who passes the filters, in the order that worklist_groups.SENTENCE states. After `create_listed`."""
    where, values = _filters(as_of, asked)
    folded = not (asked.whole or asked.group or asked.text.strip() or asked.patients is not None)
    found = cursor.execute(
        f"""SELECT patient_id FROM listed WHERE {where} AND ($group IS NULL OR "group" = $group) AND NOT ($folded AND "group" = 'died')
        {ORDER}""",
        values | _order() | {"group": asked.group, "folded": folded},
    )
    return [row[0] for row in found.fetchall()]


# What worklist_groups.SENTENCE states.
ORDER = """
    ORDER BY list_position($groups, "group"), CASE WHEN "group" = 'decide' THEN opened ELSE newest END DESC NULLS LAST,
        last_day DESC NULLS LAST, patient_id"""


def _order() -> dict:
    return {"groups": list(GROUPS)}


def _counts(cursor: duckdb.DuckDBPyConnection, as_of: date, asked: Asked) -> dict[str, int]:
    where, values = _filters(as_of, asked)
    found = cursor.execute(f'SELECT "group", count(*) FROM listed WHERE {where} GROUP BY "group"', values).fetchall()
    return dict.fromkeys(GROUPS, 0) | dict(found)


def _filters(as_of: date, asked: Asked) -> tuple[str, dict]:
    """The condition of every filter but that of the group, and its values."""
    conditions, values = ["TRUE"], {}

    def add(condition: str, **of: object) -> None:
        conditions.append(condition)
        values.update(of)

    if text := asked.text.strip().lower():
        add("contains(lower(patient_id), $text)", text=text)
    if asked.patients is not None:
        add("patient_id IN (SELECT unnest($asked))", asked=list(asked.patients))
    if asked.site is not None:
        add("site = $site", site=asked.site)
    if asked.flags in CRITERION_GROUPS:
        add("met_in >> $place & 1 = 1", place=CRITERION_GROUPS.index(asked.flags))
    if asked.agent is not None:
        add(f"patient_id IN (SELECT patient_id FROM ({worklist_rows.ACTING}) WHERE agent = $agent)", agent=asked.agent)
        values["day"] = as_of
    if asked.recorded is not None:
        add("date_diff('day', last_day, CAST($on AS DATE)) <= $recorded", on=as_of, recorded=asked.recorded)
    if asked.newly is not None:
        add("date_diff('day', newest, CAST($on AS DATE)) <= $newly", on=as_of, newly=asked.newly)
    return " AND ".join(conditions), values


# The last review of each patient, of a day up to the as-of day. What was frozen is text from a file: what cannot be read was not seen.
REVIEWS = f"""
    SELECT patient_id, day, frozen ->> '$.corrected' AS corrected, TRY_CAST(frozen -> '$.met' AS VARCHAR[]) AS met,
        coalesce(TRY_CAST(frozen ->> '$.receipt' AS INTEGER), receipt) AS seen
    FROM ({entries.NUMBERED} WHERE newest AND NOT withdrawn AND kind = 'review' AND day <= $day)
    QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY entered_at DESC, receipt DESC, line DESC) = 1"""

# The decisions that are to be done, or else to be checked, and the day from which on they are.
DUE = f"""
    SELECT patient_id, entry_id, text, CASE WHEN to_do THEN 'due' ELSE 'check' END AS what,
        CASE WHEN to_do THEN due_on ELSE until END AS due_on
    FROM ({decision_state.STATES}) WHERE to_do OR to_check"""

# Of what is met, what the last review held and has been met, of whatever grade, ever since its day. Another spell than that of the day
# of the review is looked into: it holds where no other answer came between.
HELD = f"""
    WITH answer AS (
        SELECT spell.patient_id, criterion, item, from_date, alerting, review.day
        FROM result.spell AS spell JOIN rule USING (criterion) JOIN review ON review.patient_id = spell.patient_id
        WHERE status = 'met' AND from_date <= $day AND (until_date IS NULL OR until_date > $day)
            AND list_contains(review.met, {worklist_rows.FLAG})),
    since AS (
        SELECT answer.patient_id, answer.criterion, answer.item
        FROM answer JOIN result.spell AS spell ON spell.patient_id = answer.patient_id AND spell.criterion = answer.criterion
            AND spell.item IS NOT DISTINCT FROM answer.item
        WHERE answer.from_date > answer.day AND spell.from_date <= $day AND (spell.until_date IS NULL OR spell.until_date > answer.day)
        GROUP BY ALL HAVING bool_and(spell.status = 'met') AND bool_or(spell.from_date <= answer.day))
    SELECT patient_id, criterion, item, alerting FROM answer
    WHERE {{only}} AND (from_date <= day
        OR (patient_id, criterion, coalesce(item, '')) IN (SELECT (patient_id, criterion, coalesce(item, '')) FROM since))"""

LISTED = """
    WITH answer AS (
        SELECT patient_id, spell.criterion, item, grade, status, from_date, place, alerting
        FROM result.spell AS spell JOIN rule USING (criterion)
        WHERE from_date <= $day AND (until_date IS NULL OR until_date > $day) AND {only}),
    told AS (
        SELECT patient_id,
            bool_or(alerting) AS judged,
            bool_or(alerting AND status = 'not_evaluable') AS unknown,
            max(CASE WHEN alerting AND status = 'met' THEN from_date END) AS newest,
            count(*) FILTER (alerting AND status = 'met') AS met,
            bit_or(CASE WHEN status = 'met' THEN 1 << place ELSE 0 END) AS met_in
        FROM answer GROUP BY patient_id),
    seen AS (SELECT patient_id, count(*) AS flags FROM held WHERE alerting GROUP BY patient_id),
    urgent AS (
        SELECT patient_id, max(since) AS since FROM alert
        WHERE rank = $urgent AND state IN ('open', 'reopened') GROUP BY patient_id),
    waiting AS (SELECT patient_id, max(due_on) AS due_on FROM due GROUP BY patient_id)
    SELECT patient_id, patient.site, heard.last_day, newest, coalesce(met_in, 0) AS met_in,
        greatest(urgent.since, waiting.due_on) AS opened,
        CASE
            WHEN dead.patient_id IS NOT NULL THEN 'died'
            WHEN urgent.patient_id IS NOT NULL OR waiting.patient_id IS NOT NULL THEN 'decide'
            WHEN heard.patient_id IS NULL OR stale.patient_id IS NOT NULL THEN 'quiet'
            WHEN coalesce(told.met, 0) > coalesce(seen.flags, 0) THEN 'new'
            WHEN review.patient_id IS NOT NULL AND review.corrected IS DISTINCT FROM kept.corrected THEN 'new'
            WHEN unknown OR NOT coalesce(judged, FALSE) THEN 'unknown'
            ELSE 'stable'
        END AS "group"
    FROM record.patient AS patient
    LEFT JOIN result.patient_state AS kept USING (patient_id)
    LEFT JOIN heard USING (patient_id) LEFT JOIN stale USING (patient_id) LEFT JOIN dead USING (patient_id)
    LEFT JOIN told USING (patient_id) LEFT JOIN seen USING (patient_id) LEFT JOIN urgent USING (patient_id)
    LEFT JOIN waiting USING (patient_id) LEFT JOIN review USING (patient_id)
    WHERE {only}"""
