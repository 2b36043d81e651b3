"""The law of the formats: one set of facts written as CSV, Excel, FHIR and HL7 gives identical records."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipelines.identity import PatientIds
from pipelines.load import load
from pipelines.sources import Declared
from pipelines.store.database import Store, open_snapshot
from pipelines.verify import verify
from tests.ingesting import RECEIVED
from tests.writers import excel, fhir, hl7v2

ROOT = Path(__file__).parents[1]
KINDS = ("patients", "labs", "pft", "oxygen", "administrations", "events")
FORMATS = {
    "excel": (excel.write, "facts.xlsx"),
    "fhir bundle": (fhir.write, "facts.json"),
    "fhir ndjson": (fhir.write, "facts.ndjson"),
    "hl7": (hl7v2.write, "facts.hl7"),
}
# What a record says; where it came from, and how its number and unit were printed there, is the format's own.
OF_THE_FILE = ("file_id", "line", "received_at", "received_until", "original_value", "original_unit", "original_dose")
PATIENTS = os.environ.get(
    "MDA5_TEST_PATIENTS", "5"
)  # of the generated cohort: 40 are the whole of it, and take minutes
TABLES = ("patient", "observation", "administration", "event")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    generate = ROOT / "sample_data" / "cohort" / "generate.py"
    subprocess.run([sys.executable, generate, "--patients", PATIENTS, "--seed", "5", "--out", folder], check=True)
    return folder


def native_rows(folder: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of a folder of native files, by kind, as the writers take them."""
    rows = {}
    for kind in KINDS:
        path = folder / f"{kind}.csv"
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                rows[kind] = list(csv.DictReader(file))
    return rows


def records(store: Store) -> dict[str, list[tuple]]:
    """Every record of a store by table, sorted, without what is the file's own."""
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        return {table: _rows(cursor, table) for table in TABLES}


def _rows(cursor: duckdb.DuckDBPyConnection, table: str) -> list[tuple]:
    columns = [row[0] for row in cursor.execute(f"DESCRIBE record.{table}").fetchall()]
    kept = ", ".join(column for column in columns if column not in OF_THE_FILE)
    return cursor.execute(f"SELECT {kept} FROM record.{table} ORDER BY ALL").fetchall()


def outcomes(store: Store) -> list[tuple]:
    """How many rows of each kind were accepted, repeated, superseded or rejected, and for which reason."""
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        return cursor.execute(
            """SELECT kind, outcome, reason, count(*) FROM source.row LEFT JOIN source.rejected USING (file_id, line)
               GROUP BY ALL ORDER BY ALL"""
        ).fetchall()


def loaded(folder: Path, *paths: Path) -> Store:
    store = Store(folder)
    report = load(store, paths, received_at=RECEIVED, declared=Declared(ids=PatientIds(pseudonymous=True)))
    assert [file.refused for file in report.files if file.refused] == []
    return store


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory, generated: Path) -> Callable[[str], tuple[dict, Store]]:
    """The rows of a sample, and the store they give as native files; loaded once."""
    stores = {}

    def of(sample: str) -> tuple[dict, Store]:
        if sample not in stores:
            folder = generated if sample == "generated" else ROOT / "sample_data" / sample
            rows = native_rows(folder)
            store = loaded(tmp_path_factory.mktemp(sample) / "store", *(folder / f"{kind}.csv" for kind in rows))
            stores[sample] = rows, store
        return stores[sample]

    return of


@pytest.mark.parametrize("sample", ["yonsei_2021", "published_cases", "generated"])
@pytest.mark.parametrize("name", FORMATS)
def test_the_same_facts_give_the_same_records(tmp_path: Path, native: Callable, sample: str, name: str):
    rows, as_csv = native(sample)
    write, file_name = FORMATS[name]
    write(rows, tmp_path / file_name)
    written = loaded(tmp_path / "store", tmp_path / file_name)
    expected, found = records(as_csv), records(written)
    for table in TABLES:
        assert len(expected[table]) == len(found[table]), table
        assert expected[table] == found[table], table
    assert outcomes(written) == outcomes(as_csv)
    assert [check.promise for check in verify(written) if not check.holds] == []
