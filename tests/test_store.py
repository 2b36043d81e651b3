"""The store apart from what is in it: files kept, snapshots published, one writer, readers that reach nothing else."""

import stat
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.errors import FileRefused, Refusal, StoreBusy, StoreEmpty
from pipelines.store import database
from pipelines.store.database import SnapshotReader, Store, open_snapshot
from pipelines.store.landing import Landing, file_sha256

MOMENT = datetime(2024, 5, 1, 8, 30)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    landing = Landing(tmp_path / "landing")
    landing.create()
    return landing


def written(folder: Path, text: str, name: str = "labs.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def publish(store: Store, patient: str) -> int:
    with store.writer() as con:
        con.execute("INSERT INTO record.patient (patient_id) VALUES (?)", [patient])
        return store.publish(con)


def patients(snapshot: database.Snapshot) -> list[str]:
    with snapshot.cursor() as cursor:
        return [row[0] for row in cursor.execute("SELECT patient_id FROM record.patient ORDER BY 1").fetchall()]


class TestLanding:
    def test_a_file_is_kept_unchanged_under_its_sha256_for_this_user_alone(self, landing: Landing, tmp_path: Path):
        path = written(tmp_path, "a;b\r\n1;2\r\n")
        sha256 = landing.keep(path)
        kept = landing.path(sha256)
        assert sha256 == file_sha256(path) == kept.name
        assert kept.read_bytes() == path.read_bytes()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert stat.S_IMODE(landing.folder.stat().st_mode) == 0o700

    def test_the_same_bytes_again_are_a_second_receipt_of_one_copy(self, landing: Landing, tmp_path: Path):
        path = written(tmp_path, "a")
        receipts = [landing.receive(path.name, landing.keep(path), MOMENT) for _ in range(2)]
        assert [receipt.sequence for receipt in receipts] == [1, 2]
        assert landing.receipts() == receipts
        assert {file.name for file in landing.folder.iterdir()} == {receipts[0].sha256, "manifest"}

    def test_what_was_declared_with_the_file_is_in_its_receipt(self, landing: Landing):
        landing.receive("labs.csv", "0" * 64, MOMENT, decimal="comma")
        assert [(receipt.decimal, receipt.received_at) for receipt in landing.receipts()] == [("comma", MOMENT)]

    def test_a_line_cut_short_by_a_crash_is_ignored_and_overwritten(self, landing: Landing):
        first = landing.receive("first.csv", "1" * 64, MOMENT)
        with landing.manifest.open("ab") as manifest:
            manifest.write(b'{"sequence": 2, "name": "cut sho')
        assert landing.receipts() == [first]
        second = landing.receive("second.csv", "2" * 64, MOMENT)
        assert second.sequence == 2
        assert landing.receipts() == [first, second]

    def test_a_damaged_line_in_the_middle_is_told_not_skipped(self, landing: Landing):
        landing.receive("first.csv", "1" * 64, MOMENT)
        landing.manifest.write_text("damaged\n" + landing.manifest.read_text())
        with pytest.raises(Refusal, match="line 1"):
            landing.receipts()

    def test_a_withdrawn_receipt_is_not_read_again_and_its_number_not_used_again(self, landing: Landing):
        receipt = landing.receive("first.csv", "1" * 64, MOMENT)
        landing.withdraw(receipt, "no data")
        assert landing.receipts() == []
        assert landing.receive("second.csv", "2" * 64, MOMENT).sequence == 2

    def test_only_a_copy_without_a_receipt_can_be_discarded(self, landing: Landing, tmp_path: Path):
        kept, refused = (landing.keep(written(tmp_path, text)) for text in ("kept", "refused"))
        landing.receive("kept.csv", kept, MOMENT)
        landing.discard(kept)
        landing.discard(refused)
        assert landing.path(kept).exists()
        assert not landing.path(refused).exists()

    def test_a_name_that_is_no_text_is_made_printable(self, landing: Landing):
        receipt = landing.receive("lab\udcff\x1b[31m.csv", "1" * 64, MOMENT)
        assert receipt.name == "lab??[31m.csv"

    def test_a_folder_is_no_file(self, landing: Landing, tmp_path: Path):
        with pytest.raises(FileRefused, match="regular file"):
            landing.keep(tmp_path)


class TestPublishing:
    def test_each_snapshot_has_a_new_name_and_current_names_the_newest(self, store: Store):
        assert [publish(store, name) for name in ("a", "b", "c", "d", "e")] == [1, 2, 3, 4, 5]
        assert [path.name for path in store.snapshots()] == ["v000003.duckdb", "v000004.duckdb", "v000005.duckdb"]
        with open_snapshot(store.folder) as snapshot:
            assert snapshot.number == 5
            assert patients(snapshot) == ["a", "b", "c", "d", "e"]

    def test_a_half_written_snapshot_and_a_lost_pointer_do_not_make_a_name_used_twice(self, store: Store):
        publish(store, "a")
        (store.folder / ".publishing").write_bytes(b"half")
        (store.folder / "v000007.duckdb").write_bytes(b"written, but the pointer never moved")
        (store.folder / "CURRENT").unlink()
        assert publish(store, "b") == 8

    def test_the_snapshot_that_current_names_is_never_pruned(self, store: Store):
        publish(store, "a")
        for number in (90, 91, 92, 93):
            (store.folder / f"v{number:06}.duckdb").touch()
        store._prune("v000001.duckdb")
        assert (store.folder / "v000001.duckdb").exists()

    def test_what_is_not_committed_or_not_published_is_not_read(self, store: Store):
        publish(store, "a")
        with store.writer() as con:
            con.execute("INSERT INTO record.patient (patient_id) VALUES ('later')")
        with open_snapshot(store.folder) as snapshot:
            assert patients(snapshot) == ["a"]

    def test_everything_about_patients_is_for_this_user_alone(self, store: Store):
        publish(store, "a")
        assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
        databases = [store.folder / "work.duckdb", *store.snapshots()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in databases} == {0o600}

    def test_a_current_that_names_something_else_is_not_followed(self, store: Store, tmp_path: Path):
        publish(store, "a")
        (store.folder / "CURRENT").write_text("../elsewhere.duckdb\n")
        with pytest.raises(Refusal, match="does not name a snapshot"):
            open_snapshot(store.folder)


class TestWriting:
    def test_a_second_writer_is_told_that_the_store_is_busy(self, store: Store):
        with store.writer(), pytest.raises(StoreBusy, match="Another load"), Store(store.folder).writer():
            pass

    def test_the_store_is_free_again_after_a_writer_failed(self, store: Store):
        with pytest.raises(ZeroDivisionError), store.writer():
            raise ZeroDivisionError
        assert publish(store, "a") == 1

    def test_a_work_file_of_another_schema_is_emptied(self, store: Store, monkeypatch: pytest.MonkeyPatch):
        publish(store, "a")
        monkeypatch.setattr(database, "SCHEMA_HASH", "another")
        with store.writer() as con:
            assert con.execute("SELECT count(*) FROM record.patient").fetchone() == (0,)

    def test_a_work_file_that_is_no_database_asks_for_a_rebuild(self, store: Store):
        publish(store, "a")
        (store.folder / "work.duckdb").write_bytes(b"damaged" * 1000)
        with pytest.raises(Refusal, match="Run rebuild"), store.writer():
            pass

    def test_a_rebuild_that_fails_leaves_the_old_work_file(self, store: Store):
        publish(store, "a")
        with pytest.raises(ZeroDivisionError), store.lock(), store.fresh_work():
            raise ZeroDivisionError
        with store.writer() as con:
            assert con.execute("SELECT patient_id FROM record.patient").fetchall() == [("a",)]


class TestReading:
    def test_an_empty_store_explains_itself_and_is_not_made_by_asking(self, store: Store):
        with pytest.raises(StoreEmpty, match="Run load first"):
            open_snapshot(store.folder)
        assert not store.folder.exists()

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM read_text('/etc/passwd')",
            "COPY (SELECT 1) TO '{folder}/out.csv'",
            "ATTACH '{folder}/other.duckdb' AS other",
            "SET enable_external_access = true",
            "SET memory_limit = '100GB'",
            "DELETE FROM record.patient",
        ],
    )
    def test_a_reader_reaches_no_file_changes_no_setting_and_no_record(self, store: Store, statement: str):
        publish(store, "a")
        for _ in range(2):  # the second connection of a process is sealed too
            with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor, pytest.raises(duckdb.Error):
                cursor.execute(statement.format(folder=store.folder))
        assert sorted(path.name for path in store.folder.glob("o*")) == []

    def test_temporary_tables_are_of_one_cursor(self, store: Store):
        publish(store, "a")
        with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE mine AS FROM record.patient")
            with snapshot.cursor() as other, pytest.raises(duckdb.CatalogException):
                other.execute("FROM mine")

    def test_a_query_larger_than_memory_spills_into_the_store_and_leaves_nothing(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("MDA5_MEMORY", "150MB")
        publish(store, "a")
        with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE large AS SELECT range AS n, md5(range::VARCHAR) AS t FROM range(4000000)")
            assert list((store.folder / "tmp").iterdir())
        assert list((store.folder / "tmp").iterdir()) == []

    def test_a_reader_follows_the_pointer_while_an_older_cursor_reads_on(self, store: Store):
        publish(store, "a")
        reader = SnapshotReader(store.folder)
        with reader.cursor() as older:
            publish(store, "b")
            assert reader.snapshot().number == 2
            assert patients(reader.snapshot()) == ["a", "b"]
            assert older.execute("SELECT patient_id FROM record.patient").fetchall() == [("a",)]
        reader.close()

    def test_a_reader_keeps_few_snapshots_open(self, store: Store):
        reader = SnapshotReader(store.folder)
        for name in "abcdef":
            publish(store, name)
            reader.snapshot()
        assert len(reader._open) == database.KEPT_SNAPSHOTS
        reader.close()
