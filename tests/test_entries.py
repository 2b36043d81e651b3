"""What people enter: which rows are whole, which versions stand, and that a referral is an event of its patient too."""

from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from pipelines import entries, erasure, findings
from pipelines.load import FileReport, load, rebuild
from pipelines.store.database import SnapshotReader, Store
from pipelines.verify import verify
from tests import ingesting, some_rules

RECEIVED = datetime(2024, 5, 1, 12)
EVENTS = (
    "patient_id,kind,code,at\n"
    "a,diagnosis,ild,2024-01-02\n"
    "b,diagnosis,ild,2024-01-02\n"
)  # fmt: skip
NOTE = {"kind": "note", "patient_id": "a", "day": date(2024, 4, 30), "text": "Asked for a troponin."}


@pytest.fixture(scope="module", autouse=True)
def some_of_the_rules():
    """Entries are no concern of the rules: one is enough to judge a store."""
    with some_rules.in_use(some_rules.only("urgent_transfer")):
        yield


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    """The tables of a store with two patients: what entries become there, without judging anybody."""
    con = ingesting.empty_store()
    ingesting.load(con, EVENTS, received_at=datetime(2024, 4, 1))
    return con


def enter(
    con: duckdb.DuckDBPyConnection,
    *rows: dict,
    at: datetime = RECEIVED,
    said: datetime | None = None,
    author: str = "Dr A",
):
    """Takes in entries made (`said`) and received at a moment; how many were accepted, rejected and duplicates, as a load reports it."""
    text = entries.entry_file(rows, author, said or at)
    ingesting.load(con, text, received_at=at)
    found = ingesting.outcomes(con, con.execute("SELECT max(file_id) FROM source.file").fetchone()[0])
    return FileReport(
        "entries.csv",
        received=len(found),
        **{outcome: found.count(outcome) for outcome in ("accepted", "rejected", "duplicate", "superseded")},
    )


def standing(con: duckdb.DuckDBPyConnection, *kinds: str, **asked) -> list[dict]:
    return entries.standing(con, kinds or None, **asked)


class TestWhatAnEntryMustSay:
    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ({"kind": "remark"}, "no such kind"),
            ({"kind": "note", "day": date(2024, 4, 30)}, "says nothing of: text"),
            ({"kind": "note", "text": "seen"}, "says nothing of: day"),
            ({**NOTE, "patient_id": ""}, "says nothing of: patient_id"),
            ({**NOTE, "owner": "Dr B"}, "has no owner"),
            ({**NOTE, "day": "2024-02-30"}, "day is no day"),
            ({**NOTE, "day": "2024-04"}, "day is no day"),
            ({**NOTE, "text": "x" * 4_001}, "longer than"),
            ({"kind": "agenda", "day": date(2024, 5, 2), "code": "maybe"}, "one of: planned, seen, skipped"),
            ({"kind": "referral", "day": date(2024, 4, 30), "code": "declined"}, "says nothing of: text"),
            ({"kind": "workup", "item": "hrct", "code": "done"}, "says nothing of: day"),
            (
                {"kind": "decision", "day": date(2024, 4, 30), "text": "wean", "owner": "Dr B", "frozen": {"as_of": "2024-04-30"},
                 "criterion": "urgent_transfer", "code": "not_met"},
                "says nothing of: until",
            ),
        ],
    )  # fmt: skip
    def test_what_is_missing_or_wrong_is_said(self, row, said):
        with pytest.raises(entries.EntryIncomplete, match=said):
            entries.entry_file([{"patient_id": "a"} | row], "Dr A", RECEIVED)

    def test_who_entered_it_must_be_said(self):
        with pytest.raises(entries.EntryIncomplete, match="author"):
            entries.entry_file([NOTE], " ", RECEIVED)

    def test_a_decision_may_expect_nothing(self):
        entries.entry_file(
            [{**NOTE, "kind": "decision", "owner": "Dr B", "frozen": {"as_of": date(2024, 4, 30)}}], "Dr A", RECEIVED
        )


class TestWhatStands:
    def test_an_entry_is_told_with_who_and_when(self, con):
        report = enter(con, NOTE)
        assert (report.accepted, report.rejected) == (1, 0)
        (note,) = standing(con, "note")
        assert {name: note[name] for name in ("author", "author_known", "text", "day", "version")} == {
            "author": "Dr A",
            "author_known": "typed",
            "text": "Asked for a troponin.",
            "day": date(2024, 4, 30),
            "version": 1,
        }
        assert (note["entered_at"], note["received_at"]) == (RECEIVED, RECEIVED)
        assert standing(con, "review") == []
        assert standing(con, patients=["b"]) == []

    def test_a_correction_is_a_new_version_and_both_are_kept(self, con):
        enter(con, NOTE)
        (note,) = standing(con)
        later = datetime(2024, 5, 2)
        enter(con, entries.corrected_version(note, text="Asked for troponin T."), at=later, author="Dr B")
        (now,) = standing(con)
        assert (now["text"], now["version"], now["author"]) == ("Asked for troponin T.", 2, "Dr B")
        (then,) = standing(con, received_at=RECEIVED)
        assert (then["text"], then["version"]) == ("Asked for a troponin.", 1)
        assert [one["author"] for one in entries.versions(con, now["entry_id"])] == ["Dr A", "Dr B"]

    def test_what_is_withdrawn_stands_no_more(self, con):
        enter(con, NOTE)
        enter(con, entries.withdrawn_version(standing(con)[0]), at=datetime(2024, 5, 2))
        assert standing(con) == []
        assert len(standing(con, received_at=RECEIVED)) == 1

    def test_what_is_frozen_comes_back(self, con):
        frozen = {"snapshot": 3, "met": ["urgent_transfer"], "as_of": date(2024, 4, 30)}
        enter(con, {"kind": "review", "patient_id": "a", "day": date(2024, 4, 30), "frozen": frozen})
        assert standing(con)[0]["frozen"] == frozen | {"as_of": "2024-04-30"}

    def test_lines_of_a_text_are_kept_and_control_characters_are_not(self, con):
        enter(con, {**NOTE, "text": "one\r\ntwo\x07 \x00three"})
        assert standing(con)[0]["text"].splitlines()[0] == "one"
        assert "\x07" not in standing(con)[0]["text"]


class TestWhatIsRefused:
    def test_an_entry_of_nobody_known(self, con):
        report = enter(con, {**NOTE, "patient_id": "stranger"})
        assert (report.accepted, report.rejected) == (0, 1)

    def test_an_entry_under_the_id_of_another_patients(self, con):
        enter(con, {**NOTE, "entry_id": "one"})
        assert enter(con, {**NOTE, "entry_id": "one", "patient_id": "b"}).rejected == 1
        assert enter(con, {**NOTE, "entry_id": "one", "text": "again"}, at=datetime(2024, 5, 3)).accepted == 1

    def test_two_of_one_id_in_one_file(self, con):
        rows = ({**NOTE, "entry_id": "one"}, {**NOTE, "entry_id": "one", "patient_id": "b"})
        report = enter(con, *rows)
        assert (report.accepted, report.rejected) == (1, 1)

    @pytest.mark.parametrize(
        ("day", "taken"), [(date(2024, 5, 1), 1), (date(2024, 5, 2), 0)], ids=["the day itself", "the day after"]
    )
    def test_what_has_not_happened_yet(self, con, day, taken):
        assert enter(con, {**NOTE, "day": day}).accepted == taken

    def test_a_meeting_may_be_planned_ahead(self, con):
        row = {"kind": "agenda", "patient_id": "a", "day": date(2024, 5, 8), "code": "planned"}
        assert enter(con, row).accepted == 1

    def test_the_same_file_again_is_a_duplicate(self, con):
        row = {**NOTE, "entry_id": "one"}
        enter(con, row)
        assert enter(con, row).duplicate == 1
        assert len(standing(con)) == 1


class TestReferral:
    ROW = {"kind": "referral", "patient_id": "a", "day": date(2024, 4, 20), "code": "referred", "entry_id": "one"}  # noqa: RUF012

    def event(self, con: duckdb.DuckDBPyConnection) -> list[tuple]:
        return con.execute(
            "SELECT code, CAST(at_low AS DATE), status FROM record.event "
            "WHERE kind = 'referral' AND known_until IS NULL ORDER BY at_low"
        ).fetchall()

    def test_it_is_an_event_too(self, con):
        report = enter(con, self.ROW)
        assert (report.received, report.accepted) == (1, 1)
        assert self.event(con) == [("referred", date(2024, 4, 20), "final")]
        assert len(standing(con, "referral")) == 1

    def test_a_correction_and_a_withdrawal_reach_the_event(self, con):
        enter(con, self.ROW)
        enter(con, {**self.ROW, "day": date(2024, 4, 22)}, at=datetime(2024, 5, 2))
        assert self.event(con) == [("referred", date(2024, 4, 22), "corrected")]
        enter(con, entries.withdrawn_version(standing(con)[0]), at=datetime(2024, 5, 3))
        assert [status for *_, status in self.event(con)] == ["entered_in_error"]
        assert standing(con) == []

    def test_a_later_status_is_another_entry(self, con):
        enter(con, self.ROW)
        enter(con, {**self.ROW, "entry_id": "two", "code": "listed", "day": date(2024, 4, 28)})
        assert [code for code, *_ in self.event(con)] == ["referred", "listed"]

    def test_one_in_the_future_leaves_neither_entry_nor_event(self, con):
        assert enter(con, {**self.ROW, "day": date(2024, 5, 2)}).rejected == 1
        assert standing(con) == [] and self.event(con) == []

    # what is said on a day of May, in the order in which it arrives -> what stands of the entry, and of its event
    ORDERS = {  # noqa: RUF012
        "a correction before the original": ([(2, {"code": "listed"}), (1, {})], "listed"),
        "an older correction last": ([(1, {}), (3, {"code": "listed"}), (2, {"code": "accepted"})], "listed"),
        "a withdrawal before the original": ([(2, {"withdrawn": True}), (1, {})], None),
        "a withdrawal before what it withdraws": ([(1, {}), (3, {"withdrawn": True}), (2, {"code": "listed"})], None),
        "withdrawn": ([(1, {}), (2, {"withdrawn": True})], None),
        "withdrawn, then said again": ([(1, {}), (2, {"withdrawn": True}), (3, {"code": "listed"})], "listed"),
        "withdrawn, then the same as before": ([(1, {}), (2, {"withdrawn": True}), (3, {})], "referred"),
        "said again before it was withdrawn": ([(1, {}), (3, {"code": "listed"}), (2, {"withdrawn": True})], "listed"),
        "two of one moment": ([(1, {}), (1, {"code": "listed"})], "listed"),
    }

    @pytest.mark.parametrize("case", ORDERS)
    def test_entry_and_event_agree_in_whatever_order_versions_arrive(self, con, case):
        steps, stands = self.ORDERS[case]
        for place, (day, said) in enumerate(steps):
            taken = enter(con, self.ROW | said, at=datetime(2024, 5, 10 + place), said=datetime(2024, 5, day))
            assert taken.accepted + taken.superseded == 1
        assert [row["code"] for row in standing(con)] == [code for code in (stands,) if code]
        (event,) = self.event(con)  # one version is not closed
        assert (event[0] if event[2] != "entered_in_error" else None) == stands

    @pytest.mark.parametrize("kind", ["referral", "diagnosis"])
    def test_an_entry_never_closes_a_record_of_the_hospital_under_the_same_id(self, con, kind):
        code = {"referral": "discussed", "diagnosis": "pneumothorax"}[kind]
        ingesting.load(
            con, f"patient_id,kind,code,at,record_id\na,{kind},{code},2024-02-01,one\n", received_at=RECEIVED
        )
        enter(con, self.ROW)
        open_ones = "SELECT kind, code FROM record.event WHERE patient_id = 'a' AND known_until IS NULL"
        assert {(kind, code), ("referral", "referred")} <= set(con.execute(open_ones).fetchall())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with two patients in which entries were made of both."""
    made = Store(tmp_path / "store")
    rows = (
        NOTE,
        NOTE | {"patient_id": "b", "text": "of the other"},
        TestReferral.ROW,
        NOTE | {"patient_id": "stranger", "text": "of nobody"},
    )
    for name, text, at in (
        ("events.csv", EVENTS, datetime(2024, 4, 1)),
        ("entries.csv", entries.entry_file(rows, "Dr A", RECEIVED), RECEIVED),
    ):
        path = tmp_path / name
        path.write_text(text)
        (report,) = load(made, [path], received_at=at).files
    assert (report.received, report.accepted, report.rejected) == (4, 3, 1)
    return made


def test_entries_survive_a_rebuild_and_go_with_their_patient(store, tmp_path, monkeypatch):
    """They are no records of the patient's last day; a rebuild makes the same again; the accounting adds up after each."""
    monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "key"))
    with SnapshotReader(store.folder).cursor() as cursor:
        assert findings.last_recorded_day(cursor, "b") == date(2024, 1, 2)
        assert findings.last_recorded_day(cursor, "a") == TestReferral.ROW["day"]  # of the event that it brought
    assert rebuild(store).equal
    assert [check.promise for check in verify(store) if not check.holds] == []
    erasure.erase(store, "a", "the data manager", "asked to")
    with SnapshotReader(store.folder).cursor() as cursor:
        assert [(row["patient_id"], row["text"]) for row in standing(cursor)] == [("b", "of the other")]
    assert not any(b"troponin" in path.read_bytes() for path in (store.folder / "landing").rglob("*") if path.is_file())
    assert [check.promise for check in verify(store) if not check.holds] == []
