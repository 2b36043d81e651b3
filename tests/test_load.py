"""The flow from files to a published snapshot: accounting, repetition, recovery, rebuild and proof."""

import os
from datetime import datetime
from pathlib import Path

import pytest

from pipelines import accounting, ingest
from pipelines.engines import on_duckdb
from pipelines.load import FileReport, LoadReport, files_under, load, rebuild
from pipelines.store.database import Store, open_snapshot
from pipelines.verify import Check, verify

RECEIVED = datetime(2024, 6, 1, 12, 0)
LABS = """patient_id,analyte,value,unit,at
p1,ferritin,1200,ng/mL,2024-01-01
p1,ferritin,1200,ng/mL,2024-01-01
p1,ferritin,900,,2024-01-08
p2,ldh,400,U/L,2024-01-02
"""
PATIENTS = "patient_id,sex,birth_year,site\np1,female,1970,A\np3,male,1955,B\n"
MORE_LABS = "patient_id,analyte,value,unit,at\np2,ldh,300,U/L,2024-02-02\n"
COUNTS = ("received", "accepted", "duplicate", "superseded", "rejected")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "labs.csv").write_text(LABS, encoding="utf-8")
    (folder / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    return folder


def received(store: Store, *paths: Path) -> LoadReport:
    return load(store, paths, received_at=RECEIVED)


def counts(report: FileReport) -> tuple[int, ...]:
    return tuple(getattr(report, name) for name in COUNTS)


def records(store: Store) -> dict[str, list[tuple]]:
    """What the store knows of patients, apart from which files said so."""
    tables = ("record.patient", "record.observation", "record.administration", "record.event", "result.spell")
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        return {table: cursor.execute(f"FROM {table} ORDER BY ALL").fetchall() for table in tables}


def failed(checks: list[Check]) -> list[str]:
    return [check.promise for check in checks if not check.holds]


class TestLoading:
    def test_every_row_is_accounted_for(self, store: Store, inbox: Path):
        report = received(store, inbox)
        assert [file.name for file in report.files] == ["labs.csv", "patients.csv"]
        assert [file.format for file in report.files] == ["csv/labs", "csv/patients"]
        assert [counts(file) for file in report.files] == [(4, 2, 1, 0, 1), (2, 2, 0, 0, 0)]
        assert (report.snapshot, report.patients_changed) == (1, 3)
        assert failed(verify(store)) == []

    def test_the_same_files_again_change_nothing(self, store: Store, inbox: Path):
        received(store, inbox)
        before = records(store)
        again = load(store, [inbox], received_at=datetime(2024, 7, 1))
        assert [counts(file) for file in again.files] == [(4, 0, 3, 0, 1), (2, 0, 2, 0, 0)]
        assert again.patients_changed == 0
        assert records(store) == before
        assert failed(verify(store)) == []

    def test_a_rejected_row_received_twice_is_listed_once(self, store: Store, inbox: Path):
        received(store, inbox)
        received(store, inbox)
        with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
            rows = accounting.rejected_rows(cursor)
        assert [(row["file"], row["line"], row["reason"], row["raw"]) for row in rows] == [
            ("labs.csv", 4, "unit_missing", "p1,ferritin,900,,2024-01-08")
        ]
        assert rows[0]["hint"]

    def test_one_bad_file_does_not_stop_the_others(self, store: Store, inbox: Path):
        (inbox / "a_letter.txt").write_text("Dear colleague,\nthank you.\n", encoding="utf-8")
        (inbox / "empty.csv").touch()
        report = received(store, inbox)
        assert [bool(file.refused) for file in report.files] == [True, True, False, False]
        assert all(counts(file) == (0, 0, 0, 0, 0) and file.format is None for file in report.files if file.refused)
        assert report.patients_changed == 3
        kept = {receipt.sha256 for receipt in store.landing.receipts()} | {"manifest"}
        assert {path.name for path in store.landing.folder.iterdir()} == kept

    def test_a_file_that_the_program_fails_on_is_refused_whole_with_an_incident(
        self, store: Store, inbox: Path, monkeypatch: pytest.MonkeyPatch
    ):
        real = ingest.ingest

        def failing(con, file_id, source, *more):
            real(con, file_id, source, *more)
            if source.format == "csv/labs":
                raise RuntimeError("a fault nobody foresaw")

        monkeypatch.setattr(ingest, "ingest", failing)
        labs, patients = received(store, inbox).files
        assert "incident" in labs.refused and "foresaw" not in labs.refused
        assert counts(patients) == (2, 2, 0, 0, 0)
        assert "a fault nobody foresaw" in next((store.folder / "logs").iterdir()).read_text()
        monkeypatch.undo()
        assert failed(verify(store)) == []
        assert [counts(file) for file in received(store, inbox / "labs.csv").files] == [(4, 2, 1, 0, 1)]

    def test_a_later_load_judges_only_the_patients_it_changes(
        self, store: Store, inbox: Path, monkeypatch: pytest.MonkeyPatch
    ):
        received(store, inbox)
        judged = []
        real = on_duckdb.evaluated
        monkeypatch.setattr(
            on_duckdb, "evaluated", lambda con, patients, told: judged.append(patients) or real(con, patients, told)
        )
        (inbox / "more.csv").write_text(MORE_LABS, encoding="utf-8")
        assert received(store, inbox / "more.csv").patients_changed == 1
        assert judged == [["p2"]]

    def test_progress_is_told(self, store: Store, inbox: Path):
        told = []
        load(store, [inbox], progress=lambda step, done, total: told.append(step), received_at=RECEIVED)
        assert {"Reading labs.csv", "Judging"} <= set(told)


class TestFolders:
    def test_a_folder_gives_its_data_files_in_order_and_says_what_it_passed_over(self, inbox: Path):
        (inbox / "below").mkdir()
        for name in ("below/oxygen.TSV", "README.md", "generate.py", ".hidden.csv"):
            (inbox / name).touch()
        os.symlink(inbox / "labs.csv", inbox / "linked.csv")
        files, skipped = files_under([inbox])
        assert [str(path.relative_to(inbox)) for path in files] == ["below/oxygen.TSV", "labs.csv", "patients.csv"]
        assert skipped == [f"inbox/{name}" for name in (".hidden.csv", "README.md", "generate.py", "linked.csv")]

    def test_linked_and_hidden_folders_are_not_entered(self, inbox: Path, tmp_path: Path):
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "other.csv").touch()
        os.symlink(elsewhere, inbox / "link")
        (inbox / ".git").mkdir()
        (inbox / ".git" / "index.csv").touch()
        files, _ = files_under([inbox])
        assert [path.name for path in files] == ["labs.csv", "patients.csv"]

    def test_a_file_that_is_named_is_tried_whatever_its_ending(self, store: Store, inbox: Path):
        (inbox / "labs.dat").write_text(LABS, encoding="utf-8")
        assert [file.name for file in received(store, inbox / "labs.dat").files] == ["labs.dat"]


class TestRecovery:
    def test_a_lost_work_file_is_made_again_from_landing(self, store: Store, inbox: Path):
        received(store, inbox)
        (store.folder / "work.duckdb").unlink()
        (inbox / "more.csv").write_text(MORE_LABS, encoding="utf-8")
        report = received(store, inbox / "more.csv")
        assert [file.name for file in report.recovered] == ["labs.csv", "patients.csv"]
        assert failed(verify(store)) == []

    def test_a_file_received_but_not_loaded_is_loaded_by_the_next_load(self, store: Store, inbox: Path):
        received(store, inbox / "patients.csv")
        store.landing.receive("labs.csv", store.landing.keep(inbox / "labs.csv"), RECEIVED)
        assert failed(verify(store)) != []
        report = received(store)
        assert [counts(file) for file in report.recovered] == [(4, 2, 1, 0, 1)]
        assert failed(verify(store)) == []

    def test_patients_changed_but_not_judged_are_judged_by_the_next_load(
        self, store: Store, inbox: Path, monkeypatch: pytest.MonkeyPatch
    ):
        received(store, inbox / "patients.csv")

        def failing(*_):
            raise RuntimeError("killed here")

        monkeypatch.setattr(on_duckdb, "evaluated", failing)
        with pytest.raises(RuntimeError, match="killed here"):
            received(store, inbox / "labs.csv")
        monkeypatch.undo()
        assert records(store)["record.observation"] == []
        assert received(store).patients_changed == 2
        assert failed(verify(store)) == []
        assert rebuild(store).equal

    def test_a_landing_folder_restored_from_before_wins_over_the_work_file(self, store: Store, inbox: Path):
        received(store, inbox / "patients.csv")
        earlier = store.landing.manifest.read_bytes()
        received(store, inbox / "labs.csv")
        store.landing.manifest.write_bytes(earlier)
        received(store)
        assert records(store)["record.observation"] == []
        assert failed(verify(store)) == []


class TestRebuild:
    def test_the_store_made_again_is_equal_table_by_table(self, store: Store, inbox: Path):
        received(store, inbox)
        load(store, [inbox], received_at=datetime(2024, 7, 1))
        report = rebuild(store)
        assert report.equal and report.snapshot == 3
        compared = {table.table: table.rows for table in report.tables}
        assert compared["source.row"] == 12 and compared["record.observation"] == 2
        assert failed(verify(store)) == []

    def test_a_table_that_differs_is_named_with_how_many_rows(self, store: Store, inbox: Path):
        received(store, inbox)
        with store.writer() as con:
            con.execute("UPDATE record.observation SET value = 7 WHERE analyte = 'ldh'")
            store.publish(con)
        differing = [table for table in rebuild(store).tables if table.only_before or table.only_now]
        assert [(table.table, table.only_before, table.only_now) for table in differing] == [
            ("record.observation", 1, 1)
        ]

    def test_a_damaged_work_file_does_not_hinder_it(self, store: Store, inbox: Path):
        received(store, inbox)
        (store.folder / "work.duckdb").write_bytes(b"damaged" * 1000)
        assert rebuild(store).equal


class TestProof:
    @pytest.fixture
    def loaded(self, store: Store, inbox: Path) -> Store:
        received(store, inbox)
        return store

    def tampered(self, store: Store, statement: str) -> list[str]:
        with store.writer() as con:
            con.execute(statement)
            store.publish(con)
        return failed(verify(store))

    def test_a_changed_file_is_found(self, loaded: Store):
        kept = loaded.landing.path(loaded.landing.receipts()[0].sha256)
        kept.write_text(LABS.replace("1200", "1201"), encoding="utf-8")
        assert failed(verify(loaded)) == ["Every file received is kept unchanged"]

    def test_a_lost_row_is_found(self, loaded: Store):
        assert self.tampered(loaded, "DELETE FROM source.row WHERE file_id = 1 AND outcome = 'duplicate'") == [
            "labs.csv (1): received = accepted + duplicate + superseded + rejected"
        ]

    def test_a_rejection_without_its_reason_is_found(self, loaded: Store):
        assert len(self.tampered(loaded, "DELETE FROM source.rejected")) == 1

    def test_a_lost_record_is_found(self, loaded: Store):
        assert "Every accepted row has a record" in self.tampered(
            loaded, "DELETE FROM record.observation WHERE analyte = 'ldh'"
        )

    def test_a_lost_patient_is_found(self, loaded: Store):
        assert "Every accepted row has a record" in self.tampered(
            loaded, "DELETE FROM record.patient WHERE patient_id = 'p3'"
        )

    def test_evidence_that_does_not_exist_is_found(self, loaded: Store):
        statement = (
            "INSERT INTO result.spell BY NAME SELECT 'c' AS criterion, 'p1' AS patient_id, current_date AS from_date, "
        )
        statement += (
            "current_date AS last_judged, 'met' AS status, [1] AS evidence, [] AS missing, [] AS facts, [] AS notes"
        )
        assert self.tampered(loaded, statement) == ["Every record that an answer names exists"]

    def test_a_snapshot_that_does_not_open_is_found(self, loaded: Store):
        (loaded.folder / "v000000.duckdb").write_bytes(b"no database")
        assert failed(verify(loaded)) == ["Every snapshot opens"]


def test_a_file_larger_than_a_row_group_is_counted_as_it_is(tmp_path: Path) -> None:
    """DuckDB hid the rows of an insert of 110,592 or more that followed one of none, until the next checkpoint."""
    rows = 125_000
    path = tmp_path / "labs.csv"
    lines = (f"p{number % 50},ldh,{200 + number % 90},U/L,2024-01-01,r{number}" for number in range(rows))
    path.write_text("\n".join(["patient_id,analyte,value,unit,at,record_id", *lines]), encoding="utf-8")
    report = load(Store(tmp_path / "store"), [path], received_at=datetime(2024, 6, 1))
    assert (report.files[0].received, report.files[0].accepted) == (rows, rows)
