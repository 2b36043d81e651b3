"""The watched folder: what is taken, where it goes and what is told of it."""

import os
from pathlib import Path

import pytest

from pipelines import load as loading
from pipelines import mapping
from pipelines import watch as watching
from pipelines.file_names import plain_file_name
from pipelines.inbox import Inbox
from pipelines.load import FileReport
from pipelines.store.database import Store
from pipelines.watch_report import told_of, without_quotes
from tests.watch.conftest import HEADER, LABS, holds, names, put, told


class TestWhatBecomesOfAFile:
    def test_a_file_is_loaded_and_lies_in_done_with_its_accounting(self, store, inbox, once, lines):
        put(inbox, "labs.csv")
        assert once() == 0
        assert names(inbox) == {"done", "refused"} and names(inbox / "done") == {"labs.csv", "labs.csv.report.json"}
        report = told(inbox / "done", "labs.csv")
        assert report["outcome"] == "loaded" and report["receipt"] == 1 and report["received_before"] == []
        assert report["accounting"] == {"received": 3, "accepted": 1, "duplicate": 0, "superseded": 0, "rejected": 2}
        assert [(row["reason"], row["rows"], row["first_lines"]) for row in report["rejected"]] == [
            ("unit_missing", 1, [3]), ("unit_unknown", 1, [4])
        ]  # fmt: skip
        assert all(row["hint"] for row in report["rejected"])
        assert lines == ["labs.csv: 3 received, 1 accepted, 0 duplicate, 0 superseded, 2 rejected -> done/labs.csv"]
        assert holds(store)

    def test_a_report_holds_no_word_of_the_rows(self, inbox, once):
        put(inbox, "labs.csv")
        put(inbox, "no_header.csv", "SURNAME^TEST,1970\nOTHER^TEST,1971\n")
        once()
        reports = [path.read_text() for path in inbox.glob("*/*.report.json")]
        assert len(reports) == 2 and not any("TEST" in report or "p1" in report for report in reports)

    def test_a_file_that_cannot_be_read_lies_in_refused_with_the_reason(self, store, inbox, once):
        put(inbox, "a.csv", "one,two\n1,2\n")
        put(inbox, "picture.png", b"\x89PNG\r\n\x1a\n\0\0")
        put(inbox, "labs.csv")
        assert once() == 2
        assert names(inbox / "refused") == {"a.csv", "a.csv.report.json", "picture.png", "picture.png.report.json"}
        assert "labs.csv" in names(inbox / "done")
        report = told(inbox / "refused", "a.csv")
        assert report["outcome"] == "refused" and report["why"]
        assert "pipelines map" in report["why"] + report["hint"]
        assert told(inbox / "refused", "picture.png")["hint"] == ""

    def test_names_that_collide_get_a_number(self, inbox, once):
        for value in (1, 2, 3):
            put(inbox, "labs.csv", f"{HEADER}p1,ferritin,{value},ng/mL,2024-01-0{value}\n")
            once()
        assert {"labs.csv", "labs (2).csv", "labs (3).csv", "labs (3).csv.report.json"} <= names(inbox / "done")

    def test_the_same_bytes_again_are_duplicates_and_the_report_says_since_when(self, inbox, once):
        put(inbox, "labs.csv")
        once()
        put(inbox, "again.csv")
        once()
        report = told(inbox / "done", "again.csv")
        assert report["accounting"]["duplicate"] == 1 and report["accounting"]["accepted"] == 0
        assert [before["receipt"] for before in report["received_before"]] == [1]
        assert report["received_before"][0]["accounting"]["accepted"] == 1
        assert "the same bytes were received before (receipt 1)" in report["notes"]

    def test_small_files_are_loaded_together(self, store, inbox, once, monkeypatch):
        monkeypatch.setattr(watching, "FILES_AT_ONCE", 5)
        for number in range(1, 8):
            put(inbox, f"{number}.csv", f"{HEADER}p{number},ferritin,{number},ng/mL,2024-01-01\n")
        once()
        assert len(names(inbox / "done")) == 14 and store.current_number() == 2
        assert {told(inbox / "done", f"{number}.csv")["accounting"]["accepted"] for number in range(1, 8)} == {1}

    def test_a_fault_in_a_reader_costs_its_file_only(self, store, inbox, once, monkeypatch):
        whole = loading.sources.recognise

        def failing(path, declared=None):
            if b"poison" in Path(path).read_bytes():
                raise RuntimeError("a bug")
            return whole(path, declared)

        monkeypatch.setattr(loading.sources, "recognise", failing)
        put(inbox, "a.csv")
        put(inbox, "b.csv", "poison")
        put(inbox, "c.csv", HEADER + "p1,ferritin,1,ng/mL,2024-02-01\n")
        assert once() == 1
        assert "incident" in told(inbox / "refused", "b.csv")["why"]
        assert {"a.csv", "c.csv"} <= names(inbox / "done")


class TestWhatIsLeftAlone:
    @pytest.mark.parametrize(
        "name",
        [".labs.csv", "labs.csv.part", "labs.csv.tmp", "labs.csv.crdownload", "labs.csv~", "~$labs.xlsx", "A.FILEPART", "Thumbs.db"],
    )  # fmt: skip
    def test_names_that_say_unfinished(self, inbox, once, name):
        put(inbox, name)
        assert once() == 0 and (inbox / name).exists()

    def test_folders_links_and_pipes(self, store, inbox, once, tmp_path):
        (inbox / "folder").mkdir()
        put(inbox, "folder/labs.csv")
        outside = put(tmp_path, "outside.csv")
        (inbox / "link.csv").symlink_to(outside)
        os.mkfifo(inbox / "pipe.csv")
        once()
        assert names(inbox) == {"folder", "link.csv", "pipe.csv", "done", "refused"} and outside.exists()
        assert store.current() is None

    def test_a_mapping_file_waits_for_its_data(self, inbox, once):
        put(inbox, "labs.csv.mapping.toml", "")
        once()
        assert (inbox / "labs.csv.mapping.toml").exists()

    def test_a_file_that_grows_is_taken_once_it_rests(self, inbox):
        folder = Inbox(inbox)
        for part in range(3):
            with (inbox / "labs.csv").open("a") as file:
                file.write(LABS if part == 0 else "p1,crp,5,mg/L,2024-01-01\n")
            assert folder.settled(lambda path: None) == []
        assert folder.settled(lambda path: None) == [inbox / "labs.csv"]

    def test_a_file_replaced_by_one_of_the_same_size_and_time_is_new(self, inbox):
        folder = Inbox(inbox)
        first = put(inbox, "labs.csv")
        assert folder.settled(lambda path: None) == []
        second = put(inbox, ".arriving")
        os.utime(second, ns=(0, first.stat().st_mtime_ns))
        second.replace(first)
        assert folder.settled(lambda path: None) == []

    def test_an_empty_file_waits_for_its_bytes_and_is_refused_in_the_end(self, inbox, once):
        path = put(inbox, "labs.csv", b"")
        assert once() == 0 and path.exists()
        os.utime(path, (0, 0))
        assert once() == 1 and "empty" in told(inbox / "refused", "labs.csv")["why"]

    def test_a_file_written_to_while_it_is_loaded_goes_back(self, inbox, once, lines, monkeypatch):
        put(inbox, "labs.csv")
        whole = watching.load

        def written_to(store, paths, *rest, **named):
            report = whole(store, paths, *rest, **named)
            with paths[0].open("a") as file:
                file.write("p1,ferritin,5,ng/mL,2024-03-01\n")
            return report

        monkeypatch.setattr(watching, "load", written_to)
        once()
        assert (inbox / "labs.csv").exists() and "written to while" in lines[0]
        monkeypatch.setattr(watching, "load", whole)
        once()
        assert told(inbox / "done", "labs.csv")["accounting"]["accepted"] == 1


class TestMapping:
    WIDE = "Number;Date;Ferritin (ng/mL)\nA1;2021-02-13;1200\nA1;2021-02-20;1300\n"

    def mapping(self, inbox: Path) -> str:
        put(inbox, "wide.csv", self.WIDE)
        text = mapping.proposal_text(inbox / "wide.csv")
        for line, filled in (
            ('_by = ""', '_by = "tester"'),
            ('_on = ""', "_on = 2024-01-01"),
            ('ids = ""', 'ids = "pseudonyms"'),
            ('column = ""', 'column = "Number"'),
        ):
            text = text.replace(line, filled, 1)
        return text

    def test_a_mapping_beside_its_file_is_used_and_stays_for_the_next(self, store, inbox, once):
        put(inbox, "wide.csv.mapping.toml", self.mapping(inbox))
        assert once() == 0
        report = told(inbox / "done", "wide.csv")
        assert report["accounting"]["accepted"] == 2 and report["declared"]["mapping"]
        assert (inbox / "wide.csv.mapping.toml").exists() and holds(store)

    def test_a_mapping_that_is_not_approved_refuses_its_file_and_no_other(self, inbox, once):
        put(inbox, "wide.csv.mapping.toml", self.mapping(inbox).replace("tester", ""))
        put(inbox, "labs.csv")
        assert once() == 1
        assert "not approved" in told(inbox / "refused", "wide.csv")["why"] and "labs.csv" in names(inbox / "done")

    def test_one_that_cannot_be_read_refuses_its_file_and_the_others_wait_for_it(self, inbox, once, lines):
        put(inbox, "wide.csv", self.WIDE)
        put(inbox, "wide.csv.mapping.toml", "[[")
        put(inbox, "labs.csv")
        put(inbox, "more.csv")
        assert once() == 3
        assert "not TOML" in told(inbox / "refused", "wide.csv")["why"] and (inbox / "labs.csv").exists()
        assert sum("wait until it is mended" in line for line in lines) == 1
        (inbox / "wide.csv.mapping.toml").unlink()
        assert once() == 0 and {"labs.csv", "more.csv"} <= names(inbox / "done")

    def test_a_mapping_that_is_a_link_is_not_followed(self, inbox, once, lines, tmp_path):
        (inbox / "wide.csv.mapping.toml").symlink_to(put(tmp_path, "elsewhere.toml", self.mapping(inbox)))
        assert once() == 1 and "Links are not followed" in lines[0] and (inbox / "wide.csv").exists()


class TestNames:
    @pytest.mark.parametrize(
        "name",
        ["-rf.csv", "a\nb.csv", "x" * 250 + ".csv", "日本" * 41 + ".csv", "a'b\"$(id).csv", "=1+1.csv", "\udcff\udcfe.csv", "..."],
    )  # fmt: skip
    def test_a_hostile_name_never_becomes_a_path(self, inbox, once, name):
        if name.startswith("."):
            assert plain_file_name(name) == "file"
            return
        put(inbox, name)
        once()
        kept = [path for path in (inbox / "done").iterdir() if path.suffix != ".json"]
        assert len(kept) == 1 and kept[0].name.isprintable() and not kept[0].name.startswith((".", "-", "="))
        assert len(kept[0].name.encode()) < 240 and kept[0].suffix == ".csv"
        assert kept[0].with_name(f"{kept[0].name}.report.json").exists()

    @pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\x.csv", "/etc/passwd", "", ".", "..", "a/../b"])
    def test_a_plain_name_has_no_folder(self, name):
        plain = plain_file_name(name)
        assert plain and "/" not in plain and "\\" not in plain and plain not in (".", "..")

    def test_ordinary_names_stay(self):
        for name in ("labs.csv", "Labor März 2024 (2).xlsx", "検査.csv", "adt_a01.hl7"):
            assert plain_file_name(name) == name


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("The header is unknown: 'A, B'. Add 'x'.", "The header is unknown: '…'. Add '…'."),
        ("unknown: 'O'Brien, x'.", "unknown: '…'"),
        ("It is empty.", "It is empty."),
    ],
)
def test_what_a_refusal_quotes_is_left_out(said, left):
    assert without_quotes(said) == left


def test_a_report_says_that_it_was_refused():
    (report,) = told_of(Store("nowhere"), [FileReport("x.json", "0" * 64, refused="It is DSTU2.")])
    assert report["why"] == "It is DSTU2." and report["accounting"]["received"] == 0
