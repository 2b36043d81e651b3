"""Looks for a patient in every byte of a store. Used by the tests of erasure."""

import io
import shutil
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
from pyarrow import parquet

from pipelines.store.database import Store, open_snapshot

# Where a record of somebody else may differ once a file was rewritten: nowhere but in the hash of the file.
TABLES = (
    "record.patient", "record.observation", "record.administration", "record.event", "result.spell", "source.decision", "source.slip",
)  # fmt: skip


def traces(store: Store, *texts: str) -> list[str]:
    """Which of these texts stand in which file of the store: in its bytes, in the parts of zip files, in the tables of databases."""
    found = []
    for path in sorted(path for path in store.folder.rglob("*") if path.is_file()):
        contents = [path.name.encode(), path.read_bytes()]
        contents += _parts(path, contents[1])
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
