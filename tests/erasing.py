"""A patient to erase, and a look for them in every byte of a store. Used by the tests of erasure."""

import io
import re
import shutil
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
from pyarrow import parquet

from pipelines.store.database import Store, open_snapshot

PATIENT = "zqx77"
# The patient's own values, which nobody else has.
VALUES = ("7391.25", "zqx-ferritin-1", "4413", "64.125", "zqx hears nothing", "1931")
SECRETS = (PATIENT, *VALUES)
ROWS = {
    "patients": [
        {"patient_id": PATIENT, "sex": "female", "birth_year": "1931", "site": "north"},
        {"patient_id": "p2", "sex": "male", "birth_year": "1960", "site": "north"},
    ],
    "labs": [
        {"patient_id": PATIENT, "analyte": "ferritin", "value": "7391.25", "unit": "ng/mL", "at": "2024-01-01", "status": "final",
         "record_id": "zqx-ferritin-1"},
        {"patient_id": "p2", "analyte": "ldh", "value": "400", "unit": "U/L", "at": "2024-01-02", "status": "final", "record_id": "b1"},
        {"patient_id": PATIENT, "analyte": "kl6", "value": "4413", "unit": "furlong", "at": "2024-01-02", "record_id": "a2"},
        {"patient_id": "p2", "analyte": "kl6", "value": "900", "unit": "furlong", "at": "2024-01-02", "record_id": "b2"},
        {"patient_id": "p2", "analyte": "ldh", "value": "400", "unit": "U/L", "at": "2024-01-02", "status": "final", "record_id": "b1"},
    ],
    "pft": [
        {"patient_id": PATIENT, "measure": "fvc", "percent_predicted": "64.125", "at": "2024-01-03", "record_id": "a3"},
        {"patient_id": "p2", "measure": "fvc", "percent_predicted": "81", "at": "2024-01-03", "record_id": "b3"},
    ],
    "administrations": [
        {"patient_id": PATIENT, "drug": "prednisolone", "route": "oral", "dose": "40", "dose_unit": "mg", "per": "day",
         "start": "2024-01-01", "stop": "2024-02-01", "record_id": "a4"},
        {"patient_id": "p2", "drug": "prednisolone", "route": "oral", "dose": "20", "dose_unit": "mg", "per": "day",
         "start": "2024-01-01", "stop": "2024-02-01", "record_id": "b4"},
    ],
    "events": [
        {"patient_id": PATIENT, "kind": "symptom", "code": "dyspnoea", "value": "worse", "text": "zqx hears nothing",
         "at": "2024-01-05", "record_id": "a5"},
        {"patient_id": "p2", "kind": "symptom", "code": "dyspnoea", "value": "same", "at": "2024-01-05", "record_id": "b5"},
    ],
}  # fmt: skip
# Where a record of somebody else may differ once a file was rewritten: nowhere but in the hash of the file.
TABLES = (
    "record.patient", "record.observation", "record.administration", "record.event", "result.spell", "source.decision", "source.slip",
)  # fmt: skip


def csv_text(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [columns, *([row.get(name, "") for name in columns] for row in rows)]
    return "".join(delimiter.join(line) + "\n" for line in lines)


HASH = re.compile(rb"[0-9a-f]{40,}")


def traces(store: Store, *texts: str) -> list[str]:
    """Which of these texts stand in which file of the store: in its bytes, in the parts of zip files, in the tables of databases."""
    found = []
    for path in sorted(path for path in store.folder.rglob("*") if path.is_file()):
        contents = [path.name.encode(), path.read_bytes()]
        contents += _parts(path, contents[1])
        contents = [HASH.sub(b"", content) for content in contents]  # in which four digits stand by chance
        for text in texts:
            forms = (text.encode(), text.encode("utf-16-le"))
            if any(form in content for form in forms for content in contents):
                found.append(f"{path.relative_to(store.folder)}: {text}")
    return found


def _parts(path: Path, content: bytes) -> list[bytes]:
    """What the bytes of a file do not show as they are."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return [file.read(name) for name in file.namelist()]
    if content.startswith(b"PAR1"):
        table = parquet.read_table(pa.BufferReader(content))
        return [str(table.to_pylist()).encode(), str(table.schema.metadata).encode()]
    if content[8:12] == b"DUCK":
        return [_tables(path)]
    return []


def _tables(path: Path) -> bytes:
    with TemporaryDirectory() as folder:
        for file in (path, path.with_name(f"{path.name}.wal")):
            if file.exists():
                shutil.copyfile(file, Path(folder, file.name))
        with duckdb.connect(str(Path(folder, path.name))) as con:
            names = con.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall()
            return "\n".join(str(con.execute(f"FROM {name}").fetchall()) for (name,) in names).encode()


def of_others(store: Store, erased: str) -> dict[str, list[tuple]]:
    """Everything that the store says of the other patients, and of rows that name one of them; without hashes of files."""
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        found = {}
        for table in TABLES:
            others = f"WHERE patient_id <> '{erased}'" if table != "source.decision" else ""
            found[table] = cursor.execute(f"FROM {table} {others} ORDER BY ALL").fetchall()
        found["rejected"] = cursor.execute(
            "FROM source.rejected WHERE patient_id <> ? AND reason <> 'patient_erased' ORDER BY ALL", [erased]
        ).fetchall()
        found["row"] = cursor.execute(
            "FROM source.row ANTI JOIN source.rejected USING (file_id, line) ORDER BY ALL"
        ).fetchall()
        return found


def rejected(store: Store) -> list[tuple]:
    """(file, line, reason, raw) of every rejected row."""
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        return cursor.execute(
            "SELECT name, line, reason, raw FROM source.rejected JOIN source.file USING (file_id) ORDER BY file_id, line"
        ).fetchall()
