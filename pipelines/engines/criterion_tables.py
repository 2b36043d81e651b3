"""The tables of one criterion while rules run, and how its rows are told.

For a criterion `x`: TEMP TABLE `x_row` (every judged row: what its last CTE carries, and item, status and grade of the answer),
TEMP TABLE `x_first` (patients to whom it says nothing on their first recorded day), and TEMP VIEW `x` (the standard columns, for
the rules that read it; evidence and sentences are computed only where they are asked for).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from pipelines.catalog import Definition
from pipelines.engines.final_select import HEAVY, LIGHT, Lookup

STATUS = "ENUM('met', 'not_met', 'not_evaluable')"
TYPES = {"evidence": "BIGINT[]", "missing": "VARCHAR[]", "facts": "VARCHAR[]", "notes": "VARCHAR[]", "margin": "DECIMAL(19, 6)"}
STANDARD = ", ".join(LIGHT + HEAVY)
UNKNOWN_LIGHT = "patient_id, on_date, CAST(NULL AS VARCHAR) AS item, 'not_evaluable' AS status, CAST(NULL AS INTEGER) AS grade"
Replaced = Mapping[str, Decimal | int] | None


@dataclass(frozen=True)
class Judged:
    """A criterion whose tables were made under `name`; `moved` replaces thresholds. `beside`: the criteria it may look up."""

    definition: Definition
    name: str
    moved: Replaced
    beside: Mapping[str, "Judged"]

    @property
    def source(self) -> str:
        return self.definition.final.source

    def create(self, con: duckdb.DuckDBPyConnection) -> None:
        """Makes the three tables."""
        final = self.definition.final
        light = (
            f"CAST({final.expressions['item']}\n AS VARCHAR) AS answer_item, CAST({final.expressions['status']}\n AS {STATUS}) AS answer_status, "
            f"CAST({final.expressions['grade']}\n AS INTEGER) AS answer_grade"
        ) + "".join(f", {final.expressions[column]}\n AS {column}" for column in self._extra())
        rows = f"{final.rows} SELECT {self.source}.*, {light} FROM {self.source}"
        con.execute(f"CREATE OR REPLACE TEMP TABLE {self.name}_row AS {self._bound(rows)}")
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE {self.name}_first AS SELECT patient_id, first_day AS on_date FROM patient
            WHERE NOT EXISTS (
                SELECT 1 FROM {self.name}_row AS given WHERE given.patient_id = patient.patient_id AND given.on_date = first_day)"""
        )
        if self.definition.items:  # a row with no item ends where an item has one
            con.execute(
                f"""DELETE FROM {self.name}_row WHERE answer_item IS NULL AND EXISTS (
                    SELECT 1 FROM {self.name}_row AS other WHERE other.patient_id = {self.name}_row.patient_id
                    AND other.answer_item IS NOT NULL AND other.on_date <= {self.name}_row.on_date)"""
            )
        con.execute(f"CREATE OR REPLACE TEMP VIEW {self.name} AS {self._read_by_others()}")

    def drop(self, con: duckdb.DuckDBPyConnection) -> None:
        con.execute(f"DROP VIEW {self.name}")
        con.execute(f"DROP TABLE {self.name}_row")
        con.execute(f"DROP TABLE {self.name}_first")

    def light_rows(self) -> str:
        """SELECT of every answer without what is said of it; row_id finds that again, NULL on a first day."""
        criterion = f"'{self.definition.id}' AS criterion"
        return f"""
            SELECT {criterion}, patient_id, answer_item AS item, on_date, answer_status AS status, answer_grade AS grade,
                rowid AS row_id FROM {self.name}_row
            UNION ALL
            SELECT {criterion}, patient_id, NULL, on_date, CAST('not_evaluable' AS {STATUS}), NULL, NULL FROM {self.name}_first"""

    def judged_rows(self, condition: str) -> str:
        """SELECT of the whole answers of the rows for which `condition` on patient_id holds."""
        criterion = f"'{self.definition.id}' AS criterion"
        return f"""
            SELECT {criterion}, {STANDARD} FROM ({self._said(f"SELECT * FROM {self.name}_row WHERE {condition}")})
            UNION ALL BY NAME SELECT {criterion}, {self._unknown()} FROM {self.name}_first WHERE {condition}"""

    def told_runs(self) -> str:
        """SELECT of the criterion's runs in `standing_run`, each with what is said of its last row: the form of result.spell."""
        criterion = f"'{self.definition.id}' AS criterion"
        runs = f"(SELECT * FROM standing_run WHERE criterion = '{self.definition.id}') AS run"
        run = ("from_date", "last_judged", "until_date")
        ending = f"""SELECT given.*, {", ".join(f"run.{column}" for column in run)}
            FROM {runs} JOIN {self.name}_row AS given ON given.rowid = run.last_row"""
        return f"""
            SELECT {criterion}, {STANDARD}, {", ".join(run)} FROM ({self._said(ending, run)})
            UNION ALL BY NAME
            SELECT {criterion}, {self._unknown()}, {", ".join(run)} FROM (SELECT *, last_judged AS on_date FROM {runs} WHERE last_row IS NULL)"""

    def _bound(self, text: str) -> str:
        return self.definition.bound(text, self.moved)

    def _read_by_others(self) -> str:
        """What other rules may read: all columns, but of a criterion that looks up what it says only what it does not look up."""
        said = self._expressions() if not self.definition.final.joins else self._light()
        more = "".join(f", {column}" for column in self._extra())
        return f"""
            SELECT {said}{more} FROM {self.name}_row AS {self.source}
            UNION ALL BY NAME SELECT {self._unknown() if not self.definition.final.joins else UNKNOWN_LIGHT} FROM {self.name}_first"""

    def _extra(self) -> list[str]:
        return [column for column in self.definition.final.expressions if column not in LIGHT + HEAVY]

    def _said(self, rows: str, carried: tuple[str, ...] = ()) -> str:
        """SELECT of the answers of some rows of `x_row` with all that is said of them. What is looked up in another criterion is
        said only of the rows looked up: to say it of all of them and join then would cost the more."""
        kept = f"kept_{self.name}"
        lookups = "\n".join(self._looked_up(lookup, kept) for lookup in self.definition.final.lookups)
        also = "".join(f", {self.source}.{column}" for column in carried)
        ctes = "".join(f", {self._bound(cte)}" for cte in self.definition.final.telling(kept))
        return f"""WITH {kept} AS MATERIALIZED ({rows}){ctes}
            SELECT {self._expressions()}{also} FROM {kept} AS {self.source} {lookups}"""

    def _looked_up(self, lookup: Lookup, kept: str) -> str:
        condition = self._bound(lookup.condition)
        other = self.beside.get(lookup.table)
        if other is None:  # a concept, or a CTE of its own
            return f"LEFT JOIN {lookup.table} AS {lookup.alias} ON {condition}"
        asked = self._bound(lookup.on_rows("given"))
        rows = f"SELECT given.* FROM {other.name}_row AS given SEMI JOIN {kept} AS {self.source} ON {asked}"
        said = f"SELECT * FROM ({other._said(rows)}) UNION ALL BY NAME SELECT {other._unknown()} FROM {other.name}_first"
        return f"LEFT JOIN ({said}) AS {lookup.alias} ON {condition}"

    def _light(self) -> str:
        given = self.source
        return (
            f"{given}.patient_id, {given}.on_date, {given}.answer_item AS item, CAST({given}.answer_status AS VARCHAR) AS status, "
            f"{given}.answer_grade AS grade"
        )

    def _expressions(self) -> str:
        said = (f"CAST({self._bound(self.definition.final.expressions[column])}\n AS {TYPES[column]}) AS {column}" for column in HEAVY)
        return ", ".join([self._light(), *said])

    def _unknown(self) -> str:
        """What is said on a first recorded day on which the criterion has no row."""
        missing = ", ".join("'" + text.replace("'", "''") + "'" for text in self.definition.unknown)
        facts = ", ".join(["NULL"] * len(self.definition.facts))
        return (
            f"{UNKNOWN_LIGHT}, CAST([] AS BIGINT[]) AS evidence, CAST([{missing}] AS VARCHAR[]) AS missing, CAST([{facts}] AS VARCHAR[]) AS facts, "
            "CAST([] AS VARCHAR[]) AS notes, CAST(NULL AS DECIMAL(19, 6)) AS margin"
        )
