"""The tables a rule reads, made from the stored records: who is judged, what counts, and on which day.

Only standing versions that are final, corrected or amended are judged. A partial date is an interval: the patient's records
are judged once with every date on its last day, and once more for each day on which a partial date is over, with those
dates on their first day. The further readings are patients of their own to the rules (`world`), so that no rule knows of
partial dates; `partial_dates.sql` brings the readings together again. A patient without some of the records (`Variant`), whom
nobody has but a question of what would change an answer, is a patient of their own in the same way.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipelines import dictionary

JUDGED = "status IN ('final', 'corrected', 'amended')"
RECORDED = "status NOT IN ('entered_in_error', 'cancelled')"  # stands recorded, though it may not be final yet


@dataclass(frozen=True)
class Known:
    """What is read of the past: what sources had made known at a moment, or what this store had received by then. Neither: all.

    A patient's sex, year of birth and site have no time of their own: at a moment of the sources they are those known now.
    """

    at: datetime | None = None
    received_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.at is not None and self.received_at is not None:
            raise ValueError("one past moment is asked for: of the sources, or of this store")

    def __bool__(self) -> bool:
        return self.at is not None or self.received_at is not None

    def standing(self, table: str) -> str:
        """SELECT of the versions that stood, from a table of records."""
        if not self:
            return f"SELECT * FROM {table} WHERE known_until IS NULL"
        if self.at is not None:
            since, until, moment = "known_from", "known_until", _moment(self.at)
        else:
            since, until, moment = "received_at", "received_until", _moment(self.received_at)
        return f"SELECT * FROM {table} WHERE {since} <= {moment} AND ({until} IS NULL OR {until} > {moment})"

    def patients(self) -> str:
        """SELECT of every patient of the store, with what was known of them."""
        if self.received_at is None:
            return "SELECT patient_id, sex, birth_year, site FROM record.patient"
        return f"""
            SELECT patient_id, version.sex, version.birth_year, version.site FROM record.patient
            LEFT JOIN (
                SELECT * FROM record.patient_version WHERE received_at <= {_moment(self.received_at)}
                QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY file_id DESC) = 1
            ) AS version USING (patient_id)"""


@dataclass(frozen=True)
class Variant:
    """The patient without some records, judged beside the patient under the id `name`."""

    name: str
    patient_id: str
    without: frozenset[int]


def create_inputs(
    con: duckdb.DuckDBPyConnection,
    patients: list[str] | None,
    known: Known,
    read: frozenset[str],
    variants: Iterable[Variant] = (),
) -> None:
    """Makes the input tables of the catalog as TEMP tables (views when everyone is judged: nothing is copied then).

    `patients` None means all; `read` names the tables that will be read. When everyone is judged the rules' `patient_id` is a number,
    half as dear to sort and join as the text; `reading` says whose it is.
    """
    dictionary.create_rule_tables(con, read)
    _create_asked(con, patients, list(variants))
    only = "" if patients is None else "AND patient_id IN (SELECT patient_id FROM asked)"
    for name in RECORDS:
        con.execute(
            f"CREATE TEMP VIEW standing_{name} AS SELECT * FROM ({known.standing(f'record.{name}')}) WHERE {JUDGED} {only}"
        )
    con.execute(f"CREATE TEMP VIEW standing_patient AS {known.patients()}")
    _create_readings(con, numbered=patients is None)
    for name, columns in RECORDS.items():
        rows = _rows(name, columns, "reading", "" if patients is None else LEFT_OUT)
        con.execute(f"CREATE TEMP {'VIEW' if patients is None else 'TABLE'} {name} AS {rows}")
    con.execute(FIRST_DAYS)
    con.execute(f"CREATE TEMP TABLE patient AS {PATIENTS}")


def _rows(name: str, columns: str, readings: str, left_out: str) -> str:
    return (
        f"SELECT reading.world_id AS patient_id, {columns} "
        f"FROM standing_{name} AS record JOIN {readings} AS reading ON reading.patient_id = record.patient_id {left_out}"
    )


def read_only_for(con: duckdb.DuckDBPyConnection, labels: frozenset[str]) -> None:
    """After `create_inputs` for everyone: leaves in the input tables only the further readings that change one of the facts of
    these labels (relevance.py)."""
    quoted = ", ".join("'" + label + "'" for label in sorted(labels))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE reading_read AS SELECT * FROM reading
        WHERE cut IS NULL OR world_id IN (SELECT world_id FROM world_label WHERE label IN ({quoted}))"""
    )
    for name, columns in RECORDS.items():
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {_rows(name, columns, 'reading_read', '')}")
    con.execute(f"""CREATE OR REPLACE TEMP TABLE patient AS {PATIENTS.replace("reading", "reading_read")}""")


def create_labels(con: duckdb.DuckDBPyConnection) -> bool:
    """world_label: the labels of the facts that each further reading changes. Says whether there is any further reading."""
    con.execute(
        """
        CREATE TEMP TABLE world_label AS
        SELECT DISTINCT world.world_id, label FROM world
        JOIN (
            SELECT patient_id, high, label FROM partial_record
            UNION ALL
            SELECT partial_record.patient_id, high, '*' FROM partial_record JOIN patient USING (patient_id) WHERE low < first_day
        ) AS partial ON partial.patient_id = world.patient_id AND partial.high <= world.cut"""
    )
    return bool(con.execute("SELECT count(*) FROM world").fetchone()[0])


def _moment(moment: datetime) -> str:
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}'"


def _create_asked(con: duckdb.DuckDBPyConnection, patients: list[str] | None, variants: list[Variant]) -> None:
    """asked: the patients. person: they and their variants. left_out: the records that a variant has not."""
    con.execute("CREATE TEMP TABLE asked AS SELECT patient_id FROM record.patient WHERE $1 OR patient_id IN (SELECT unnest($2))",
                [patients is None, patients or []])  # fmt: skip
    con.execute("CREATE TEMP TABLE person AS SELECT patient_id, CAST(NULL AS VARCHAR) AS variant FROM asked")
    con.execute("CREATE TEMP TABLE left_out (variant VARCHAR, record_id BIGINT)")
    for variant in variants:
        con.execute("INSERT INTO person VALUES (?, ?)", [variant.patient_id, variant.name])
        con.execute("INSERT INTO left_out SELECT ?, unnest(?)", [variant.name, sorted(variant.without)])


LEFT_OUT = "ANTI JOIN left_out ON left_out.variant = reading.variant AND left_out.record_id = record.record_id"


def _day(low: str, high: str) -> str:
    """The day a record is taken for: its last one, or its first where the reading says so."""
    return f"CASE WHEN CAST({high} AS DATE) <= reading.cut THEN CAST({low} AS DATE) ELSE CAST({high} AS DATE) END"


RECORDS = {
    "observation": f"""record.record_id, set_id, analyte, {_day("at_low", "at_high")} AS on_date,
        CASE WHEN at_timed THEN at_high END AS at, value, low, low_open, high, high_open, coded, unit, ref_low, ref_high,
        assay, laboratory, sample_timing, activity, phase, reference_set""",
    "administration": f"""record.record_id, drug, route, systemic, dose, dose_unit, per, {_day("start_low", "start_high")} AS start_date,
        {_day("stop_low", "stop_high")} AS stop_date, ongoing, {_day("confirmed_low", "confirmed_high")} AS last_confirmed,
        action, purpose""",
    "event": f"""record.record_id, kind, code, value, number, text, {_day("at_low", "at_high")} AS on_date,
        CASE WHEN at_timed THEN at_high END AS at, {_day("until_low", "until_high")} AS until_date, date_assumed""",
}


def _create_readings(con: duckdb.DuckDBPyConnection, numbered: bool) -> None:
    """reading(patient_id, variant, world_id, cut): what each reading reads; patient_id is that of the store.

    world(patient_id, world_id, cut, until): one further reading per day on which a partial date is over, for judged days in
    [cut, until); patient_id is there the world_id of the reading with last days. partial_record: the partial dates of each.
    """
    con.execute(
        """
        CREATE TEMP TABLE partial_stored AS
        SELECT patient_id, variant, record_id, what, label, CAST(low AS DATE) AS low, CAST(high AS DATE) AS high FROM (
            SELECT patient_id, record_id, analyte AS what, analyte AS label, at_low AS low, at_high AS high
            FROM standing_observation WHERE at_low <> at_high
            UNION ALL SELECT patient_id, record_id, drug || ' start', 'administration', start_low, start_high
            FROM standing_administration WHERE start_low <> start_high
            UNION ALL SELECT patient_id, record_id, drug || ' stop', 'administration', stop_low, stop_high
            FROM standing_administration WHERE stop_low <> stop_high
            UNION ALL SELECT patient_id, record_id, drug || ' confirmation', 'administration', confirmed_low, confirmed_high
            FROM standing_administration WHERE confirmed_low <> confirmed_high
            UNION ALL SELECT patient_id, record_id, coalesce(code, kind), kind, at_low, at_high FROM standing_event WHERE at_low <> at_high
            UNION ALL SELECT patient_id, record_id, coalesce(code, kind) || ' end', kind, until_low, until_high
            FROM standing_event WHERE until_low <> until_high) AS partial
        JOIN person USING (patient_id)
        ANTI JOIN left_out USING (variant, record_id)"""
    )
    text = "patient_id || coalesce(chr(30) || variant, '') || coalesce(chr(31) || CAST(cut AS VARCHAR), '')"
    con.execute(
        f"""
        CREATE TEMP TABLE reading AS
        SELECT patient_id, variant, {"CAST(row_number() OVER () AS INTEGER)" if numbered else text} AS world_id, cut FROM (
            SELECT patient_id, variant, NULL AS cut FROM person UNION ALL SELECT DISTINCT patient_id, variant, high FROM partial_stored)"""
    )
    same_person = "person.patient_id = further.patient_id AND person.variant IS NOT DISTINCT FROM further.variant AND person.cut IS NULL"
    con.execute(
        f"""
        CREATE TEMP TABLE world AS
        SELECT person.world_id AS patient_id, further.world_id, further.cut,
               lead(further.cut) OVER (PARTITION BY further.patient_id, further.variant ORDER BY further.cut) AS until
        FROM reading AS further JOIN reading AS person ON {same_person}
        WHERE further.cut IS NOT NULL"""
    )
    con.execute(
        f"""
        CREATE TEMP TABLE partial_record AS
        SELECT person.world_id AS patient_id, record_id, what, label, low, high
        FROM partial_stored AS further JOIN reading AS person ON {same_person}"""
    )


FIRST_DAYS = """
    CREATE TEMP TABLE first_day AS
    SELECT patient_id, min(day) AS first_day FROM (
        SELECT patient_id, min(on_date) AS day FROM observation GROUP BY patient_id
        UNION ALL SELECT patient_id, min(start_date) FROM administration GROUP BY patient_id
        UNION ALL SELECT patient_id, min(on_date) FROM event GROUP BY patient_id)
    GROUP BY patient_id"""

PATIENTS = """
    SELECT reading.world_id AS patient_id, sex, birth_year, site, first_day
    FROM standing_patient AS person JOIN reading USING (patient_id)
    JOIN first_day ON first_day.patient_id = reading.world_id"""
