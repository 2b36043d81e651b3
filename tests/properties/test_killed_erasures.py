"""An erasure, and a load in a store that has erased somebody: killed at any instant, repeatable to their end."""

import os
import subprocess
import sys
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

import pytest

from pipelines.engines import on_duckdb
from pipelines.load import load, rebuild
from pipelines.store.database import Store
from pipelines.verify import verify
from tests.erasing import PATIENT, ROWS, SECRETS, csv_text, traces

ROOT = Path(__file__).parents[2]
MORTAL = """
import os, shutil, signal, sys, traceback
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

from pipelines import erasure
from pipelines import load as flow
from pipelines.catalog import catalog
from pipelines.dictionary import tables
from pipelines.engines import on_duckdb
from pipelines.store.database import Store, open_snapshot

catalog(), [tables.arrow_table(name) for name in tables.TABLES]  # read once, for every process below
store, labs, other, calls, last = Store(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), 0, 0
on_duckdb.evaluated = lambda *_, **__: nullcontext(lambda: None)

def mortal(function):
    def call(*given, **named):
        global calls
        calls += last > 0
        if calls == last > 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **named)
    return call

os.fsync, os.replace, shutil.copyfile = mortal(os.fsync), mortal(os.replace), mortal(shutil.copyfile)
Path.unlink, shutil.rmtree, flow.ingest.ingest = mortal(Path.unlink), mortal(shutil.rmtree), mortal(flow.ingest.ingest)

def attempt(function, dies_at=0):
    "Runs it in a process of its own, which dies as by kill -9 just before its n-th call that touches the disk; whether it came to its end."
    global last
    process = os.fork()
    if process == 0:
        try:
            readable()
            last = dies_at
            function()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    status = os.waitpid(process, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return status == 0

def erase():
    if not (erasures := store.landing.erasures()) or not erasures[-1].finished:
        erasure.erase(store, "zqx77", "the data protection officer")

def load_other():
    flow.load(store, [other], received_at=datetime(2024, 6, 2))

def load_again():
    flow.load(store, [labs], received_at=datetime(2024, 7, 1))

def readable():
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        held = {one for (one,) in cursor.execute("SELECT patient_id FROM record.patient").fetchall()}
    assert "p2" in held
    assert "zqx77" in held or store.landing.erasures(), held

def every_instant(functions, until=lambda: False):
    "Deaths before the first call, the second, ... each after the one before, until a run comes to its end; how many there were."
    for number in range(1, 200):
        if attempt(functions[number % len(functions)], number) or until():
            return number - 1

stands = every_instant([erase], until=lambda: bool(store.landing.erasures()))
assert not store.landing.erasures()[0].finished
finished = every_instant([load_other, erase])
assert store.landing.erasures()[0].finished
loaded = every_instant([load_again])
print(stands, finished, loaded)
"""


def test_killed_at_any_instant_the_patient_is_whole_or_the_next_run_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "keys" / "key"))
    monkeypatch.setattr(on_duckdb, "evaluated", lambda *_, **__: nullcontext(lambda: None))
    store = Store(tmp_path / "store")
    (tmp_path / "labs.csv").write_text(csv_text(ROWS["labs"]))
    (tmp_path / "other.csv").write_text("patient_id,analyte,value,unit,at\np2,ldh,320,U/L,2024-03-03\n")
    load(store, [tmp_path / "labs.csv"], received_at=datetime(2024, 6, 1, 12))
    (store.folder / ".publishing").write_text(PATIENT)
    arguments = [str(store.folder), str(tmp_path / "labs.csv"), str(tmp_path / "other.csv")]
    ran = subprocess.run(
        [sys.executable, "-c", MORTAL, *arguments],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    stands, finished, loaded = map(int, ran.stdout.split())
    print(stands, finished, loaded)
    assert stands >= 5 and finished >= 15 and loaded >= 15
    assert traces(store, *SECRETS) == []
    assert [check.promise for check in verify(store) if not check.holds] == []
    assert rebuild(store).equal
