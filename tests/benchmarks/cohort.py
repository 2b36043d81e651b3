"""Synthetic cohorts for the benchmarks from the seeded generator, made once per process or, where minutes pass, once per run."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

GENERATE = Path(__file__).parents[2] / "sample_data" / "cohort" / "generate.py"
RECEIVED = datetime(2026, 11, 21, 9, 0)


def generator():
    """The module sample_data/cohort/generate.py."""
    spec = importlib.util.spec_from_file_location("cohort_generator", GENERATE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def folder() -> Path:
    """A new empty folder that goes with the machine's temporary files."""
    return Path(mkdtemp(prefix="mda5-bench-"))


def files(patients: int, labs: int | None = None) -> Path:
    """The native files of so many synthetic patients, made by a process of its own: its memory is not the benchmark's."""
    made = folder()
    command = [sys.executable, str(GENERATE), "--patients", str(patients), "--seed", "7", "--out", str(made)]
    subprocess.run(command + (["--labs", str(labs)] if labs else []), check=True, stdout=subprocess.DEVNULL)
    return made


def loaded(patients: int) -> Path:
    """A store holding so many synthetic patients."""
    from pipelines.load import load
    from pipelines.store.database import Store

    store = folder() / "store"
    load(Store(store), [files(patients)], received_at=RECEIVED)
    return store


def shared(patients: int, labs: int) -> Path:
    """A copy of a loaded and judged store of so many patients and about so many laboratory results.

    Loading takes minutes, so that the store is made once and kept in the folder that MDA5_BENCH_SHARED names, by what the generator
    was asked for and the form of the tables. `make bench` names one that goes when it ends; to measure one thing again and
    again, name one that stays. A store that older rules judged is good enough: whoever measures judges first.
    """
    from pipelines.store.database import SCHEMA_HASH

    of = hashlib.sha256(f"{patients} {labs} {SCHEMA_HASH} {GENERATE.read_text()}".encode()).hexdigest()[:12]
    kept = Path(os.environ.get("MDA5_BENCH_SHARED") or folder()) / f"store-{patients}-{of}"
    if not kept.exists():  # made by a process of its own, and given its name when it is whole
        made = kept.with_suffix(".making")
        shutil.rmtree(made, ignore_errors=True)
        command = [sys.executable, "-m", "tests.benchmarks.cohort", str(patients), str(labs), str(made)]
        subprocess.run(command, check=True)
        made.rename(kept)
    copy = folder() / "store"
    shutil.copytree(kept, copy)
    return copy


def multiplied(patients: int, times: int) -> Path:
    """A published store of so many judged patients, each there `times` times under other ids: to judge a large cohort takes most of an
    hour, and what reads judged patients does not ask how they came to be. Records keep their ids, so that evidence is not unique."""
    from pipelines.store.database import Store

    store = Store(loaded(patients))
    with store.writer() as con:
        tables = con.execute(
            """SELECT schema_name || '.' || table_name FROM duckdb_columns()
            WHERE column_name = 'patient_id' AND schema_name IN ('record', 'result', 'concept') ORDER BY 1"""
        ).fetchall()
        for (table,) in tables:
            con.execute(
                f"""INSERT INTO {table} SELECT columns.* REPLACE (columns.patient_id || '-' || copy AS patient_id)
                FROM {table} AS columns, range(1, {times}) AS copies (copy)"""
            )
        store.publish(con)
    return store.folder


def _load_shared(patients: int, labs: int, store: Path) -> None:
    from pipelines.load import load
    from pipelines.store.database import Store

    made = files(patients, labs)
    load(Store(store), [made], received_at=RECEIVED)
    shutil.rmtree(made)


if __name__ == "__main__":
    _load_shared(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
