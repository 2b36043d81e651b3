"""The tables of one criterion while rules run, and how its rows are told.

For a criterion `x`: TEMP TABLE `x_row` (every judged row: what its last CTE carries, and item, status and grade of the answer),
TEMP TABLE `x_first` (patients to whom it says nothing on their first recorded day), and TEMP VIEW `x` (the standard columns, for
the rules that read it; evidence and sentences are computed only where they are asked for).
"""

from decimal import Decimal

import duckdb

from pipelines.catalog import Definition
from pipelines.engines.final_select import HEAVY, LIGHT

STATUS = "ENUM('met', 'not_met', 'not_evaluable')"
TYPES = {"evidence": "BIGINT[]", "missing": "VARCHAR[]", "facts": "VARCHAR[]", "notes": "VARCHAR[]", "margin": "DECIMAL(19, 6)"}


def create(con: duckdb.DuckDBPyConnection, definition: Definition, moved: dict[str, Decimal | int] | None, name: str) -> None:
    """Makes the three tables under `name`; `moved` replaces thresholds."""
    final = definition.final
    light = (
        f"CAST({final.expressions['item']}\n AS VARCHAR) AS answer_item, CAST({final.expressions['status']}\n AS {STATUS}) AS answer_status, "
        f"CAST({final.expressions['grade']}\n AS INTEGER) AS answer_grade"
    )
    rows = f"{final.rows} SELECT {final.source}.*, {light} FROM {final.source}"
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name}_row AS {definition.bound(rows, moved)}")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {name}_first AS SELECT patient_id, first_day AS on_date FROM patient
        WHERE NOT EXISTS (
            SELECT 1 FROM {name}_row AS given WHERE given.patient_id = patient.patient_id AND given.on_date = first_day)"""
    )
    if definition.items:  # a row with no item ends where an item has one
        con.execute(
            f"""DELETE FROM {name}_row WHERE answer_item IS NULL AND EXISTS (
                SELECT 1 FROM {name}_row AS other WHERE other.patient_id = {name}_row.patient_id
                AND other.answer_item IS NOT NULL AND other.on_date <= {name}_row.on_date)"""
        )
    con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {_standard(definition, moved, name)}")


def _standard(definition: Definition, moved: dict[str, Decimal | int] | None, name: str) -> str:
    told = ", ".join(
        [_light(definition)]
        + [f"{_heavy(definition, column, moved)} AS {column}" for column in definition.final.expressions if column not in LIGHT]
    )
    unknown = ", ".join(f"{text} AS {column}" for column, text in unknown_columns(definition).items())
    first = f"SELECT patient_id, on_date, NULL AS item, 'not_evaluable' AS status, NULL AS grade, {unknown} FROM {name}_first"
    return f"SELECT {told} FROM {name}_row AS {_source(definition)} UNION ALL BY NAME {first}"


def _source(definition: Definition) -> str:
    """The name under which its last CTE is read, and what is looked up beside it."""
    return f"{definition.final.source} {definition.bound(definition.final.joins)}"


def _light(definition: Definition) -> str:
    given = definition.final.source
    return (
        f"{given}.patient_id, {given}.on_date, {given}.answer_item AS item, CAST({given}.answer_status AS VARCHAR) AS status, "
        f"{given}.answer_grade AS grade"
    )


def heavy_columns(definition: Definition, moved: dict[str, Decimal | int] | None = None) -> str:
    """Evidence, missing, facts, notes and margin of rows of `x_row`, which the query names as the criterion's last CTE."""
    return ", ".join(f"{_heavy(definition, column, moved)} AS {column}" for column in HEAVY)


def _heavy(definition: Definition, column: str, moved: dict[str, Decimal | int] | None) -> str:
    text = definition.bound(definition.final.expressions[column], moved)
    return f"CAST({text}\n AS {TYPES[column]})" if column in TYPES else f"({text}\n)"


def unknown_columns(definition: Definition) -> dict[str, str]:
    """What is said on a first recorded day on which the criterion has no row."""
    texts = ", ".join("'" + text.replace("'", "''") + "'" for text in definition.unknown)
    return {
        "evidence": "CAST([] AS BIGINT[])",
        "missing": f"CAST([{texts}] AS VARCHAR[])",
        "facts": f"CAST([{', '.join(['NULL'] * len(definition.facts))}] AS VARCHAR[])",
        "notes": "CAST([] AS VARCHAR[])",
        "margin": "CAST(NULL AS DECIMAL(19, 6))",
    }


def drop(con: duckdb.DuckDBPyConnection, name: str) -> None:
    con.execute(f"DROP VIEW {name}")
    con.execute(f"DROP TABLE {name}_row")
    con.execute(f"DROP TABLE {name}_first")


def judged_rows(definition: Definition, name: str, condition: str, moved: dict[str, Decimal | int] | None = None) -> str:
    """SELECT of the whole answers of the rows for which `condition` on patient_id holds."""
    unknown = ", ".join(f"{text} AS {column}" for column, text in unknown_columns(definition).items())
    return f"""
        SELECT '{definition.id}' AS criterion, {_light(definition)}, {heavy_columns(definition, moved)}
        FROM (SELECT * FROM {name}_row WHERE {condition}) AS {_source(definition)}
        UNION ALL
        SELECT '{definition.id}', patient_id, on_date, NULL, 'not_evaluable', NULL, {unknown} FROM {name}_first WHERE {condition}"""


def light_rows(definition: Definition, name: str) -> str:
    """SELECT of every answer without what is said of it; row_id finds that again, NULL on a first day."""
    return f"""
        SELECT '{definition.id}' AS criterion, patient_id, answer_item AS item, on_date, answer_status AS status, answer_grade AS grade,
            rowid AS row_id FROM {name}_row
        UNION ALL SELECT '{definition.id}', patient_id, NULL, on_date, CAST('not_evaluable' AS {STATUS}), NULL, NULL FROM {name}_first"""


def told_runs(definition: Definition, name: str, moved: dict[str, Decimal | int] | None = None) -> str:
    """SELECT of the criterion's runs in `standing_run`, each with what is said of its last row: the form of result.spell."""
    runs = f"(SELECT * FROM standing_run WHERE criterion = '{definition.id}') AS run"
    unknown = ", ".join(f"{text} AS {column}" for column, text in unknown_columns(definition).items())
    shared = "from_date, last_judged, until_date"
    return f"""
        SELECT '{definition.id}' AS criterion, {_light(definition)}, {shared}, {heavy_columns(definition, moved)}
        FROM (
            SELECT given.*, run.from_date, run.last_judged, run.until_date FROM {runs} JOIN {name}_row AS given ON given.rowid = run.last_row
        ) AS {_source(definition)}
        UNION ALL
        SELECT '{definition.id}', patient_id, last_judged, NULL, 'not_evaluable', NULL, {shared}, {unknown} FROM {runs} WHERE last_row IS NULL"""
