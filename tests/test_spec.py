"""Every case of tests/spec, through the front door: the rows given are loaded as native files and judged by the engine.

The boundary law: moving any declared threshold by one step, up or down, breaks at least one case of its file.
"""

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest

from pipelines import dictionary, ingest, sources
from pipelines.catalog import Definition, catalog
from pipelines.engines import on_duckdb
from tests.spec_cases import GIVEN, Case, Spec, actual_value, expected_value, read_specs

SCHEMA = (Path(ingest.__file__).parents[1] / "store" / "schema.sql").read_text(encoding="utf-8")
RECEIVED = datetime(2030, 1, 1)
SPECS = {spec.id: spec for spec in read_specs()}


@dataclass
class Judged:
    """All cases loaded and judged: the connection, and the name each spec row gave itself, by record id."""

    con: duckdb.DuckDBPyConnection
    names: dict[int, str]


@cache
def judged() -> Judged:
    con = duckdb.connect()
    con.execute(SCHEMA)
    rows = defaultdict(list)
    for spec in SPECS.values():
        for case in spec.cases:
            for name, given in case.given.items():
                rows[name] += [{"patient_id": case.id} | row for row in given]
    named: dict[tuple[int, int], str] = {}
    with TemporaryDirectory() as folder:
        for file_id, name in enumerate((name for name in GIVEN if name in rows), start=1):
            path = Path(folder) / f"{name}.csv"
            _write(path, rows[name])
            source = sources.recognise(path)
            con.execute(
                "INSERT INTO source.file VALUES (?, ?, '', ?, ?, [])", [file_id, path.name, source.format, RECEIVED]
            )
            ingest.ingest(con, file_id, source, RECEIVED)
            for line, row in enumerate(rows[name], start=2):
                named[file_id, line] = row.get("record_id", "").split("/")[-1]
    refused = con.execute("SELECT file_id, line, reason, raw FROM source.rejected").fetchall()
    assert not refused, f"rows of the spec files were refused: {refused}"
    places = con.execute(
        "SELECT record_id, file_id, line FROM record.observation UNION ALL SELECT record_id, file_id, line "
        "FROM record.administration UNION ALL SELECT record_id, file_id, line FROM record.event"
    ).fetchall()
    on_duckdb.replay(con, [case.id for spec in SPECS.values() for case in spec.cases])
    return Judged(con, {record_id: named[file_id, line] for record_id, file_id, line in places})


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    columns = sorted({column for row in rows for column in row}, key=lambda column: (column != "patient_id", column))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for row in rows:  # a record_id is a name inside one case
            writer.writerow(
                row | ({"record_id": f"{row['patient_id']}/{row['record_id']}"} if row.get("record_id") else {})
            )


def disagreements(case: Case, definition: Definition, table: str) -> list[str]:
    """Where the answer differs from what the case expects; empty when it agrees."""
    if definition.kind == "criterion":
        return [difference for row in case.expected for difference in _standing_differs(case, row, table)]
    columns = list(case.expected[0]) if case.expected else ["patient_id"]
    found = judged().con.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE patient_id = ?", [case.id]).fetchall()
    expected = [tuple(expected_value(column, row[column]) for column in columns) for row in case.expected]
    actual = [
        tuple(actual_value(value, judged().names) for column, value in zip(columns, row, strict=True)) for row in found
    ]
    return [] if sorted(map(str, expected)) == sorted(map(str, actual)) else [
        f"{columns}\n expected {sorted(map(str, expected))}\n found    {sorted(map(str, actual))}"]  # fmt: skip


def _standing_differs(case: Case, row: dict[str, str], table: str) -> list[str]:
    columns = [column for column in row if column not in ("on_date", "item")]
    criterion = case.id.rsplit("-", 1)[0]
    found = (
        judged()
        .con.execute(
            f"""SELECT {", ".join(columns)} FROM {table}
            WHERE criterion = ? AND patient_id = ? AND item IS NOT DISTINCT FROM ?
            AND on_date <= CAST(? AS DATE) AND (until_date IS NULL OR until_date > CAST(? AS DATE))""",
            [criterion, case.id, row.get("item") or None, row["on_date"], row["on_date"]],
        )
        .fetchall()
    )
    if row.get("status") == "-":
        return [f"{row}: an answer stands: {found}"] if found else []
    if len(found) != 1:
        return [f"{row}: {len(found)} answers stand"]
    names = judged().names
    told = [
        (column, actual_value(value, names), expected_value(column, row[column]))
        for column, value in zip(columns, found[0], strict=True)
    ]
    return [
        f"on {row['on_date']} {row.get('item', '')}: {column} is {actual}, expected {expected}"
        for column, actual, expected in told
        if actual != expected
    ]


def cases() -> list[tuple[Spec, Case]]:
    return [(spec, case) for spec in SPECS.values() for case in spec.cases]


@pytest.mark.parametrize(("spec", "case"), cases(), ids=[f"{case.id}: {case.title}" for _, case in cases()])
def test_case(spec: Spec, case: Case) -> None:
    definition = catalog()[spec.id]
    table = "judgement" if definition.kind == "criterion" else spec.id
    if case.site:
        assert all(definition.thresholds[name].site for name in case.site)
        table = on_duckdb.judge_again(judged().con, definition, case.site)
    assert not (found := disagreements(case, definition, table)), "\n".join(found)


def boundaries() -> list[tuple[str, str, int]]:
    rules = catalog()
    return [
        (definition_id, name, sign)
        for definition_id in rules.order
        for name in rules[definition_id].thresholds
        for sign in (1, -1)
    ]  # fmt: skip


@pytest.mark.parametrize(("definition_id", "name", "sign"), boundaries(), ids=lambda value: str(value))
def test_moving_a_threshold_by_one_step_breaks_a_case(definition_id: str, name: str, sign: int) -> None:
    definition = catalog()[definition_id]
    threshold = definition.thresholds[name]
    table = on_duckdb.judge_again(judged().con, definition, {name: threshold.value + sign * threshold.step})
    assert any(disagreements(case, definition, table) for case in SPECS[definition_id].cases if not case.site)


def intervals() -> list[tuple[str, int, str, int]]:
    """Every number of the monitoring schedule, one day either way: test, first day of the phase, column, sign."""
    return [
        (test, phase["from_day"], column, sign)
        for test, block in dictionary.monitoring().items()
        for phase in block["due"]
        for column in ("every", "to_day")
        if column in phase
        for sign in (1, -1)
    ]


@pytest.mark.parametrize(("test", "from_day", "column", "sign"), intervals(), ids=lambda value: str(value))
def test_moving_the_monitoring_schedule_by_one_day_breaks_a_case(
    test: str, from_day: int, column: str, sign: int
) -> None:
    con = judged().con
    con.execute("CREATE OR REPLACE TEMP TABLE schedule_as_it_is AS SELECT * FROM monitoring")
    con.execute(
        f"UPDATE monitoring SET {column} = {column} + ? WHERE test = ? AND from_day = ?", [sign, test, from_day]
    )
    if column == "to_day":  # the next phase begins where this one ends
        con.execute(
            "UPDATE monitoring SET from_day = from_day + ? WHERE test = ? AND from_day IN "
            "(SELECT to_day FROM schedule_as_it_is WHERE test = ? AND from_day = ?)",
            [sign, test, test, from_day],
        )
    definition = catalog()["overdue_tests"]
    try:
        table = on_duckdb.judge_again(con, definition, {})
        assert any(disagreements(case, definition, table) for case in SPECS[definition.id].cases)
    finally:
        con.execute("DELETE FROM monitoring")
        con.execute("INSERT INTO monitoring SELECT * FROM schedule_as_it_is")


def test_a_threshold_reads_in_a_sentence_as_it_is_written() -> None:
    """A decimal below 1 bound as a parameter would lose its zero: DuckDB prints DECIMAL(1, 1) as `.8`."""
    rules = catalog()
    for definition_id in rules.order:
        for name, threshold in rules[definition_id].thresholds.items():
            for value in (threshold.value, Decimal("0.8"), Decimal("0.05")):
                printed = rules[definition_id].bound(f"SELECT CAST(${name} AS VARCHAR)", {name: value})
                assert judged().con.execute(printed).fetchone()[0] == str(value)


def test_no_sentence_has_a_number_without_its_zero() -> None:
    said = "SELECT criterion, unnest(list_concat(facts, missing)) AS said FROM judgement"
    found = judged().con.execute(f"SELECT * FROM ({said}) WHERE regexp_matches(said, '(^|[^0-9])[.][0-9]')").fetchall()
    assert not found


def test_every_definition_has_a_spec_and_every_spec_a_definition() -> None:
    rules = catalog()
    assert set(SPECS) == set(rules.order)


def test_every_criterion_has_a_case_for_each_of_its_three_answers() -> None:
    for criterion in catalog().criteria:
        answers = {row.get("status") for case in SPECS[criterion].cases for row in case.expected}
        assert answers >= {"met", "not_met", "not_evaluable"}, criterion
