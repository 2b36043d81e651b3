"""Runs the catalog's SQL on DuckDB: for everyone, for the patients a load changed, or for one patient as known at a moment.

One code path: the input tables are filtered, the same files run in the same order. Everything intermediate is a TEMP table
of the connection given, so a reader can replay a patient on a published snapshot without writing to it.
"""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb

from pipelines.catalog import Catalog, Definition, catalog
from pipelines.engines import inputs

HERE = Path(__file__).parent
SPELLS = (HERE / "spells.sql").read_text(encoding="utf-8")
PARTIAL_DATES = (HERE / "partial_dates.sql").read_text(encoding="utf-8")
Moved = dict[str, dict[str, Decimal | int]]  # definition id -> threshold name -> value used instead


def evaluate(
    con: duckdb.DuckDBPyConnection,
    patients: list[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    rules: Catalog | None = None,
    moved: Moved | None = None,
) -> None:
    """Judges all patients (None) or some, and replaces their rows in result.spell and in the kept concepts.

    When the rules are not those that judged the store, everyone is judged. Law: any sequence of evaluations of the
    patients that changed gives the same tables as one evaluation of all. `progress` is told (files done, files in all).
    """
    rules = rules or catalog()
    if not judged_by_these_rules(con, rules):
        patients = None
    with _temporary(con):
        inputs.create_inputs(con, patients, known_at=None)
        parts = []
        for done, definition_id in enumerate(rules.order):
            definition = rules[definition_id]
            _create_table(con, definition, moved)
            if definition.kind == "criterion":
                _create_judged(con, definition)
                con.execute(f"CREATE TEMP TABLE spell_{definition_id} AS {SPELLS}")
                con.execute("DROP TABLE judged")
                parts.append(f"SELECT * FROM spell_{definition_id}")
            elif definition.kept:
                _keep(con, definition, everyone=patients is None)
            if progress:
                progress(done + 1, len(rules.order))
        con.execute("DELETE FROM result.spell WHERE patient_id IN (SELECT patient_id FROM asked)")
        # One insert: DuckDB 1.5.5 can hide rows when a large one follows one of no rows (sources/native_csv.py).
        con.execute(f"INSERT INTO result.spell BY NAME {' UNION ALL '.join(parts)}")
        con.execute("DELETE FROM result.rule")
        con.executemany("INSERT INTO result.rule VALUES (?, ?)", list(rules.content_hashes().items()))


def replay(
    cursor: duckdb.DuckDBPyConnection,
    patients: list[str],
    known_at: datetime | None = None,
    rules: Catalog | None = None,
    moved: Moved | None = None,
) -> None:
    """Makes, as TEMP tables on the cursor, the inputs and concepts of the patients and every judged date of every rule.

    `judgement` has the standard columns plus criterion, since (first day of the run of that status and grade) and
    until_date (exclusive, NULL: stands to the end). Only what was known at `known_at` is read.
    """
    rules = rules or catalog()
    drop_temporary(cursor)
    inputs.create_inputs(cursor, patients, known_at)
    parts = []
    for definition_id in rules.order:
        definition = rules[definition_id]
        _create_table(cursor, definition, moved)
        if definition.kind == "criterion":
            _create_judged(cursor, definition)
            cursor.execute(f"ALTER TABLE judged RENAME TO judged_{definition_id}")
            parts.append(f"SELECT * FROM judged_{definition_id}")
    if parts:  # a catalog of concepts alone judges nothing
        cursor.execute(f"CREATE TEMP TABLE judged AS {' UNION ALL '.join(parts)}")
        _create_judgement(cursor, "judgement")


def judge_again(cursor: duckdb.DuckDBPyConnection, definition: Definition, moved: dict[str, Decimal | int]) -> str:
    """After a replay: one criterion or concept alone with some thresholds moved. Returns the name of the table it made,
    which has the form of `judgement` for a criterion; nothing that reads the definition is judged again."""
    table = f"moved_{definition.id}"
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {definition.sql}", definition.parameters(moved) or None)
    if definition.kind == "criterion":
        _complete(cursor, definition, table)
        _create_judged(cursor, definition, table)
        _create_judgement(cursor, f"{table}_judgement")
        table = f"{table}_judgement"
    return table


def _create_judgement(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE spell AS {SPELLS}")
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {JUDGEMENT}")
    cursor.execute("DROP TABLE judged")


JUDGEMENT = """
    SELECT
        judged.* EXCLUDE (item_from), spell.from_date AS since,
        coalesce(
            lead(on_date) OVER (PARTITION BY judged.criterion, judged.patient_id, judged.item ORDER BY on_date),
            CASE WHEN judged.item IS NULL THEN item_from END
        ) AS until_date
    FROM judged JOIN spell
        ON spell.criterion = judged.criterion AND spell.patient_id = judged.patient_id
        AND spell.item IS NOT DISTINCT FROM judged.item
        AND judged.on_date BETWEEN spell.from_date AND spell.last_judged"""


def _create_table(con: duckdb.DuckDBPyConnection, definition: Definition, moved: Moved | None) -> None:
    parameters = definition.parameters((moved or {}).get(definition.id))
    con.execute(f"CREATE TEMP TABLE {definition.id} AS {definition.sql}", parameters or None)
    if definition.kind == "criterion":
        _complete(con, definition, definition.id)


def _complete(con: duckdb.DuckDBPyConnection, definition: Definition, name: str) -> None:
    """Everyone has a row on the first recorded day; a row with no item ends where an item has one."""
    con.execute(
        f"""
        INSERT INTO {name} BY NAME
        SELECT patient_id, first_day AS on_date, NULL AS item, 'not_evaluable' AS status, NULL AS grade,
               CAST([] AS BIGINT[]) AS evidence, CAST($unknown AS VARCHAR[]) AS missing,
               CAST($facts AS VARCHAR[]) AS facts, CAST([] AS VARCHAR[]) AS notes, NULL AS margin
        FROM patient
        WHERE NOT EXISTS (
            SELECT 1 FROM {name} AS given WHERE given.patient_id = patient.patient_id AND given.on_date = first_day)""",
        {"unknown": list(definition.unknown), "facts": [None] * len(definition.facts)},
    )
    if definition.items:
        con.execute(
            f"""
            DELETE FROM {name} WHERE item IS NULL AND EXISTS (
                SELECT 1 FROM {name} AS other
                WHERE other.patient_id = {name}.patient_id AND other.item IS NOT NULL AND other.on_date <= {name}.on_date)"""
        )


def _create_judged(con: duckdb.DuckDBPyConnection, definition: Definition, table: str | None = None) -> None:
    """judged: the rows of one criterion in the standard form, readings with partial dates brought together."""
    table = table or definition.id
    columns = f"""'{definition.id}' AS criterion, patient_id, CAST(item AS VARCHAR) AS item, on_date, status,
        CAST(grade AS INTEGER) AS grade, CAST(evidence AS BIGINT[]) AS evidence, CAST(missing AS VARCHAR[]) AS missing,
        CAST(facts AS VARCHAR[]) AS facts, CAST(notes AS VARCHAR[]) AS notes, CAST(margin AS DECIMAL(19,6)) AS margin"""
    item_from = "min(CASE WHEN item IS NOT NULL THEN on_date END) OVER (PARTITION BY patient_id) AS item_from"
    if not con.execute("SELECT count(*) FROM world").fetchone()[0]:
        con.execute(f"CREATE TEMP TABLE judged AS SELECT *, {item_from} FROM (SELECT {columns} FROM {table})")
        return
    two_readings = "(SELECT patient_id FROM world UNION ALL SELECT world_id FROM world)"
    con.execute(
        f"CREATE TEMP TABLE judged_all AS SELECT *, {item_from} "
        f"FROM (SELECT {columns} FROM {table} WHERE patient_id IN {two_readings})"
    )
    con.execute(
        f"CREATE TEMP TABLE judged AS SELECT *, {item_from} FROM ("
        f"SELECT {columns} FROM {table} WHERE patient_id NOT IN {two_readings} UNION ALL BY NAME SELECT * FROM ({PARTIAL_DATES}))"
    )
    con.execute("DELETE FROM judged WHERE item IS NULL AND item_from <= on_date")
    con.execute("DROP TABLE judged_all")


def _keep(con: duckdb.DuckDBPyConnection, definition: Definition, everyone: bool) -> None:
    """Stores a kept concept's rows of the patients judged, for the screens that show everyone."""
    name = definition.id
    con.execute("CREATE SCHEMA IF NOT EXISTS concept")
    theirs = f"FROM {name} WHERE patient_id IN (SELECT patient_id FROM asked)"
    if everyone:
        con.execute(f"CREATE OR REPLACE TABLE concept.{name} AS {theirs}")
    else:
        con.execute(f"DELETE FROM concept.{name} WHERE patient_id IN (SELECT patient_id FROM asked)")
        con.execute(f"INSERT INTO concept.{name} {theirs}")


def judged_by_these_rules(con: duckdb.DuckDBPyConnection, rules: Catalog | None = None) -> bool:
    """Whether the spells of a store are the answers of the rules as they are now."""
    judged_by = dict(con.execute("SELECT criterion, content_hash FROM result.rule").fetchall())
    return judged_by == (rules or catalog()).content_hashes()


@contextmanager
def _temporary(con: duckdb.DuckDBPyConnection):
    drop_temporary(con)
    try:
        yield
    finally:
        drop_temporary(con)


def drop_temporary(con: duckdb.DuckDBPyConnection) -> None:
    """Drops every TEMP table and view of a connection, whatever an evaluation before left there."""
    for name, form in con.execute(
        "SELECT view_name, 'VIEW' FROM duckdb_views() WHERE temporary AND NOT internal "
        "UNION ALL SELECT table_name, 'TABLE' FROM duckdb_tables() WHERE temporary"
    ).fetchall():
        con.execute(f'DROP {form} temp."{name}"')
