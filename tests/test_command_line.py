"""The command line as a person or a program meets it: exit codes, JSON, one line for what went wrong."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet
import pytest

from pipelines import __main__ as command_line
from pipelines import findings
from pipelines.catalog import catalog
from pipelines.engines import on_duckdb
from pipelines.export import csv_cell

ROOT = Path(__file__).parents[1]
LABS = """patient_id,analyte,value,unit,at
p1,ferritin,1200,ng/mL,2024-01-01
p1,ferritin,900,,2024-01-08
=1+1,ldh,400,U/L,2024-01-02
"""


class Ran:
    """How a command ended: its exit code and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict]:
        return list(csv.DictReader(io.StringIO(self.out)))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """Runs a command in this process on a store of its own."""
    monkeypatch.setenv("MDA5_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("MDA5_DEBUG", raising=False)

    def running(*arguments: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["pipelines", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        out, err = capsys.readouterr()
        return Ran(ended.value.code or 0, out, err)

    return running


@pytest.fixture
def labs(tmp_path: Path) -> Path:
    path = tmp_path / "labs.csv"
    path.write_text(LABS, encoding="utf-8")
    return path


@pytest.fixture
def loaded(run, labs: Path):
    assert run("load", labs).code == 0
    return run


def test_it_starts_as_a_module_and_keeps_its_store_where_it_is_told(tmp_path: Path, labs: Path):
    command = [sys.executable, "-m", "pipelines", "load", str(labs), "--store", str(tmp_path / "elsewhere"), "--json"]
    ran = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"MDA5_STORE": str(tmp_path / "not here")}, capture_output=True
    )
    assert ran.returncode == 0 and ran.stderr == b""
    assert json.loads(ran.stdout)["snapshot"] == 1
    assert (tmp_path / "elsewhere" / "CURRENT").exists() and not (tmp_path / "not here").exists()


class TestLoad:
    def test_its_json_gives_the_accounting_of_each_file(self, run, labs: Path):
        told = run("load", labs, "--json").json
        assert (told["snapshot"], told["patients_changed"]) == (1, 2)
        (file,) = told["files"]
        assert file | {"sha256": "", "notes": []} == {
            "name": "labs.csv", "sha256": "", "format": "csv/labs", "received": 3, "accepted": 2, "duplicate": 0, "superseded": 0,
            "rejected": 1, "notes": [], "refused": None,
        }  # fmt: skip
        assert len(file["sha256"]) == 64

    def test_its_text_gives_them_too_and_says_where_to_read_the_reasons(self, run, labs: Path):
        ran = run("load", labs)
        assert ran.code == 0
        assert "labs.csv" in ran.out and "csv/labs" in ran.out and "rejects" in ran.out and "snapshot 1" in ran.out

    def test_a_file_refused_as_a_whole_gives_exit_3_and_the_others_are_loaded(self, run, labs: Path, tmp_path: Path):
        (tmp_path / "letter.txt").write_text("Dear colleague,\n", encoding="utf-8")
        ran = run("load", labs, tmp_path / "letter.txt", "--json")
        assert ran.code == 3
        first, second = ran.json["files"]
        assert first["refused"] is None and first["received"] == 3
        assert second["refused"] and second["format"] is None and second["received"] == second["rejected"] == 0

    @pytest.mark.parametrize(
        "arguments", [["load"], ["load", "no such file"], ["load", ".", "--decimal", "point"], ["lode"]]
    )
    def test_wrong_usage_gives_exit_2(self, run, arguments: list[str]):
        assert run(*arguments).code == 2

    def test_a_declared_decimal_mark_is_used_and_kept(self, run, tmp_path: Path):
        path = tmp_path / "komma.csv"
        path.write_text("patient_id;analyte;value;unit;at\np1;ferritin;1,500;ng/mL;2024-01-01\n", encoding="utf-8")
        assert run("load", path, "--decimal", "comma").code == 0
        run("export", "observation", "--out", tmp_path / "out.csv")
        assert "ferritin,1.5,1.5" in (tmp_path / "out.csv").read_text()
        run("rebuild")
        run("export", "observation", "--out", tmp_path / "again.csv")
        assert (tmp_path / "again.csv").read_text() == (tmp_path / "out.csv").read_text()


class TestWhatGoesWrong:
    @pytest.mark.parametrize(
        "command",
        [
            ["findings"],
            ["explain", "p1", "c"],
            ["digest"],
            ["rejects"],
            ["export", "row", "--out", "x.csv"],
            ["verify"],
            ["rebuild"],
            ["erase", "p1", "--by", "me", "--yes"],
        ],
    )
    def test_an_empty_store_explains_itself_and_is_not_made(self, run, command: list[str], tmp_path: Path):
        ran = run(*command)
        assert ran.code == 1 and ran.out == ""
        assert "Nothing has been loaded" in ran.err and ran.err.count("\n") == 1
        assert not (tmp_path / "store").exists()

    def test_a_patient_a_criterion_or_a_table_that_does_not_exist_is_named(self, loaded, tmp_path: Path):
        for command in (
            ["findings", "--patient", "p9"],
            ["findings", "--criterion", "p9"],
            ["export", "p9", "--out", tmp_path / "x"],
        ):
            ran = loaded(*command)
            assert ran.code == 1 and "'p9'" in ran.err and ran.err.count("\n") == 1

    def test_a_fault_of_the_program_is_an_incident_and_no_traceback(
        self, loaded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        def failing(*_, **__):
            raise RuntimeError("value of patient p1")

        monkeypatch.setattr(findings, "standing", failing)
        ran = loaded("findings")
        assert ran.code == 1 and "incident" in ran.err
        assert "Traceback" not in ran.err and "p1" not in ran.err
        (log,) = (tmp_path / "store" / "logs").iterdir()
        assert log.stem in ran.err and "value of patient p1" in log.read_text()

    def test_an_interrupted_load_says_that_nothing_is_broken(self, run, labs: Path, monkeypatch: pytest.MonkeyPatch):
        def interrupted(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(on_duckdb, "evaluated", interrupted)
        ran = run("load", labs)
        assert ran.code == 130 and "load again" in ran.err


class TestFindings:
    @pytest.fixture
    def criterion(self) -> str:
        return sorted(catalog().criteria)[0]

    def test_every_criterion_answers_for_every_patient(self, loaded):
        told = loaded("findings", "--format", "json").json
        assert {row["patient_id"] for row in told} == {"p1", "=1+1"}
        assert {row["criterion"] for row in told} == set(catalog().criteria)
        promised = {
            "patient_id",
            "on_date",
            "item",
            "status",
            "grade",
            "evidence",
            "missing",
            "facts",
            "notes",
            "margin",
        }
        for row in told:
            assert promised | {"criterion", "group", "finding"} <= row.keys()
            assert all(isinstance(record_id, str) for record_id in row["evidence"])
            date.fromisoformat(row["on_date"])

    def test_they_can_be_narrowed(self, loaded, criterion: str):
        told = loaded(
            "findings", "--patient", "p1", "--criterion", criterion, "--as-of", "2024-01-01", "--format", "json"
        ).json
        assert {(row["patient_id"], row["criterion"]) for row in told} == {("p1", criterion)}
        group, status = told[0]["group"], told[0]["status"]
        narrowed = loaded("findings", "--group", group, "--status", status, "--format", "json").json
        assert {(row["group"], row["status"]) for row in narrowed} == {(group, status)}

    def test_csv_and_table_give_the_same_answers(self, loaded, criterion: str):
        rows = loaded("findings", "--patient", "p1", "--format", "csv").rows
        assert {row["criterion"] for row in rows} == set(catalog().criteria)
        assert criterion in loaded("findings", "--patient", "p1").out

    def test_history_gives_every_judged_date(self, loaded):
        told = loaded("findings", "--history", "--patient", "p1", "--format", "json").json
        assert {row["criterion"] for row in told} == set(catalog().criteria)

    def test_nothing_stands_before_the_first_record(self, loaded):
        assert loaded("findings", "--as-of", "2020-01-01", "--format", "json").json == []

    def test_the_digest_is_printed_or_written(self, loaded, tmp_path: Path):
        printed = loaded("digest").out
        assert printed.startswith("# Alerts before the meeting") and "### p1" in printed
        loaded("digest", "--out", tmp_path / "digest.md")
        assert (tmp_path / "digest.md").read_text() == printed
        assert "✱ **" in loaded("digest", "--since", "2000-01-01").out

    def test_explain_gives_thresholds_with_their_papers_and_evidence_down_to_the_line(self, loaded):
        told = next(row for row in loaded("findings", "--patient", "p1", "--format", "json").json if row["evidence"])
        explained = loaded("explain", "p1", told["criterion"], "--json").json
        (record,) = [record for answer in explained["answers"] for record in answer["records"]][:1]
        assert (record["file"], record["line"], record["value"]) == ("labs.csv", 2, "1200")
        assert all(threshold["tag"] and threshold["citation"] for threshold in explained["thresholds"])
        text = loaded("explain", "p1", told["criterion"]).out
        assert "labs.csv" in text and told["finding"].split(".")[0][:30] in text.replace("\n", " ")


class TestPast:
    def test_the_day_asked_for_is_then_the_last_one_known(self, loaded):
        told = loaded("findings", "--known-at", "2024-01-01", "--format", "json").json
        assert {row["patient_id"] for row in told} == {"p1"} and {row["on_date"] for row in told} == {"2024-01-01"}
        explained = loaded("explain", "p1", "high_ferritin", "--known-at", "2024-01-01", "--json").json
        assert explained["as_of"] == "2024-01-01" and explained["answers"][0]["status"] == "met"

    def test_before_the_store_had_anything_nothing_stands(self, loaded):
        for question in (["findings"], ["findings", "--history"]):
            assert loaded(*question, "--received-at", "2000-01-01", "--format", "json").json == []
        ran = loaded("explain", "p1", "high_ferritin", "--received-at", "2000-01-01")
        assert ran.code == 0 and "before anything was recorded" in ran.out

    def test_a_day_alone_is_taken_to_its_end(self, loaded):
        today = date.today().isoformat()
        assert loaded("findings", "--received-at", today, "--format", "json").json
        assert not loaded("findings", "--received-at", f"{today}T00:00:00", "--format", "json").json

    @pytest.mark.parametrize("command", [["findings"], ["explain", "p1", "high_ferritin"]])
    def test_two_moments_or_none_are_wrong_usage(self, loaded, command: list[str]):
        for moments in (
            ["--known-at", "2024-01-01", "--received-at", "2024-01-01"],
            ["--known-at", "yesterday"],
            ["--received-at", "2024-06-01T12:00:00+02:00"],
        ):
            ran = loaded(*command, *moments)
            assert ran.code == 2 and ran.out == "" and "Traceback" not in ran.err


class TestTables:
    def test_rejects_give_the_reason_the_hint_and_the_row(self, loaded):
        (row,) = loaded("rejects", "--format", "json").json
        assert (row["file"], row["line"], row["reason"], row["raw"]) == (
            "labs.csv",
            3,
            "unit_missing",
            "p1,ferritin,900,,2024-01-08",
        )
        assert loaded("rejects").rows[0]["hint"] == row["hint"] != ""

    def test_a_table_is_the_same_in_every_format(self, loaded, tmp_path: Path):
        for form in ("csv", "json", "parquet"):
            assert loaded("export", "observation", "--format", form, "--out", tmp_path / f"o.{form}").code == 0
        with (tmp_path / "o.csv").open(newline="") as file:
            as_csv = list(csv.DictReader(file))
        as_json = json.loads((tmp_path / "o.json").read_text())
        as_parquet = pyarrow.parquet.read_table(tmp_path / "o.parquet").to_pylist()
        ids = [row["record_id"] for row in as_csv]
        assert ids == [row["record_id"] for row in as_json] == [str(row["record_id"]) for row in as_parquet]
        assert [row["value"] for row in as_csv] == ["400", "1200"] or [row["value"] for row in as_csv] == [
            "1200",
            "400",
        ]
        assert sorted(row["value"] for row in as_json) == [400, 1200]
        assert sorted(row["value"] for row in as_parquet) == [Decimal("400"), Decimal("1200")]

    def test_what_a_spreadsheet_would_run_is_text_in_csv(self, loaded, tmp_path: Path):
        loaded("export", "patient", "--out", tmp_path / "p.csv")
        assert "'=1+1" in (tmp_path / "p.csv").read_text()

    @pytest.mark.parametrize("name", ["store/x.csv", "store/landing/manifest", "store/../store/CURRENT"])
    def test_an_export_is_not_written_into_the_store(self, loaded, tmp_path: Path, name: str):
        before = (tmp_path / "store" / "CURRENT").read_text()
        assert loaded("export", "row", "--out", tmp_path / name).code == 1
        assert not (tmp_path / "store" / "x.csv").exists()
        assert (tmp_path / "store" / "CURRENT").read_text() == before

    def test_a_name_is_never_a_path_or_sql(self, loaded, tmp_path: Path):
        for name in ("/etc/passwd", "row; DROP TABLE row", "read_csv('x')", "source.row"):
            ran = loaded("export", name, "--out", tmp_path / "x.csv")
            assert ran.code == 1 and "Known: " in ran.err
            assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "-", "+"])
def test_formulas_are_guarded_and_signs_alone_are_not(text: str):
    assert csv_cell(text) == (text if text in "+-" else f"'{text}")


@pytest.mark.parametrize("text", ["-1.5", "+3", "-2e5", "++", "1200", "", "a=b", "-1,5"])
def test_numbers_and_plain_words_stay_as_they_are(text: str):
    assert csv_cell(text) == text


def test_an_unknown_part_of_a_list_leaves_its_place_empty():
    assert csv_cell(["1600", None, "500"]) == "1600; ; 500"


def test_nothing_of_a_file_reaches_the_terminal_as_a_command(run, tmp_path: Path):
    path = tmp_path / "labs.csv"
    path.write_text(
        LABS.replace("p1,", "p\x1b[31m1\u200b,").replace(",at\n", ",at,x\x1b[2J\n").replace("01\n", "01,\n")
    )
    shown = run("load", path).out + run("findings").out + run("explain", "p\x1b[31m1\u200b", "high_ferritin").out
    assert "\N{REPLACEMENT CHARACTER}[31m1\N{REPLACEMENT CHARACTER}" in shown
    assert "\x1b" not in shown and "\u200b" not in shown


class TestRulebook:
    def test_it_is_written_in_both_forms(self, loaded, tmp_path: Path):
        for form, start in (("md", b"# mda5-monitor: rulebook\n"), ("pdf", b"%PDF-")):
            out = tmp_path / f"book.{form}"
            ran = loaded("rulebook", "--format", form, "--out", out)
            assert (ran.code, ran.out, ran.err) == (0, "", f"Rulebook written to {out}\n")
            assert out.read_bytes().startswith(start)

    def test_it_counts_the_patients_of_the_store(self, loaded, tmp_path: Path):
        loaded("rulebook", "--format", "md", "--out", tmp_path / "book.md")
        text = (tmp_path / "book.md").read_text(encoding="utf-8")
        assert "On 2024-01-02: met 1, cannot be told 1, not met 0 of 2 patients." in text and "=1+1" not in text

    def test_without_counts_it_needs_no_store(self, run, tmp_path: Path):
        out = tmp_path / "book.md"
        assert run("rulebook", "--format", "md", "--out", out).code == 1 and not out.exists()
        assert run("rulebook", "--format", "md", "--out", out, "--without-counts").code == 0
        assert "In this store" not in out.read_text(encoding="utf-8")
        assert not (tmp_path / "store").exists()

    def test_a_form_that_there_is_not_is_wrong_usage(self, run, tmp_path: Path):
        assert run("rulebook", "--format", "docx", "--out", tmp_path / "book.docx").code == 2


class TestErase:
    """From the files to a store that has never heard of the patient."""

    @pytest.fixture(autouse=True)
    def _key(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "key"))

    def test_a_patient_is_gone_for_good_and_the_others_are_not(
        self, loaded, labs: Path, monkeypatch: pytest.MonkeyPatch
    ):
        loaded("export", "observation", "--out", labs.with_name("before.csv"))
        ran = loaded("erase", "p1", "--by", "the data protection officer", "--why", "a letter of 2 June", "--yes")
        assert ran.code == 0 and "2 rows taken out; 1 of 1 files were rewritten" in ran.out and "backups" in ran.out
        assert [row["patient_id"] for row in loaded("findings", "--format", "json").json][:1] == ["=1+1"]
        assert loaded("findings", "--patient", "p1").code == 1
        ran = loaded("load", labs, "--json")
        assert (ran.code, ran.json["files"][0]["rejected"], ran.json["files"][0]["duplicate"]) == (0, 2, 1)
        assert {(row["line"], row["reason"], row["raw"]) for row in loaded("rejects").rows} == {
            (line, "patient_erased", "withheld: the patient was erased") for line in ("2", "3")
        }
        ran = loaded("erase", "p1", "--by", "somebody else", "--yes")
        assert ran.code == 1 and "by the data protection officer" in ran.err and ran.err.count("\n") == 1
        assert loaded("verify").code == 0
        assert all(not table["only_now"] for table in loaded("rebuild", "--json").json["tables"])

    def test_it_asks_first_and_needs_somebody_who_erases(self, loaded, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
        ran = loaded("erase", "p1", "--by", "the data protection officer")
        assert ran.code == 1 and "p1: 2 records and rejected rows in 1 files. Erase this patient for good?" in ran.err
        assert loaded("erase", "p1").code == 2
        assert loaded("erase", "p9", "--by", "me", "--yes").code == 1
        assert loaded("findings", "--patient", "p1").code == 0
        monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
        assert loaded("erase", "p1", "--by", "the data protection officer").code == 0

    def test_an_identifier_is_found_by_its_assigner(self, run, labs: Path):
        run("load", labs, "--assigner", "north")
        ran = run("erase", "p1", "--assigner", "north", "--by", "the data protection officer", "--yes")
        assert ran.code == 0 and "2 rows taken out" in ran.out


def test_verify_and_rebuild_say_what_they_found(loaded):
    assert "FAILED" not in loaded("verify").out
    assert all(check["holds"] for check in loaded("verify", "--json").json)
    assert "Every table is equal to before." in loaded("rebuild").out
    assert loaded("rebuild", "--json").json["equal"] is True


def test_verify_fails_when_a_check_does(loaded, tmp_path: Path):
    (tmp_path / "store" / "v000000.duckdb").write_bytes(b"no database")
    ran = loaded("verify")
    assert ran.code == 1 and "FAILED Every snapshot opens" in ran.out
