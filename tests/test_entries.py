"""What people enter: which rows are whole, which versions stand, and that a referral is an event of its patient too."""

from datetime import date, datetime
from pathlib import Path

import pytest

from pipelines import entries, erasure, findings
from pipelines.load import load, rebuild
from pipelines.store.database import SnapshotReader, Store
from pipelines.verify import verify

RECEIVED = datetime(2024, 5, 1, 12)
EVENTS = (
    "patient_id,kind,code,at\n"
    "a,diagnosis,ild,2024-01-02\n"
    "b,diagnosis,ild,2024-01-02\n"
)  # fmt: skip
NOTE = {"kind": "note", "patient_id": "a", "day": date(2024, 4, 30), "text": "Asked for a troponin."}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    path = tmp_path / "events.csv"
    path.write_text(EVENTS)
    store = Store(tmp_path / "store")
    load(store, [path], received_at=datetime(2024, 4, 1))
    return store


def enter(store: Store, *rows: dict, at: datetime = RECEIVED, author: str = "Dr A"):
    """Loads entries made and received at a moment; the report of their file."""
    path = store.folder.parent / "entries.csv"
    path.write_text(entries.entry_file(rows, author, at))
    return load(store, [path], received_at=at).files[0]


def standing(store: Store, *kinds: str, **asked) -> list[dict]:
    with SnapshotReader(store.folder).cursor() as cursor:
        return entries.standing(cursor, kinds or None, **asked)


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
    def test_an_entry_is_told_with_who_and_when(self, store):
        report = enter(store, NOTE)
        assert (report.accepted, report.rejected) == (1, 0)
        (note,) = standing(store, "note")
        assert {name: note[name] for name in ("author", "author_known", "text", "day", "version")} == {
            "author": "Dr A",
            "author_known": "typed",
            "text": "Asked for a troponin.",
            "day": date(2024, 4, 30),
            "version": 1,
        }
        assert (note["entered_at"], note["received_at"]) == (RECEIVED, RECEIVED)
        assert standing(store, "review") == []
        assert standing(store, patients=["b"]) == []

    def test_a_correction_is_a_new_version_and_both_are_kept(self, store):
        enter(store, NOTE)
        (note,) = standing(store)
        later = datetime(2024, 5, 2)
        enter(store, entries.corrected_version(note, text="Asked for troponin T."), at=later, author="Dr B")
        (now,) = standing(store)
        assert (now["text"], now["version"], now["author"]) == ("Asked for troponin T.", 2, "Dr B")
        (then,) = standing(store, received_at=RECEIVED)
        assert (then["text"], then["version"]) == ("Asked for a troponin.", 1)
        with SnapshotReader(store.folder).cursor() as cursor:
            assert [one["author"] for one in entries.versions(cursor, now["entry_id"])] == ["Dr A", "Dr B"]

    def test_what_is_withdrawn_stands_no_more(self, store):
        enter(store, NOTE)
        enter(store, entries.withdrawn_version(standing(store)[0]), at=datetime(2024, 5, 2))
        assert standing(store) == []
        assert len(standing(store, received_at=RECEIVED)) == 1

    def test_what_is_frozen_comes_back(self, store):
        frozen = {"snapshot": 3, "met": ["urgent_transfer"], "as_of": date(2024, 4, 30)}
        enter(store, {"kind": "review", "patient_id": "a", "day": date(2024, 4, 30), "frozen": frozen})
        assert standing(store)[0]["frozen"] == frozen | {"as_of": "2024-04-30"}

    def test_lines_of_a_text_are_kept_and_control_characters_are_not(self, store):
        enter(store, {**NOTE, "text": "one\r\ntwo\x07 \x00three"})
        assert standing(store)[0]["text"].splitlines()[0] == "one"
        assert "\x07" not in standing(store)[0]["text"]


class TestWhatIsRefused:
    def test_an_entry_of_nobody_known(self, store):
        report = enter(store, {**NOTE, "patient_id": "stranger"})
        assert (report.accepted, report.rejected) == (0, 1)

    def test_an_entry_under_the_id_of_another_patients(self, store):
        enter(store, {**NOTE, "entry_id": "one"})
        assert enter(store, {**NOTE, "entry_id": "one", "patient_id": "b"}).rejected == 1
        assert enter(store, {**NOTE, "entry_id": "one", "text": "again"}, at=datetime(2024, 5, 3)).accepted == 1

    def test_two_of_one_id_in_one_file(self, store):
        rows = ({**NOTE, "entry_id": "one"}, {**NOTE, "entry_id": "one", "patient_id": "b"})
        report = enter(store, *rows)
        assert (report.accepted, report.rejected) == (1, 1)

    @pytest.mark.parametrize(
        ("day", "taken"), [(date(2024, 5, 1), 1), (date(2024, 5, 2), 0)], ids=["the day itself", "the day after"]
    )
    def test_what_has_not_happened_yet(self, store, day, taken):
        assert enter(store, {**NOTE, "day": day}).accepted == taken

    def test_a_meeting_may_be_planned_ahead(self, store):
        row = {"kind": "agenda", "patient_id": "a", "day": date(2024, 5, 8), "code": "planned"}
        assert enter(store, row).accepted == 1

    def test_the_same_file_again_is_a_duplicate(self, store):
        row = {**NOTE, "entry_id": "one"}
        enter(store, row)
        assert enter(store, row).duplicate == 1
        assert len(standing(store)) == 1


class TestReferral:
    ROW = {"kind": "referral", "patient_id": "a", "day": date(2024, 4, 20), "code": "referred", "entry_id": "one"}  # noqa: RUF012

    def event(self, store: Store) -> list[tuple]:
        with SnapshotReader(store.folder).cursor() as cursor:
            return cursor.execute(
                "SELECT code, CAST(at_low AS DATE), status FROM record.event "
                "WHERE kind = 'referral' AND known_until IS NULL ORDER BY at_low"
            ).fetchall()

    def test_it_is_an_event_too(self, store):
        report = enter(store, self.ROW)
        assert (report.received, report.accepted) == (1, 1)
        assert self.event(store) == [("referred", date(2024, 4, 20), "final")]
        assert len(standing(store, "referral")) == 1

    def test_a_correction_and_a_withdrawal_reach_the_event(self, store):
        enter(store, self.ROW)
        enter(store, {**self.ROW, "day": date(2024, 4, 22)}, at=datetime(2024, 5, 2))
        assert self.event(store) == [("referred", date(2024, 4, 22), "corrected")]
        enter(store, entries.withdrawn_version(standing(store)[0]), at=datetime(2024, 5, 3))
        assert [status for *_, status in self.event(store)] == ["entered_in_error"]
        assert standing(store) == []

    def test_a_later_status_is_another_entry(self, store):
        enter(store, self.ROW)
        enter(store, {**self.ROW, "entry_id": "two", "code": "listed", "day": date(2024, 4, 28)})
        assert [code for code, *_ in self.event(store)] == ["referred", "listed"]

    def test_one_in_the_future_leaves_neither_entry_nor_event(self, store):
        assert enter(store, {**self.ROW, "day": date(2024, 5, 2)}).rejected == 1
        assert standing(store) == [] and self.event(store) == []


def test_entries_do_not_move_the_last_recorded_day(store):
    enter(store, {**NOTE, "day": date(2024, 5, 1)})
    with SnapshotReader(store.folder).cursor() as cursor:
        assert findings.last_recorded_day(cursor) == date(2024, 1, 2)


def test_a_rebuild_makes_them_again_and_the_accounting_adds_up(store):
    enter(store, NOTE, TestReferral.ROW)
    enter(store, {**NOTE, "text": "another"}, {**NOTE, "patient_id": "stranger"}, at=datetime(2024, 5, 2))
    assert rebuild(store).equal
    assert [check.promise for check in verify(store) if not check.holds] == []


def test_they_are_erased_with_their_patient(store, tmp_path, monkeypatch):
    monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "key"))
    enter(store, NOTE, {**NOTE, "patient_id": "b", "text": "of the other"}, TestReferral.ROW)
    erasure.erase(store, "a", "the data manager", "asked to")
    assert [(row["patient_id"], row["text"]) for row in standing(store)] == [("b", "of the other")]
    assert not any(b"troponin" in path.read_bytes() for path in (store.folder / "landing").rglob("*") if path.is_file())
    assert [check.promise for check in verify(store) if not check.holds] == []
