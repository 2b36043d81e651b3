"""The real case, every table: what comes out is compared as text with tests/golden/expected/<table>.csv.

`pytest tests/golden --update-golden` rewrites the files; the change is then reviewed in the diff. Record ids are shown as
file and line of the record they name, so that a row can be read.
"""

import csv
import io
from pathlib import Path

import pytest

from pipelines.catalog import catalog
from pipelines.engines import on_duckdb
from tests.golden.real_case import PATIENT, reading

EXPECTED = Path(__file__).parent / "expected"
RECORDS = (
    "record.patient",
    "record.observation",
    "record.administration",
    "record.event",
    "source.row",
    "source.rejected",
)
TABLES = [*RECORDS, "result.spell", "judgement", *catalog().concepts]


def tables() -> dict[str, str]:
    """Every table as CSV text, rows sorted."""
    with reading() as cursor:
        on_duckdb.replay(cursor, [PATIENT])
        files = dict(cursor.execute("SELECT file_id, name FROM source.file").fetchall())
        places = {
            record_id: f"{files[file_id]}:{line}"
            for record_id, file_id, line in cursor.execute(
                "SELECT record_id, file_id, line FROM record.observation UNION ALL SELECT record_id, file_id, line "
                "FROM record.administration UNION ALL SELECT record_id, file_id, line FROM record.event"
            ).fetchall()
        }
        return {name: _as_csv(cursor.execute(f"SELECT * FROM {name} {_only(cursor, name)}"), places) for name in TABLES}


def _only(cursor, name: str) -> str:
    """The patient's own rows, where the table has patients: a reading of partial dates (engines/inputs.py) is another."""
    columns = [column[0] for column in cursor.execute(f"SELECT * FROM {name} LIMIT 0").description]
    return f"WHERE patient_id = '{PATIENT}'" if "patient_id" in columns else ""


def _as_csv(found, places: dict[int, str]) -> str:
    names = [column[0] for column in found.description]
    shown = [name for name in names if name not in ("fact_id", "set_id")]  # hashes: the record ids stand for them
    rows = []
    for row in found.fetchall():
        told = dict(zip(names, row, strict=True))
        rows.append([_text(told[name], places) for name in shown])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(shown)
    writer.writerows(sorted(rows))
    return text.getvalue()


def _text(value: object, places: dict[int, str]) -> str:
    if isinstance(value, list):
        return "; ".join(sorted({str(places.get(part, part)) for part in value}))
    if isinstance(value, int) and not isinstance(value, bool):
        return places.get(value, str(value))
    return "" if value is None else str(value)


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    return tables()


@pytest.mark.parametrize("name", TABLES)
def test_table(name: str, found: dict[str, str], request: pytest.FixtureRequest) -> None:
    path = EXPECTED / f"{name}.csv"
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found[name], encoding="utf-8")
    assert found[name] == path.read_text(encoding="utf-8"), f"{name} changed: review it, then --update-golden"
