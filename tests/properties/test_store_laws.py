"""Laws of the store: killed anywhere, repeatable; made again, the same; read while written, whole; one writer."""

import os
import shutil
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.load import load, rebuild
from pipelines.store.database import SnapshotReader, Store, open_snapshot
from pipelines.verify import verify

ROOT = Path(__file__).parents[2]
RECEIVED = datetime(2024, 6, 1, 12, 0)
LABS = "patient_id,analyte,value,unit,at,status,record_id\n"
FILES = {
    "patients": "patient_id,sex,birth_year,site\np1,female,1970,A\np2,male,1960,B\n",
    "labs": LABS + "p1,ferritin,1200,ng/mL,2024-01-01,final,f1\np1,ferritin,,ng/mL,2024-01-02,final,f2\n",
    "correction": LABS + "p1,ferritin,900,ng/mL,2024-01-01,corrected,f1\n",
    "other": LABS + "p2,ldh,400,U/L,2024-01-02,final,l1\np2,ldh,400,U/L,2024-01-02,final,l1\n",
    "drugs": "patient_id,drug,route,dose,dose_unit,per,start,stop,ongoing\np1,prednisolone,oral,40,mg,day,2024-01-01,2024-02-01,\n",
}
RECORDS = (
    "record.patient",
    "record.observation",
    "record.administration",
    "record.event",
    "result.spell",
    "source.row",
)

# A load in a process of its own that dies, as by kill -9, just before its n-th call that touches the disk.
KILLED_LOAD = """
import os, shutil, signal, sys
from datetime import datetime
from pathlib import Path
from pipelines import load as flow
from pipelines.engines import on_duckdb
from pipelines.store.database import Store

last, calls = int(sys.argv[1]), 0

def mortal(function):
    def call(*given, **named):
        global calls
        calls += 1
        if calls == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **named)
    return call

os.fsync, os.replace, shutil.copyfile = mortal(os.fsync), mortal(os.replace), mortal(shutil.copyfile)
flow.ingest.ingest, on_duckdb.evaluated = mortal(flow.ingest.ingest), mortal(on_duckdb.evaluated)
flow.accounting.outcomes = mortal(flow.accounting.outcomes)  # the first thing after a file is committed
flow.load(Store(sys.argv[2]), [Path(path) for path in sys.argv[3:]], received_at=datetime(2024, 6, 1, 12, 0))
"""
CALLS_OF_A_LOAD = 15  # of one file; the last case fails when they become more or fewer


def child(*arguments: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, **options
    )


def written(folder: Path, name: str) -> Path:
    path = folder / f"{name}.csv"
    path.write_text(FILES[name], encoding="utf-8")
    return path


def records(folder: Path) -> dict[str, list[tuple]]:
    with open_snapshot(folder) as snapshot, snapshot.cursor() as cursor:
        return {table: cursor.execute(f"FROM {table} ORDER BY ALL").fetchall() for table in RECORDS}


def sound(store: Store) -> bool:
    return all(check.holds for check in verify(store))


@pytest.fixture(scope="module")
def before_and_after(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A store with one load behind it, and one more file to load into copies of it."""
    folder = tmp_path_factory.mktemp("killed")
    load(Store(folder / "store"), [written(folder, "patients"), written(folder, "labs")], received_at=RECEIVED)
    return folder / "store", written(folder, "correction")


@pytest.mark.parametrize("last", range(1, CALLS_OF_A_LOAD + 2))
def test_a_load_killed_at_any_instant_leaves_a_whole_snapshot_and_can_be_repeated(
    before_and_after, tmp_path: Path, last: int
):
    template, file = before_and_after
    store = Store(shutil.copytree(template, tmp_path / "store"))
    before = records(store.folder)
    killed = child("-c", KILLED_LOAD, str(last), str(store.folder), str(file)).wait()
    assert killed == (-9 if last <= CALLS_OF_A_LOAD else 0)

    after = records(store.folder)
    with open_snapshot(store.folder) as snapshot:
        assert after == before if snapshot.number == 1 else len(after["source.row"]) == 5

    load(store, [file], received_at=RECEIVED)
    assert sound(store)
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        standing = cursor.execute("SELECT value FROM record.observation WHERE known_until IS NULL").fetchall()
    assert standing == [(900,)]


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(loads=st.lists(st.lists(st.sampled_from(sorted(FILES)), min_size=1, max_size=3), min_size=1, max_size=4))
def test_a_store_made_again_is_the_same_after_any_loads(
    tmp_path_factory: pytest.TempPathFactory, loads: list[list[str]]
):
    folder = tmp_path_factory.mktemp("rebuilt")
    store = Store(folder / "store")
    for month, names in enumerate(loads, start=1):
        load(store, [written(folder, name) for name in names], received_at=datetime(2024, 6, month))
    report = rebuild(store)
    assert report.tables and report.equal, [table for table in report.tables if table.only_before or table.only_now]
    assert sound(store)


def test_readers_see_whole_snapshots_while_one_is_published(tmp_path: Path):
    store, published = Store(tmp_path / "store"), 25
    with store.writer() as con:
        store.publish(con)
    reader, wrong, seen, done = SnapshotReader(store.folder), [], set(), threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                with reader.cursor() as cursor:
                    files, rows, patients = cursor.execute(
                        "SELECT (SELECT count(*) FROM source.file), (SELECT count(*) FROM source.row), count(*) FROM record.patient"
                    ).fetchone()
                seen.add(files)
                if not files == rows == patients:
                    wrong.append((files, rows, patients))
            except Exception as error:
                wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for thread in readers:
        thread.start()
    with store.writer() as con:
        for number in range(1, published + 1):
            con.execute("INSERT INTO source.file VALUES (?, 'f', '', 'csv/labs', TIMESTAMP '2024-01-01', [])", [number])
            con.execute("INSERT INTO source.row VALUES (?, 2, 'patients', 'accepted', NULL)", [number])
            con.execute("INSERT INTO record.patient (patient_id) VALUES (?)", [str(number)])
            store.publish(con)
    done.set()
    for thread in readers:
        thread.join()
    reader.close()
    assert wrong == []
    assert len(seen) > 3, "the readers did not read while snapshots were published"


def test_a_second_process_is_told_that_the_store_is_busy(tmp_path: Path):
    store, path = Store(tmp_path / "store"), written(tmp_path, "patients")
    command = ["-m", "pipelines", "load", str(path), "--store", str(store.folder)]
    with store.writer():
        refused = child(*command, stderr=subprocess.PIPE, text=True)
        _, told = refused.communicate(timeout=60)
    assert refused.returncode == 4
    assert "Another load" in told and "Try again" in told and "Traceback" not in told and told.count("\n") == 1
    assert child(*command, stdout=subprocess.DEVNULL).wait(timeout=60) == 0
