"""The watched folder: that it may end at any instant and start again, and the commands."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipelines import __main__ as command_line
from pipelines import inbox as inboxes
from pipelines import load as loading
from pipelines.errors import KeyUnavailable, Refusal, StoreBusy
from pipelines.inbox import Inbox
from pipelines.store.database import open_snapshot
from pipelines.watch import watch
from tests.watch.conftest import HEADER, SOON, holds, names, put, told

ROOT = Path(__file__).parents[2]
WIDE = "Number;Date;Ferritin (ng/mL)\nA1;2021-02-13;1200\n"


class TestEndingAndStarting:
    def test_a_crash_after_loading_costs_nothing(self, store, inbox, once, monkeypatch):
        put(inbox, "labs.csv")
        with monkeypatch.context() as crash:
            crash.setattr(Inbox, "put_away", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                once()
        assert names(inbox / "done") == set() and (inbox / ".loading" / "labs.csv").exists()
        once()
        report = told(inbox / "done", "labs.csv")
        assert report["accounting"]["duplicate"] == 1 and report["received_before"][0]["accounting"]["accepted"] == 1
        assert holds(store)

    def test_killed_at_any_instant_every_row_is_loaded_once(self, store, inbox):
        for number in range(12):
            rows = "".join(
                f"p{number},ferritin,{row},ng/mL,2020-01-01T{row // 60:02}:{row % 60:02}\n" for row in range(300)
            )
            put(inbox, f"{number}.csv", HEADER + rows)
        command = [sys.executable, "-m", "pipelines", "watch", str(inbox), "--once", "--interval", "0.1"]
        environment = os.environ | {"MDA5_STORE": str(store.folder)}
        for seconds in (1.2, 1.7, 2.3):
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
            time.sleep(seconds)  # whatever it is at by then
            process.kill()
            process.wait()
        assert subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL).returncode == 0
        assert {f"{number}.csv" for number in range(12)} <= names(inbox / "done") and names(inbox) == {
            "done",
            "refused",
        }
        with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
            assert cursor.execute("SELECT count(*), count(DISTINCT record_id) FROM record.observation").fetchone() == (
                3600,
                3600,
            )
        assert holds(store)

    def test_sigterm_ends_it_cleanly(self, store, inbox):
        command = [sys.executable, "-m", "pipelines", "watch", str(inbox), "--interval", "0.1"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"MDA5_STORE": str(store.folder)}, stdout=subprocess.PIPE, text=True
        )
        put(inbox, "labs.csv")
        assert "-> done/labs.csv" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        process.stdout.close()

    def test_a_second_watcher_is_told_there_is_one(self, inbox, once):
        with Inbox(inbox).lock(), pytest.raises(StoreBusy, match="Another watch"):
            once()

    def test_a_busy_store_is_waited_for_and_said_once(self, store, inbox, lines):
        put(inbox, "labs.csv")
        with store.lock():
            working = threading.Thread(
                target=watch, args=(store, inbox), kwargs={"interval": SOON, "once": True, "told": lines.append}
            )
            working.start()
            until = time.monotonic() + 20
            while not lines and time.monotonic() < until:
                time.sleep(SOON)
            time.sleep(5 * SOON)
        working.join(timeout=60)
        assert "writing to this store" in lines[0] and "done/labs.csv" in lines[1] and len(lines) == 2

    def test_ending_while_the_store_is_busy_gives_the_file_back(self, store, inbox, lines):
        put(inbox, "labs.csv")
        stop = threading.Event()
        with store.lock():
            watch(store, inbox, interval=SOON, stop=stop, told=lambda line: (lines.append(line), stop.set()))
        assert (inbox / "labs.csv").exists() and names(inbox / "done") == set()

    def test_what_cannot_be_put_away_ends_it_instead_of_loading_for_ever(self, store, inbox, monkeypatch):
        put(inbox, "labs.csv")
        monkeypatch.setattr(inboxes, "fsync_folder", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(Refusal, match="No space left"):
            watch(store, inbox, interval=SOON, told=lambda _: None)
        assert len(store.landing.receipts()) == 1

    def test_trouble_with_one_file_puts_the_others_away_and_is_tried_again(self, store, inbox, lines, monkeypatch):
        whole = loading.sources.recognise

        def failing(path, declared=None):
            if b"key" in Path(path).read_bytes():
                raise KeyUnavailable("The key of the pseudonyms is not there.")
            return whole(path, declared)

        monkeypatch.setattr(loading.sources, "recognise", failing)
        put(inbox, "a.csv")
        put(inbox, "b.csv", "key")
        put(inbox, "c.csv", HEADER + "p1,ferritin,1,ng/mL,2024-02-01\n")
        stop, rounds = threading.Event(), []

        def said(line):
            lines.append(line)

        def wait(_):
            rounds.append(1)
            return stop.set() if len(rounds) > 5 else None

        monkeypatch.setattr(stop, "wait", wait)
        watch(store, inbox, stop=stop, told=said)
        assert {"a.csv", "c.csv"} <= names(inbox / "done") and (inbox / "b.csv").exists()
        assert sum("The key" in line for line in lines) == 1 and len(store.landing.receipts()) <= 4

    def test_an_inbox_inside_the_store_is_refused(self, store):
        with pytest.raises(Refusal, match="inside the store"):
            watch(store, store.folder / "landing", once=True)

    def test_done_is_never_a_link(self, inbox, once, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        (inbox / "done").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(Refusal, match="link"):
            once()


class TestCommands:
    @pytest.fixture
    def run(self, tmp_path, monkeypatch, capsys):
        """Runs a command in this process on a store of its own: exit code, stdout, stderr."""
        monkeypatch.setenv("MDA5_STORE", str(tmp_path / "store"))

        def running(*arguments: str | Path) -> tuple[int, str, str]:
            monkeypatch.setattr(sys, "argv", ["pipelines", *map(str, arguments)])
            with pytest.raises(SystemExit) as ended:
                command_line.main()
            return ended.value.code or 0, *capsys.readouterr()

        return running

    def test_one_round_ends_with_0_or_with_3_where_a_file_was_refused(self, run, inbox):
        put(inbox, "labs\x1b[31m.csv")
        code, out, err = run("watch", inbox, "--once", "--interval", "0.1")
        assert (code, err) == (0, "") and "-> done/labs_[31m.csv".replace("[", "_") in out and "\x1b" not in out
        put(inbox, "picture.png", b"\x89PNG\0\0")
        assert run("watch", inbox, "--once", "--interval", "0.1")[0] == 3

    def test_a_second_watcher_ends_with_4(self, run, inbox):
        with Inbox(inbox).lock():
            assert run("watch", inbox, "--once")[0] == 4

    def test_ids_cannot_be_pseudonyms_and_identifiers(self, run, inbox):
        assert run("watch", inbox, "--once", "--assigner", "x", "--pseudonymous")[0] == 2

    def test_identifiers_of_an_authority_become_pseudonyms(self, run, inbox, tmp_path, monkeypatch):
        monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "key"))
        put(inbox, "labs.csv")
        assert run("watch", inbox, "--once", "--interval", "0.1", "--assigner", "test hospital")[0] == 0
        assert told(inbox / "done", "labs.csv")["declared"] == {"assigner": "test hospital"}

    def test_map_proposes_and_writes_over_nothing(self, run, tmp_path):
        table = put(tmp_path, "wide.csv", WIDE)
        code, out, _ = run("map", table)
        assert code == 0 and 'approved_by = ""' in out and "ferritin" in out
        assert run("map", table, "--out", tmp_path / "m.toml")[0] == 0
        assert (tmp_path / "m.toml").read_text(encoding="utf-8") == out
        code, _, err = run("map", table, "--out", tmp_path / "m.toml")
        assert code == 1 and "exists" in err
        assert run("map", put(tmp_path, "picture.png", b"\x89PNG\0\0"))[0] == 1
