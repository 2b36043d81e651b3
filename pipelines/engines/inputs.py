"""The tables a rule reads, made from the stored records: who is judged, what counts, and on which day.

Only standing versions that are final, corrected or amended are judged. A partial date is an interval: the patient's records
are judged once with every date on its last day, and once more for each day on which a partial date is over, with those
dates on their first day. The further readings are patients of their own to the rules (`world`), so that no rule knows of
partial dates; `partial_dates.py` brings the readings together again.
"""

from datetime import datetime

import duckdb

from pipelines import dictionary

JUDGED = "status IN ('final', 'corrected', 'amended')"


def create_inputs(
    con: duckdb.DuckDBPyConnection, patients: list[str] | None, known_at: datetime | None, read: frozenset[str]
) -> None:
    """Makes the input tables of the catalog as TEMP tables (views when everyone is judged: nothing is copied then).

    `patients` None means all; `known_at` leaves out what was not known at that moment; `read` names the tables that will be read. When everyone is judged the rules' `patient_id`
    is a number, half as dear to sort and join as the text; `reading` says whose it is.
    """
    dictionary.create_rule_tables(con, read)
    _create_asked(con, patients)
    stands = f"{JUDGED} AND {_stands(known_at)}"
    only = "" if patients is None else "AND patient_id IN (SELECT patient_id FROM asked)"
    _create_worlds(con, f"{stands} {only}", numbered=patients is None)
    form = "VIEW" if patients is None else "TABLE"
    for name, columns in RECORDS.items():
        con.execute(
            f"CREATE TEMP {form} {name} AS "
            f"SELECT reading.world_id AS patient_id, {columns} FROM record.{name} JOIN reading USING (patient_id) WHERE {stands}"
        )
    con.execute(FIRST_DAYS)
    con.execute(PATIENTS)


def _create_asked(con: duckdb.DuckDBPyConnection, patients: list[str] | None) -> None:
    con.execute("CREATE TEMP TABLE asked AS SELECT patient_id FROM record.patient WHERE $1 OR patient_id IN (SELECT unnest($2))",
                [patients is None, patients or []])  # fmt: skip


def _stands(known_at: datetime | None) -> str:
    if known_at is None:
        return "known_until IS NULL"
    moment = f"TIMESTAMP '{known_at:%Y-%m-%d %H:%M:%S.%f}'"
    return f"known_from <= {moment} AND (known_until IS NULL OR known_until > {moment})"


def _day(low: str, high: str) -> str:
    """The day a record is taken for: its last one, or its first where the reading says so."""
    return f"CASE WHEN CAST({high} AS DATE) <= reading.cut THEN CAST({low} AS DATE) ELSE CAST({high} AS DATE) END"


RECORDS = {
    "observation": f"""record_id, set_id, analyte, {_day("at_low", "at_high")} AS on_date,
        CASE WHEN at_timed THEN at_high END AS at, value, low, low_open, high, high_open, coded, unit, ref_low, ref_high,
        assay, laboratory, sample_timing, activity, phase, reference_set""",
    "administration": f"""record_id, drug, route, systemic, dose, dose_unit, per, {_day("start_low", "start_high")} AS start_date,
        {_day("stop_low", "stop_high")} AS stop_date, ongoing, {_day("confirmed_low", "confirmed_high")} AS last_confirmed,
        action, purpose""",
    "event": f"""record_id, kind, code, value, number, text, {_day("at_low", "at_high")} AS on_date,
        CASE WHEN at_timed THEN at_high END AS at, {_day("until_low", "until_high")} AS until_date, date_assumed""",
}


def _create_worlds(con: duckdb.DuckDBPyConnection, condition: str, numbered: bool) -> None:
    """world(world_id, patient_id, cut, until): one further reading per day on which a partial date is over, for judged days in
    [cut, until). reading(patient_id, world_id, cut): whose records each reading reads; `patient_id` is that of the store there.
    """
    con.execute(
        f"""
        CREATE TEMP TABLE partial_stored AS
        SELECT patient_id, record_id, what, CAST(low AS DATE) AS low, CAST(high AS DATE) AS high FROM (
            SELECT patient_id, record_id, analyte AS what, at_low AS low, at_high AS high
            FROM record.observation WHERE at_low <> at_high AND {condition}
            UNION ALL SELECT patient_id, record_id, drug || ' start', start_low, start_high
            FROM record.administration WHERE start_low <> start_high AND {condition}
            UNION ALL SELECT patient_id, record_id, drug || ' stop', stop_low, stop_high
            FROM record.administration WHERE stop_low <> stop_high AND {condition}
            UNION ALL SELECT patient_id, record_id, drug || ' confirmation', confirmed_low, confirmed_high
            FROM record.administration WHERE confirmed_low <> confirmed_high AND {condition}
            UNION ALL SELECT patient_id, record_id, coalesce(code, kind), at_low, at_high
            FROM record.event WHERE at_low <> at_high AND {condition}
            UNION ALL SELECT patient_id, record_id, coalesce(code, kind) || ' end', until_low, until_high
            FROM record.event WHERE until_low <> until_high AND {condition})"""
    )
    name = "CAST(row_number() OVER () AS INTEGER)" if numbered else "patient_id || coalesce(chr(31) || CAST(cut AS VARCHAR), '')"
    con.execute(
        f"""
        CREATE TEMP TABLE reading AS
        SELECT patient_id, {name} AS world_id, cut FROM (
            SELECT patient_id, NULL AS cut FROM asked UNION ALL SELECT DISTINCT patient_id, high FROM partial_stored)"""
    )
    con.execute(
        """
        CREATE TEMP TABLE world AS
        SELECT person.world_id AS patient_id, further.world_id, further.cut,
               lead(further.cut) OVER (PARTITION BY further.patient_id ORDER BY further.cut) AS until
        FROM reading AS further JOIN reading AS person ON person.patient_id = further.patient_id AND person.cut IS NULL
        WHERE further.cut IS NOT NULL"""
    )
    con.execute(
        """
        CREATE TEMP TABLE partial_record AS
        SELECT reading.world_id AS patient_id, record_id, what, low, high
        FROM partial_stored JOIN reading USING (patient_id) WHERE reading.cut IS NULL"""
    )


FIRST_DAYS = """
    CREATE TEMP TABLE first_day AS
    SELECT patient_id, min(day) AS first_day FROM (
        SELECT patient_id, min(on_date) AS day FROM observation GROUP BY patient_id
        UNION ALL SELECT patient_id, min(start_date) FROM administration GROUP BY patient_id
        UNION ALL SELECT patient_id, min(on_date) FROM event GROUP BY patient_id)
    GROUP BY patient_id"""

PATIENTS = """
    CREATE TEMP TABLE patient AS
    SELECT reading.world_id AS patient_id, sex, birth_year, site, first_day
    FROM record.patient AS person JOIN reading USING (patient_id)
    JOIN first_day ON first_day.patient_id = reading.world_id"""
