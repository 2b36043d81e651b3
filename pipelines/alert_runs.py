"""The runs of an alert: when a criterion that alerts began to be met, how often it flapped, and when that was over.

A **stretch** is consecutive spells of one status, whatever their grade. A **run** begins with the first met stretch and is over once it
has been not met for `settle_days` on end; a shorter not met stretch is a **flap** when the answer before it was met, and the met stretch
after it belongs to the same run. What cannot be told ends nothing and is no flap, and begins the count of days anew.
"""

from datetime import date

import duckdb

from pipelines import alert_rules

# Every criterion, patient and item that was ever met by the day, numbered: a number is a fraction as dear to sort by as the texts.
KEYS = """
    CREATE OR REPLACE TEMP TABLE alert_key AS
    SELECT row_number() OVER () AS key, * FROM (
        SELECT DISTINCT patient_id, criterion, item FROM result.spell AS spell JOIN alerting USING (criterion)
        WHERE status = 'met' AND from_date <= $day AND {only}) AS ever"""

# Of these, for the urgent of everyone, those that were urgent by the day and whose run can live: what stands is not met for less than
# $settle_days, or something else. A key is left out with its whole history, so that the others have the same runs.
URGENT_KEYS = """
    CREATE OR REPLACE TEMP TABLE alert_key AS
    SELECT row_number() OVER () AS key, * FROM (
        SELECT DISTINCT patient_id, criterion, item FROM result.spell AS spell JOIN alerting USING (criterion)
        WHERE status = 'met' AND (rank = 2 OR grade >= urgent_from)
            AND from_date <= $day AND {only}) AS ever
    WHERE (criterion, patient_id, coalesce(item, '')) IN (
        SELECT (criterion, patient_id, coalesce(item, '')) FROM result.spell AS spell JOIN alerting USING (criterion)
        WHERE from_date <= $day AND (until_date IS NULL OR until_date > $day) AND {only}
            AND (status <> 'not_met' OR date_diff('day', from_date, $day) < $settle_days))"""

# Their spells. `rank`: 2 urgent, 1 warning.
SPELLS = """
    CREATE OR REPLACE TEMP TABLE alert_spell AS
    SELECT
        key, spell.from_date, spell.until_date, spell.status, spell.grade, spell.rowid AS place,
        CASE WHEN spell.grade >= alerting.urgent_from THEN 2 ELSE alerting.rank END AS rank
    FROM result.spell AS spell
    JOIN alert_key ON alert_key.patient_id = spell.patient_id AND alert_key.criterion = spell.criterion
        AND alert_key.item IS NOT DISTINCT FROM spell.item
    JOIN alerting ON alerting.criterion = spell.criterion
    WHERE spell.from_date <= $day AND {only}"""

# stands_until: the end of what is said of the run by the day; 9999-12-31 where its last answer stands.
RUNS = """
    CREATE OR REPLACE TEMP TABLE alert_run AS
    WITH turning AS (
        SELECT
            *,
            status IS DISTINCT FROM lag(status) OVER history AS turns,
            last_value(CASE WHEN status <> 'not_evaluable' THEN status END IGNORE NULLS)
                OVER (PARTITION BY key ORDER BY from_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                AS told_before
        FROM alert_spell
        WINDOW history AS (PARTITION BY key ORDER BY from_date)
    ),
    numbered AS (
        SELECT *, sum(CAST(turns AS INTEGER)) OVER (PARTITION BY key ORDER BY from_date) AS stretch
        FROM turning
    ),
    stretch AS (
        SELECT
            key, stretch, any_value(status) AS status, min(from_date) AS from_date,
            max(coalesce(until_date, DATE '9999-12-31')) AS until_date, arg_max(place, from_date) AS place, max(rank) AS rank,
            any_value(status) = 'not_met' AND bool_or(told_before = 'met') AS ceased
        FROM numbered
        GROUP BY key, stretch
    ),
    settled AS (
        SELECT *, status = 'not_met' AND date_diff('day', from_date, least(until_date, $day)) >= $settle_days AS settles FROM stretch
    ),
    numbered_runs AS (
        SELECT
            *,
            coalesce(sum(CAST(settles AS INTEGER)) OVER (
                PARTITION BY key ORDER BY from_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS run
        FROM settled
    )
    SELECT
        key, any_value(patient_id) AS patient_id, any_value(criterion) AS criterion, any_value(item) AS item, run,
        min(CASE WHEN status = 'met' THEN from_date END) AS since,
        max(CASE WHEN settles THEN from_date + CAST($settle_days AS INTEGER) END) AS over_on,
        CAST(count(CASE WHEN ceased THEN 1 END) AS INTEGER) AS flaps,
        arg_max(status, from_date) AS status_now,
        max(from_date) AS status_since,
        max(until_date) AS stands_until,
        arg_max(CASE WHEN status = 'met' THEN place END, CASE WHEN status = 'met' THEN from_date END) AS place,
        arg_max(place, from_date) AS place_now,
        max(CASE WHEN status = 'met' THEN rank END) AS highest_rank
    FROM numbered_runs JOIN alert_key USING (key)
    GROUP BY key, run
    HAVING bool_or(status = 'met')"""


def create_runs(
    cursor: duckdb.DuckDBPyConnection, as_of: date, patients: list[str] | None = None, urgent_only: bool = False
) -> None:
    """TEMP tables alert_key, alert_spell and alert_run: every run of alert that began by the day, of some patients or of all (None); or,
    `urgent_only`, of what can be urgent, the runs of all that have one which can live.

    alert_run: key, patient_id, criterion, item, run, since, over_on (NULL: it lives), flaps, status_now, status_since, stands_until, place
    (the rowid in result.spell of its last met answer), place_now (of its last answer), highest_rank. Spells look at no later record, so
    that the past is as it was.
    """
    alert_rules.create_alerting(cursor, urgent_only)
    settle = {"settle_days": alert_rules.number("settle_days")}
    only, asked = "TRUE", {"day": as_of}
    if patients is not None:
        only, asked = "spell.patient_id IN (SELECT unnest($patients))", {"day": as_of, "patients": patients}
    if urgent_only:
        cursor.execute(URGENT_KEYS.format(only=only), asked | settle)
    else:
        cursor.execute(KEYS.format(only=only), asked)
    cursor.execute(SPELLS.format(only=only), asked)
    cursor.execute(RUNS, {"day": as_of} | settle)
