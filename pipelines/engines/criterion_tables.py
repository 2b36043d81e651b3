"""The tables of one criterion while rules run, and how its rows are told.

For a criterion `x`: TEMP TABLE `x_row` (every judged row: what its last CTE carries, and item, status and grade of the answer),
TEMP TABLE `x_first` (patients to whom it says nothing on their first recorded day), and TEMP VIEW `x` (the standard columns, for
the rules that read it; evidence and sentences are computed only where they are asked for).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from pipelines.catalog import Definition
from pipelines.engines.final_select import HEAVY, LIGHT

STATUS = "ENUM('met', 'not_met', 'not_evaluable')"
TYPES = {
    "evidence": "BIGINT[]",
    "missing": "VARCHAR[]",
    "facts": "VARCHAR[]",
    "notes": "VARCHAR[]",
    "margin": "DECIMAL(19, 6)",
}
STANDARD = ", ".join(LIGHT + HEAVY)
UNKNOWN_LIGHT = (
    "patient_id, on_date, CAST(NULL AS VARCHAR) AS item, 'not_evaluable' AS status, CAST(NULL AS INTEGER) AS grade"
)
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

    def create(self, con: duckdb.DuckDBPyConnection, read_by_others: bool) -> int:
        """Makes the tables, and the view where other rules read it: to bind it costs as much as to bind the rule again. Returns the
        number of rows judged."""
        final = self.definition.final
        light = (
            f"CAST({final.expressions['item']}\n AS VARCHAR) AS answer_item, "
            f"CAST({final.expressions['status']}\n AS {STATUS}) AS answer_status, "
            f"CAST({final.expressions['grade']}\n AS INTEGER) AS answer_grade"
        ) + "".join(f", {final.expressions[column]}\n AS {column}" for column in self._extra())
        rows = f"{final.rows} SELECT {self.source}.*, {light} FROM {self.source}"
        made = con.execute(f"CREATE OR REPLACE TEMP TABLE {self.name}_row AS {self._bound(rows)}").fetchone()[0]
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
        if read_by_others:
            con.execute(f"CREATE OR REPLACE TEMP VIEW {self.name} AS {self._read_by_others()}")
        return made

    def drop(self, con: duckdb.DuckDBPyConnection) -> None:
        con.execute(f"DROP VIEW IF EXISTS {self.name}")
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

    def keep(self, con: duckdb.DuckDBPyConnection, row_ids: list[str]) -> None:
        """kept_x: the rows to be told; `row_ids` are SELECTs of them."""
        chosen = " UNION ALL ".join(row_ids)
        con.execute(
            f"CREATE TEMP TABLE kept_{self.name} AS SELECT *, rowid AS row_id FROM {self.name}_row WHERE rowid IN ({chosen})"
        )

    def lookups(self) -> list[tuple["Judged", str]]:
        """The criteria in which the rows of kept_x are looked up, each with a SELECT of the row ids sought there."""
        sought = []
        for lookup in self.definition.final.lookups:
            if lookup.table in self.beside:
                rows = f"{self.beside[lookup.table].name}_row"
                asked = self._bound(lookup.on_rows("given"))
                sought.append(
                    (
                        self.beside[lookup.table],
                        f"SELECT given.rowid FROM {rows} AS given SEMI JOIN kept_{self.name} AS {self.source} ON {asked}",
                    )
                )
        return sought

    def say(self, con: duckdb.DuckDBPyConnection, kept: bool) -> None:
        """said_x: the whole answers of the rows of kept_x, or of all, and of the first days, each with its row_id (NULL on a first day)."""
        final = self.definition.final
        rows = f"kept_{self.name}" if kept else f"(SELECT *, rowid AS row_id FROM {self.name}_row)"
        ctes = ", ".join(self._bound(cte) for cte in final.telling(f"kept_{self.name}" if kept else f"{self.name}_row"))
        joins = "\n".join(
            f"LEFT JOIN {f'said_{self.beside[one.table].name}' if one.table in self.beside else one.table} AS {one.alias} "
            f"ON {self._bound(one.condition)}"
            for one in final.lookups
        )
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE said_{self.name} AS
            SELECT * FROM (
                {"WITH " if ctes else ""}{ctes} SELECT {self._expressions()}, {self.source}.row_id FROM {rows} AS {self.source} {joins})
            UNION ALL BY NAME SELECT {self._unknown()} FROM {self.name}_first"""
        )

    def judged_rows(self, condition: str) -> str:
        """SELECT of the whole answers said of the patients for whom `condition` holds."""
        return f"SELECT '{self.definition.id}' AS criterion, {STANDARD} FROM said_{self.name} WHERE {condition}"

    def all_said(self) -> str:
        """SELECT of said_x, with the criterion."""
        return f"SELECT '{self.definition.id}' AS criterion, row_id, {STANDARD} FROM said_{self.name}"

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

    def _light(self) -> str:
        given = self.source
        return (
            f"{given}.patient_id, {given}.on_date, {given}.answer_item AS item, CAST({given}.answer_status AS VARCHAR) AS status, "
            f"{given}.answer_grade AS grade"
        )

    def _expressions(self) -> str:
        texts = {column: self._bound(self.definition.final.expressions[column]) for column in HEAVY}
        said = (f"CAST({text}\n AS {TYPES[column]}) AS {column}" for column, text in texts.items())
        return ", ".join([self._light(), *said])

    def _unknown(self) -> str:
        """What is said on a first recorded day on which the criterion has no row."""
        missing = ", ".join("'" + text.replace("'", "''") + "'" for text in self.definition.unknown)
        facts = ", ".join(["NULL"] * len(self.definition.facts))
        return (
            f"{UNKNOWN_LIGHT}, CAST([] AS BIGINT[]) AS evidence, CAST([{missing}] AS VARCHAR[]) AS missing, "
            f"CAST([{facts}] AS VARCHAR[]) AS facts, "
            "CAST([] AS VARCHAR[]) AS notes, CAST(NULL AS DECIMAL(19, 6)) AS margin"
        )


def tell(con: duckdb.DuckDBPyConnection, judged: list[Judged]) -> None:
    """said_x for each criterion, of all its rows, and for what they look up."""
    everyone = _everyone(judged)
    needed = {one.name for one in judged}
    for name in reversed(everyone):
        if name in needed:
            needed |= {lookup.table for lookup in everyone[name].definition.final.lookups}
    for name, one in everyone.items():
        if name in needed:
            one.say(con, kept=False)


@contextmanager
def told(
    con: duckdb.DuckDBPyConnection, judged: list[Judged], row_ids: Callable[[Judged], str] | None
) -> Iterator[None]:
    """While the block runs `said_x` holds what is to be said of the rows that `row_ids` SELECTs, or of all.

    What one criterion looks up in others is collected from all who ask before it is said, once.
    """
    if row_ids is None:
        tell(con, judged)
        yield
        return
    asked = {one.name: [row_ids(one)] for one in judged}
    everyone = _everyone(judged)
    kept: list[Judged] = []
    for name in reversed(everyone):
        if name in asked:
            kept.append(everyone[name])
            everyone[name].keep(con, asked[name])
            for other, rows in everyone[name].lookups():
                asked.setdefault(other.name, []).append(rows)
    for one in reversed(kept):
        one.say(con, kept=True)
    yield
    for one in kept:
        con.execute(f"DROP TABLE said_{one.name}")
        con.execute(f"DROP TABLE kept_{one.name}")


def _everyone(judged: list[Judged]) -> dict[str, Judged]:
    """These criteria and all that they may look up, each after those before it."""
    found: dict[str, Judged] = {}
    for one in judged:
        found |= {name: other for name, other in one.beside.items() if name not in found}
    return found | {one.name: one for one in judged}
