"""Which rules judged a store: a change judges everyone again, is told with whom it turned and through what, and is never forgotten."""

import json
import shutil
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines import __main__ as command_line
from pipelines import command_output, findings, rule_versions
from pipelines.catalog import Catalog
from pipelines.dictionary import tables
from pipelines.load import LoadReport, load, rebuild
from pipelines.rule_versions import Ledger, RuleChange
from pipelines.site_thresholds import SiteValue
from pipelines.store.database import SnapshotReader, Store, open_snapshot
from tests import some_rules

FIRST, LATER, LAST = datetime(2024, 6, 1, 9), datetime(2024, 7, 1, 9), datetime(2024, 8, 1, 9)
RULES = some_rules.only("high_ferritin", "urgent_transfer", "cmv_reactivation")
LABS = """patient_id,analyte,value,unit,at
p1,ferritin,600,ng/mL,2024-01-01
p2,ferritin,1200,ng/mL,2024-01-01
p3,cmv_dna,100,[IU]/mL,2024-01-01
"""
OXYGEN = "patient_id,device,flow_l_min,fio2,at\np4,hfnc,40,0.5,2024-01-01\n"


@pytest.fixture(scope="module")
def judged_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store of four patients, judged by some of the rules as they ship."""
    folder = tmp_path_factory.mktemp("judged")
    for name, text in (("labs", LABS), ("oxygen", OXYGEN)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    with some_rules.in_use(RULES):
        report = again(Store(folder / "store"), folder / "labs.csv", folder / "oxygen.csv", at=FIRST)
    assert report.rules_changed == [] and report.patients_changed == 4
    return folder / "store"


@pytest.fixture
def store(judged_once: Path, tmp_path: Path, put_rules) -> Store:
    """A copy of it to load into."""
    put_rules(RULES)
    return Store(shutil.copytree(judged_once, tmp_path / "store"))


def again(store: Store, *files: Path, at: datetime = LATER) -> LoadReport:
    return load(store, files, received_at=at)


def told(store: Store) -> dict:
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        return rule_versions.told(cursor, Ledger(store.folder))


def met(store: Store, criterion: str) -> set[str]:
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        return {row["patient_id"] for row in findings.standing(cursor, criterion=criterion, status="met")}


def in_short(changed: list[RuleChange]) -> list[tuple]:
    return [(change.criterion, change.change, change.parts, change.patients) for change in changed]


RAISED = some_rules.with_threshold(RULES, "high_ferritin", "grade_1_above", 700)


class TestChanges:
    def test_a_number_of_a_rule(self, store: Store, put_rules):
        assert met(store, "high_ferritin") == {"p1", "p2"}
        put_rules(RAISED)
        (change,) = again(store).rules_changed
        assert in_short([change]) == [("high_ferritin", "changed", ("high_ferritin",), 1)]
        assert (change.version, change.why) == (1, RULES.criteria["high_ferritin"].history[-1]["why"])
        assert (change.before, change.after) == tuple(
            rules.content_hashes()["high_ferritin"] for rules in (RULES, RAISED)
        )
        assert met(store, "high_ferritin") == {"p2"}
        assert again(store).rules_changed == []

    def test_what_new_files_turn_is_not_counted_as_the_rules(self, store: Store, put_rules, tmp_path: Path):
        (tmp_path / "more.csv").write_text(
            LABS.replace("1200", "300").replace("2024-01-01", "2024-02-01"), encoding="utf-8"
        )
        put_rules(RAISED)
        report = again(store, tmp_path / "more.csv")
        assert in_short(report.rules_changed) == [("high_ferritin", "changed", ("high_ferritin",), 1)]
        assert report.patients_changed == 3 and met(store, "high_ferritin") == set()

    def test_a_concept_is_told_of_each_rule_that_reads_it(self, store: Store, put_rules):
        put_rules(some_rules.edited(RULES, RULES.concepts["oxygen_support"], "another word of why"))
        assert in_short(again(store).rules_changed) == [("urgent_transfer", "changed", ("oxygen_support",), 0)]

    def test_a_table_of_the_dictionary(self, store: Store, monkeypatch: pytest.MonkeyPatch):
        shipped = tables.content_hash
        monkeypatch.setattr(tables, "content_hash", lambda name: "other" if name == "oxygen_device" else shipped(name))
        assert in_short(again(store).rules_changed) == [("urgent_transfer", "changed", ("oxygen_device",), 0)]

    def test_a_value_of_the_site(self, store: Store, put_rules):
        value = SiteValue(Decimal(150), "IU/mL", "Infection board", date(2024, 6, 2), "limit of quantification")
        assert met(store, "cmv_reactivation") == {"p3"}
        put_rules(RULES.at_site({("cmv_reactivation", "pcr"): value}))
        assert in_short(again(store).rules_changed) == [("cmv_reactivation", "changed", ("cmv_reactivation",), 1)]
        assert met(store, "cmv_reactivation") == set()

    def test_a_rule_that_is_new_and_one_that_is_gone(self, store: Store, put_rules):
        fewer = some_rules.only("high_ferritin", "urgent_transfer", rules=RULES)
        put_rules(fewer)
        (gone,) = again(store).rules_changed
        assert in_short([gone]) == [("cmv_reactivation", "gone", ("cmv_reactivation",), 4)]
        assert (gone.version, gone.after) == (None, None)
        put_rules(RULES)
        (new,) = again(store, at=LAST).rules_changed
        assert in_short([new]) == [("cmv_reactivation", "new", ("cmv_reactivation",), 4)]
        assert (new.version, new.before) == (1, None)

    def test_a_store_judged_by_other_rules_answers_by_those_of_now(self, store: Store, put_rules):
        put_rules(RAISED)
        assert met(store, "high_ferritin") == {"p2"}
        assert told(store)["these_rules"] is False

    def test_they_are_printed_for_a_person(self, capsys: pytest.CaptureFixture):
        changes = [
            RuleChange("a", "changed", 2, "a better paper", ("a", "oxygen_support"), 1, "x", "y"),
            RuleChange("b", "new", 1, "first version", ("b",), 3, None, "y"),
            RuleChange("c", "gone", None, "", ("c",), 3, "x", None),
        ]
        command_output.print_rule_changes(command_output.screen(), changes)
        assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
            "Everyone was judged again, because rules changed:",
            "a: changed, version 2, through oxygen_support; another answer for 1 patient. a better paper",
            "b: new, version 1; answers for 3 patients. first version",
            "c: gone; no more answers for 3 patients.",
        ]


class TestLedger:
    def test_it_says_since_when_a_version_judges(self, store: Store, put_rules):
        assert {row["since"] for row in told(store)["criteria"]} == {FIRST.isoformat()}
        put_rules(RAISED)
        again(store)
        assert {row["criterion"]: row["since"] for row in told(store)["criteria"]} == {
            "high_ferritin": LATER.isoformat(),
            "urgent_transfer": FIRST.isoformat(),
            "cmv_reactivation": FIRST.isoformat(),
        }
        put_rules(RULES)
        again(store, at=LAST)
        assert {row["since"] for row in told(store)["criteria"]} == {FIRST.isoformat(), LAST.isoformat()}
        assert [change["judged_at"] for change in told(store)["changes"]] == [LAST.isoformat(), LATER.isoformat()]

    def test_a_rebuild_keeps_it_and_tells_what_changed_since_the_snapshot(self, store: Store, put_rules):
        before = Ledger(store.folder).path.read_bytes()
        report = rebuild(store)
        assert report.equal and report.rules_changed == [] and Ledger(store.folder).path.read_bytes() == before
        put_rules(RAISED)
        report = rebuild(store)
        assert in_short(report.rules_changed) == [("high_ferritin", "changed", ("high_ferritin",), 1)]
        assert {table.table for table in report.tables if table.only_now} == {
            "result.spell", "result.rule", "result.rule_part",
        }  # fmt: skip
        assert Ledger(store.folder).path.read_bytes().startswith(before)

    def test_a_change_told_by_a_judgement_that_a_crash_undid_is_listed_once(
        self, store: Store, put_rules, monkeypatch: pytest.MonkeyPatch
    ):
        add = Ledger.add

        def killed(*given):
            add(*given)
            raise RuntimeError("killed here")

        put_rules(RAISED)
        with monkeypatch.context() as patched:
            patched.setattr(Ledger, "add", killed)
            with pytest.raises(RuntimeError, match="killed here"):
                again(store)
        assert told(store)["these_rules"] is False
        assert in_short(again(store, at=LAST).rules_changed) == [("high_ferritin", "changed", ("high_ferritin",), 1)]
        assert len(told(store)["changes"]) == 1

    def test_a_judgement_that_did_not_finish_leaves_nothing_behind(
        self, store: Store, put_rules, monkeypatch: pytest.MonkeyPatch
    ):
        put_rules(RAISED)
        with monkeypatch.context() as patched:
            patched.setattr(rule_versions, "changes", lambda con: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                again(store)
        put_rules(RULES)
        again(store)
        with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
            assert (
                cursor.execute("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'former%'").fetchall()
                == []
            )
        assert len(Ledger(store.folder).entries()) == 1

    def test_a_line_cut_short_is_no_entry_and_spoils_none(self, tmp_path: Path):
        ledger = Ledger(tmp_path)
        ledger.add(FIRST, {"a": "1"}, [])
        whole = ledger.path.read_bytes()
        for cut in range(1, len(whole) - 1):
            ledger.path.write_bytes(whole + whole[:cut])
            ledger.add(LATER, {"a": "2"}, [])
            assert [entry["rules"] for entry in ledger.entries()] == [{"a": "1"}, {"a": "2"}]
        ledger.path.write_bytes(whole + b"\xff\xfe\n")
        assert len(ledger.entries()) == 1

    def test_nobody_else_may_read_it(self, store: Store):
        assert Ledger(store.folder).path.stat().st_mode & 0o077 == 0

    def test_a_work_file_made_again_is_compared_with_the_snapshot(self, store: Store, put_rules):
        reader = SnapshotReader(store.folder)  # as the dashboard of this process has it open
        reader.snapshot()
        (store.folder / "work.duckdb").unlink()
        put_rules(RAISED)
        assert in_short(again(store).rules_changed) == [("high_ferritin", "changed", ("high_ferritin",), 1)]
        reader.close()

    def test_a_snapshot_that_does_not_open_hinders_no_rebuild(self, store: Store):
        store.current().write_bytes(b"damaged" * 1000)
        report = rebuild(store)
        assert report.tables == [] and report.rules_changed == []
        assert met(store, "high_ferritin") == {"p1", "p2"}


class TestCommand:
    def run(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, *arguments: str
    ) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["pipelines", *arguments])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        return (ended.value.code or 0, *capsys.readouterr())

    def test_it_lists_each_rule_and_the_changes(self, store: Store, put_rules, monkeypatch, capsys):
        put_rules(RAISED)
        again(store)
        where = str(store.folder)
        code, out, _ = self.run(monkeypatch, capsys, "rules", "--format", "json", "--store", where)
        found = json.loads(out)
        assert (code, found["snapshot"], found["these_rules"]) == (0, 2, True)
        assert found["criteria"] == [
            {
                "criterion": name,
                "title": RULES.criteria[name].title,
                "version": len(RULES.criteria[name].history),
                "content_hash": RAISED.content_hashes()[name],
                "why": RULES.criteria[name].history[-1]["why"],
                "since": (LATER if name == "high_ferritin" else FIRST).isoformat(),
            }
            for name in ("cmv_reactivation", "high_ferritin", "urgent_transfer")
        ]
        assert [(change["judged_at"], change["patients"]) for change in found["changes"]] == [(LATER.isoformat(), 1)]
        code, out, _ = self.run(monkeypatch, capsys, "rules", "--store", where)
        assert code == 0 and RAISED.content_hashes()["high_ferritin"][:12] in out and "Changes" in out

    def test_it_says_when_the_store_was_judged_by_other_rules(self, store: Store, put_rules, monkeypatch, capsys):
        put_rules(RAISED)
        _, out, _ = self.run(monkeypatch, capsys, "rules", "--store", str(store.folder))
        assert "The rules have changed since" in out and "No rule has changed since this store was first judged" in out

    def test_an_empty_store_explains_itself(self, tmp_path: Path, monkeypatch, capsys):
        code, out, err = self.run(monkeypatch, capsys, "rules", "--store", str(tmp_path / "none"))
        assert (code, out) == (1, "") and "Nothing has been loaded" in err and not (tmp_path / "none").exists()


def test_the_order_of_the_sites_values_is_no_part_of_a_version():
    values = {
        ("cmv_reactivation", name): SiteValue(100, unit, "board", date(2024, 6, 2), "why")
        for name, unit in (("pcr", "IU/mL"), ("pcr_copies", "copies/mL"))
    }
    reversed_values = dict(reversed(values.items()))

    def hashes(rules: Catalog) -> dict[str, str]:
        return rules.content_hashes()

    assert hashes(RULES.at_site(values)) == hashes(RULES.at_site(reversed_values)) != hashes(RULES)
