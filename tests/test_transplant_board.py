"""The transplant board: who is on it and where, what the clocks and statuses say, the work-up, the figures, and the calendar."""

import json
import shutil
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest
from icalendar import Calendar

from pipelines import dictionary, due_dates, entries, frozen_decision
from pipelines.engines import on_duckdb
from pipelines.errors import Refusal
from pipelines.load import load
from pipelines.store.database import SnapshotReader, Store
from pipelines.transplant_actions import open_actions
from pipelines.transplant_board import BANDS, board
from pipelines.transplant_figures import referral_figures
from pipelines.transplant_patient import transplant_basis, transplant_details
from pipelines.transplant_workup import SOON_DAYS, checklist, state

REAL = "yonsei-2021"
ROOT = Path(__file__).resolve().parents[1]
DAY = date(2024, 4, 1)
ENTERED = datetime(2024, 4, 1, 12)
HOSTILE = "=1+1, <b>\\n; x"
OXYGEN = {  # patient -> (day, device, flow)
    "ceased": [("2024-01-01", "nasal cannula", 2), ("2024-02-01", "room air", "")],
    "first": [("2024-01-01", "nasal cannula", 2)],
    "ties": [("2024-01-01", "nasal cannula", 2)],
    "declined": [("2024-01-01", "nasal cannula", 2)],
    "done_with": [("2024-01-01", "nasal cannula", 2)],
    "again": [("2024-01-01", "nasal cannula", 2), ("2024-03-01", "HFNC", 40)],
    "transplanted": [("2024-01-01", "HFNC", 40)],
    "died": [("2024-01-01", "HFNC", 40)],
    "urgent": [("2024-03-20", "HFNC", 40)],
    "longer": [("2023-12-01", "nasal cannula", 2)],
    "under_way": [("2024-01-01", "nasal cannula", 2), ("2024-02-01", "room air", "")],
    "answered": [("2024-01-01", "nasal cannula", 2), ("2024-02-01", "room air", "")],
    HOSTILE: [("2024-01-15", "nasal cannula", 2)],
}
EVENTS = [  # patient, day, kind, code, text
    ("first", "2023-12-01", "referral", "referred", ""),
    ("ties", "2024-03-01", "referral", "accepted", "third"),
    ("ties", "2024-03-01", "referral", "discussed", "first"),
    ("ties", "2024-03-01", "referral", "referred", "second"),
    ("done_with", "2024-02-05", "referral", "not_needed", "better"),
    ("again", "2024-02-05", "referral", "not_needed", "better"),
    ("transplanted", "2024-03-01", "referral", "transplanted", ""),
    ("died", "2024-01-11", "outcome", "death", ""),
    ("under_way", "2024-01-20", "referral", "referred", ""),
    ("answered", "2024-01-20", "referral", "declined", "too early"),
    ("listing", "2024-03-25", "diagnosis", "pneumothorax", ""),
    ("nothing", "2024-01-01", "diagnosis", "dm", ""),
    ("no_trigger", "2024-03-02", "referral", "referred", ""),
]
WORKUP = {"kind": "workup", "patient_id": "urgent"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The real case and patients of one thing each, then what was entered of some."""
    folder = tmp_path_factory.mktemp("board")
    oxygen = [f'"{who}",{at},{device},{flow}' for who, steps in OXYGEN.items() for at, device, flow in steps]
    (folder / "oxygen.csv").write_text("\n".join(["patient_id,at,device,flow_l_min", *oxygen]))
    (folder / "events.csv").write_text("\n".join(["patient_id,at,kind,code,text", *map(",".join, EVENTS)]))
    (folder / "labs.csv").write_text("patient_id,analyte,value,unit,at\nurgent,egfr,88,mL/min/1.73m2,2024-03-07\n")
    made = Store(folder / "store")
    load(
        made,
        [ROOT / "sample_data" / "yonsei_2021", *(folder / f"{name}.csv" for name in ("oxygen", "events", "labs"))],
        received_at=datetime(2024, 4, 1, 9),
    )
    rows = [
        {"kind": "referral", "patient_id": "declined", "day": date(2024, 3, 10), "code": "declined", "text": "frailty"},
        {
            **WORKUP,
            "entry_id": "w1",
            "item": "hrct",
            "code": "done",
            "day": date(2024, 3, 1),
            "until": date(2024, 4, 1),
        },
        {**WORKUP, "entry_id": "w2", "item": "hla_typing", "code": "planned", "day": date(2024, 4, 9)},
        {**WORKUP, "entry_id": "w3", "item": "dental", "code": "done", "day": date(2024, 3, 2), "text": HOSTILE},
        action("a1", "Ask the transplant centre, today; \\ for urgent", due_on=date(2024, 3, 28)),
        action("a2", "Call the family", due_on=date(2024, 4, 5)),
        action("a3", "Settled", due_on=date(2024, 3, 1)),
        action("a4", "Of another topic", due_on=date(2024, 3, 1), topic="infection"),
        {"kind": "progress", "patient_id": "urgent", "about": "a3", "code": "done", "day": date(2024, 3, 30)},
        {"kind": "progress", "patient_id": "urgent", "about": "a1", "code": "not_done", "day": date(2024, 3, 30)},
    ]
    path = folder / "entries.csv"
    path.write_text(entries.entry_file(rows, "Dr A", ENTERED))
    report = load(made, [path], received_at=datetime(2024, 4, 1, 13))
    assert report.files[0].rejected == 0
    return made


def action(entry_id: str, text: str, topic: str = "transplant", **more: object) -> dict:
    said = {"kind": "decision", "patient_id": "urgent", "day": date(2024, 3, 21), "owner": "the coordinator"}
    return said | {"entry_id": entry_id, "text": text, "topic": topic, "frozen": {"as_of": "2024-03-21"}} | more


@pytest.fixture(scope="module")
def cursor(store: Store):
    with SnapshotReader(store.folder).cursor() as opened:
        yield opened


@pytest.fixture(scope="module")
def rows(cursor) -> dict[str, dict]:
    return {row["patient_id"]: row for row in board(cursor, DAY)}


class TestWhoIsOnTheBoard:
    def test_no_trigger_is_no_row(self, rows):
        assert "nothing" not in rows

    def test_a_trigger_that_ceased_stays_while_no_referral_is_recorded(self, rows):
        row = rows["ceased"]
        assert (row["days"], row["running"], row["band"]) == (91, True, "waiting")
        assert "transplant_referral" not in {one["criterion"] for one in row["met"]}
        said = next(one for one in row["no_longer_met"] if one["criterion"] == "referral_oxygen")
        assert (said["first_met"], said["ceased"]) == (date(2024, 1, 1), date(2024, 2, 1))

    def test_the_last_record_up_to_the_day_is_said(self, cursor, rows):
        assert (rows["ceased"]["last_day"], rows["ceased"]["last_day_ago"]) == (date(2024, 2, 1), 60)
        early = next(row for row in board(cursor, date(2024, 1, 5)) if row["patient_id"] == "ceased")
        assert early["last_day"] == date(2024, 1, 1)

    def test_a_referral_that_is_under_way_stays_one_that_was_answered_does_not(self, rows):
        assert rows["under_way"]["band"] == "referred" and "answered" not in rows

    def test_nothing_of_later_days_is_told(self, cursor):
        found = {row["patient_id"]: row for row in board(cursor, date(2024, 1, 5))}
        assert "urgent" not in found and "listing" not in found
        assert found["transplanted"]["band"] == "urgent" and found["transplanted"]["status"] == "not_discussed"
        assert found["died"]["band"] == "urgent" and found["died"]["days"] == 4

    def test_the_order_is_that_of_the_sentence(self, cursor):
        found = board(cursor, DAY)
        places = [[band for band, _ in BANDS].index(row["band"]) for row in found]
        assert places == sorted(places)
        assert [row["patient_id"] for row in found if row["band"] == "urgent"] == ["again", "urgent"]
        assert [row["patient_id"] for row in found if row["band"] == "waiting"] == ["longer", "ceased", HOSTILE]
        assert {row["patient_id"] for row in found if row["band"] == "closed"} == {
            "done_with", "transplanted", "died", REAL,
        }  # fmt: skip

    def test_barriers_stand_beside_and_move_nobody(self, rows):
        assert {"item": "connective_tissue_disease", "grade": 1, "since": date(2024, 3, 7)} in rows["urgent"][
            "barriers"
        ]
        assert "bmi" in rows["urgent"]["barriers_unknown"]
        assert "mechanical_ventilation" not in rows["urgent"]["barriers_unknown"]

    def test_what_cannot_be_told_says_what_would_settle_it(self, rows):
        told = {one["criterion"]: one["missing"] for one in rows["urgent"]["unknown"]}
        assert told["referral_lung_function"] == ["DLCO % predicted", "FVC % predicted"]

    def test_a_store_judged_before_clocks_were_kept_says_what_to_do(self, store, tmp_path):
        path = shutil.copy(store.folder / "work.duckdb", tmp_path / "older.duckdb")
        with duckdb.connect(path) as con:
            con.execute("DROP TABLE concept.referral_clock")
            with pytest.raises(Refusal, match="rebuild"):
                board(con, DAY)


class TestClock:
    def test_the_real_case_61_days_52_after_the_antibody_42_after_hfnc(self, cursor):
        row = next(row for row in board(cursor, date(2021, 10, 4)) if row["patient_id"] == REAL)
        assert (row["first_met"], row["days"], row["running"]) == (date(2021, 8, 4), 61, False)
        assert (row["referred_on"], row["referred_as"], row["status"]) == (date(2021, 10, 4), "work_up", "work_up")
        assert {one["trigger"]: one["days"] for one in row["clocks"]} == {
            "transplant_referral": 61, "transplant_early_referral": 52, "urgent_transfer": 42,
        }  # fmt: skip
        assert {"criterion": "referral_oxygen", "since": date(2021, 8, 4)} in row["met"]

    @pytest.mark.parametrize(("on", "days"), [(date(2021, 8, 4), 0), (date(2021, 8, 5), 1), (date(2021, 10, 3), 60)])
    def test_until_the_referral_it_runs_to_the_day(self, cursor, on, days):
        row = next(row for row in board(cursor, on) if row["patient_id"] == REAL)
        assert (row["days"], row["running"], row["referred_on"]) == (days, True, None)

    def test_referred_before_no_day_was_lost(self, rows):
        assert (rows["first"]["days"], rows["first"]["running"], rows["first"]["band"]) == (0, False, "referred")

    def test_not_needed_ends_no_clock(self, rows):
        row = rows["done_with"]
        assert (row["days"], row["running"], row["referred_on"]) == (91, True, None)
        assert (row["band"], row["closed_because"]) == ("closed", "not_needed")

    def test_death_ends_the_counting(self, rows):
        assert (rows["died"]["days"], rows["died"]["running"], rows["died"]["closed_because"]) == (10, False, "died")

    @pytest.mark.parametrize("who", ["listing", "no_trigger"])
    def test_where_no_trigger_of_the_clock_was_met_there_is_none(self, rows, who):
        row = rows[who]
        assert (row["first_met"], row["first_trigger"], row["days"], row["running"], row["clocks"]) == (
            None, None, None, False, [],
        )  # fmt: skip

    def test_who_has_no_clock_comes_after_those_who_have_one(self, cursor):
        found = [row["patient_id"] for row in board(cursor, DAY) if row["band"] == "referred"]
        assert found[-1] == "no_trigger" and {"first", "ties", "under_way"} <= set(found[:-1])

    def test_a_referral_that_was_entered_stops_it(self, rows):
        assert (rows["declined"]["days"], rows["declined"]["running"]) == (69, False)


class TestStatus:
    def test_of_one_day_the_later_step_counts(self, rows):
        assert (rows["ties"]["status"], rows["ties"]["status_text"]) == ("accepted", "third")
        assert (rows["ties"]["status_file"], rows["ties"]["status_line"]) == ("events.csv", 3)

    def test_declined_has_its_reason(self, rows):
        row = rows["declined"]
        assert (row["status"], row["status_on"], row["status_text"]) == ("declined", date(2024, 3, 10), "frailty")

    def test_declined_without_a_reason_is_refused(self):
        row = {"kind": "referral", "patient_id": "urgent", "day": DAY, "code": "declined"}
        with pytest.raises(entries.EntryIncomplete):
            entries.entry_file([row], "Dr A", ENTERED)

    def test_no_record_is_not_discussed(self, rows):
        assert (rows["urgent"]["status"], rows["urgent"]["status_on"]) == ("not_discussed", None)

    def test_a_trigger_newly_met_after_not_needed_brings_the_patient_back(self, rows):
        assert (rows["again"]["status"], rows["again"]["band"]) == ("not_needed", "urgent")

    def test_the_records_say_who_entered_them(self, cursor):
        told = transplant_details(cursor, "declined", DAY)["referrals"]
        assert [(one["code"], one["entry"]["author"]) for one in told] == [("declined", "Dr A")]
        assert transplant_details(cursor, "ties", DAY)["referrals"][0]["entry"] is None


def done(day: date, until: date | None = None, item: str = "hrct", code: str = "done") -> dict:
    return {"item": item, "code": code, "day": day, "until": until, "text": None}


class TestWorkup:
    @pytest.mark.parametrize(
        ("on", "said", "left"),
        [
            (date(2024, 3, 17), "done", SOON_DAYS + 1),
            (date(2024, 3, 18), "soon", SOON_DAYS),
            (date(2024, 4, 1), "soon", 0),
            (date(2024, 4, 2), "expired", -1),
        ],
    )
    def test_it_holds_to_the_end_of_its_last_day(self, on, said, left):
        told = state([done(date(2024, 3, 1), date(2024, 4, 1))], on)
        assert (told["state"], told["days_left"], told["expires"]) == (said, left, date(2024, 4, 1))

    def test_without_a_day_it_holds_for_the_days_of_its_item(self):
        assert dictionary.workup()["hrct"]["valid_days"] == 180
        assert state([done(date(2024, 1, 1))], DAY)["expires"] == date(2024, 6, 29)

    @pytest.mark.parametrize(
        ("entered", "said"),
        [
            ([], "nothing"),
            ([done(date(2024, 4, 2))], "nothing"),
            ([done(date(2024, 4, 9), code="planned")], "planned"),
            ([done(None, code="planned")], "planned"),
            ([done(date(2024, 3, 1)), done(None, code="not_needed")], "not_needed"),
            ([done(None, code="not_needed"), done(date(2024, 3, 1))], "done"),
            ([done(date(2024, 3, 1)), done(date(2023, 1, 1))], "done"),
            ([done(date(2023, 1, 1)), done(date(2024, 4, 9), code="planned")], "expired"),
        ],
    )
    def test_what_counts_of_several(self, entered, said):
        assert state(entered, DAY)["state"] == said

    def test_a_plan_stands_beside_what_expired(self):
        told = state([done(date(2023, 1, 1)), done(date(2024, 4, 9), code="planned")], DAY)
        assert (told["planned_known"], told["planned"]) == (True, date(2024, 4, 9))

    def test_the_newest_record_stands_beside_and_settles_nothing(self, cursor):
        told = {one["item"]: one for one in checklist(cursor, "urgent", DAY)}
        renal = told["renal_function"]
        assert renal["state"] == "nothing"
        assert (renal["newest"]["title"], renal["newest"]["on_date"], renal["newest"]["age_days"]) == (
            "egfr", date(2024, 3, 7), 25,
        )  # fmt: skip
        assert (renal["newest"]["value"], renal["newest"]["file"], renal["newest"]["line"]) == ("88", "labs.csv", 2)
        assert told["hrct"]["state"] == "soon" and told["dental"]["text"] == HOSTILE and told["hiv"]["newest"] is None

    def test_the_records_of_later_days_are_not_shown(self, cursor):
        told = {one["item"]: one for one in checklist(cursor, "urgent", date(2024, 3, 6))}
        assert told["renal_function"]["newest"] is None

    def test_every_item_has_what_is_shown_of_it(self):
        assert len(dictionary.workup()) > 20
        for block in dictionary.workup().values():
            assert block["title"] and block["group"] and block["valid_days"] > 0
            assert block["cite"] in dictionary.citations()
            assert set(block["analytes"]) <= dictionary.analytes().keys()
            assert set(block["events"]) <= dictionary.events().keys()


class TestNextAction:
    def test_it_is_the_one_due_first_that_is_not_settled(self, rows, cursor):
        told = rows["urgent"]["next_action"]
        assert (told["entry_id"], told["owner"], told["overdue_days"]) == ("a1", "the coordinator", 4)
        assert [one["entry_id"] for one in open_actions(cursor, DAY)["urgent"]] == ["a1", "a2"]

    def test_one_due_on_the_day_is_not_overdue(self, cursor):
        assert open_actions(cursor, date(2024, 3, 28))["urgent"][1]["overdue_days"] is None

    def test_before_it_was_settled_it_was_open(self, cursor):
        assert [one["entry_id"] for one in open_actions(cursor, date(2024, 3, 29))["urgent"]] == ["a3", "a1", "a2"]

    def test_what_it_is_made_on_is_frozen(self, cursor):
        kept = transplant_basis(cursor, "urgent", DAY, 1)
        assert (kept["as_of"], kept["snapshot"]) == (DAY, 1)
        assert frozen_decision.read(json.loads(json.dumps(kept, default=str))).as_of == "2024-04-01"
        assert "urgent_transfer" in {one["criterion"] for one in kept["answers"]}
        assert kept["rules"].keys() == {one["criterion"] for one in kept["answers"]}


class TestFigures:
    def test_two_definitions_beside_the_published_numbers(self, cursor):
        told = referral_figures(cursor, DAY)
        lung, ours = told["rows"]
        assert (lung["definition"], lung["patients"], lung["referred"], lung["percent"]) == (
            "lung_function",
            1,
            1,
            None,
        )
        assert lung["days_to_referral"] == 0 and lung["before"] == 1, (
            "the real case was referred before its lung function"
        )
        # real, first, ties, declined, transplanted, under_way and answered of ceased, done_with, again, died, urgent, longer, HOSTILE too
        assert (ours["patients"], ours["referred"], ours["percent"]) == (14, 7, 50.0)
        assert (ours["died"], ours["not_needed"], ours["waiting"]) == (1, 2, 4)
        assert ours["referred"] + ours["died"] + ours["not_needed"] + ours["waiting"] == ours["patients"]
        assert ours["days_to_referral"] == 60  # 0, 19, 19, 60, 60, 61, 69
        assert ours["days_waiting"] == 84  # 12, 77, 91, 122
        assert (told["published"]["patients"], told["published"]["percent"], told["published"]["days"]) == (
            "114",
            "30.7",
            "255",
        )
        assert told["published"]["doi"] == "10.1177/17534666231221750"

    def test_nobody_is_told_as_nobody(self, cursor):
        for row in referral_figures(cursor, date(2000, 1, 1))["rows"]:
            assert (row["patients"], row["percent"], row["days_to_referral"]) == (0, None, None)


class TestCalendar:
    def test_it_names_what_is_due_once_and_nothing_settled(self, cursor):
        told = [(row["day"], row["what"], row["action"]) for row in due_dates.due_dates(cursor, DAY)]
        assert told == [
            (date(2024, 3, 28), "due", "Ask the transplant centre, today; \\ for urgent"),
            (date(2024, 4, 1), "expires", dictionary.workup()["hrct"]["title"]),
            (date(2024, 4, 5), "due", "Call the family"),
            (date(2025, 3, 2), "expires", "Dental assessment"),
        ]

    def test_it_is_read_back_as_it_was_written(self, cursor):
        written = due_dates.calendar(due_dates.due_dates(cursor, DAY))
        assert written == due_dates.calendar(due_dates.due_dates(cursor, DAY)), "the same bytes each time"
        events = Calendar.from_ical(written).walk("VEVENT")
        assert next(str(event["summary"]) for event in events) == (
            "urgent: Ask the transplant centre, today; / for urgent (due)"
        )
        assert [event["dtstart"].dt for event in events][:2] == [date(2024, 3, 28), date(2024, 4, 1)]
        assert {str(event["uid"]) for event in events} == {
            due_dates.identity(*one) for one in (("a1", "due"), ("w1", "expires"), ("a2", "due"), ("w3", "expires"))
        }
        assert all(event["dtstamp"].dt.replace(tzinfo=None) == ENTERED for event in events)

    def test_without_ids_no_id_is_anywhere(self, cursor):
        written = due_dates.calendar(due_dates.due_dates(cursor, DAY), with_patient_ids=False)
        assert b"urgent" not in written
        first = Calendar.from_ical(written).walk("VEVENT")[0]
        assert str(first["summary"]) == "Ask the transplant centre, today; / for the patient (due)"

    @pytest.mark.parametrize(
        "text",
        [
            "a\r\nEND:VCALENDAR\r\nX-EVIL:1",
            "a\x00b\x0b\x1b[31m",
            "ü" * 200,
            "a;b,c:d\\n\\,",
            "\u2028x\u0085y",
            '"; x="',
        ],
    )
    def test_hostile_text_is_one_line_of_text(self, text):
        row = {
            "patient_id": text, "day": DAY, "what": "due", "action": text, "entry_id": text, "entered_at": ENTERED,
        }  # fmt: skip
        written = due_dates.calendar([row])
        assert all(len(line) <= 75 for line in written.split(b"\r\n"))
        assert not set(written) & (set(range(32)) - {10, 13})
        (event,) = Calendar.from_ical(written).walk("VEVENT")
        assert str(event["summary"]) == due_dates.summary(row) and "\n" not in event["summary"]
        assert set(event.keys()) == {"UID", "DTSTAMP", "DTSTART", "SUMMARY", "TRANSP"}


def test_a_store_judged_before_clocks_were_kept_has_everyones_after_the_next_load(store, tmp_path):
    """No criterion reads the clock, so the rules are the same: of a load that changes one patient the others must not be without."""
    path = shutil.copy(store.folder / "work.duckdb", tmp_path / "older.duckdb")
    with duckdb.connect(path) as con:
        kept = "SELECT * FROM concept.referral_clock ORDER BY ALL"
        before = con.execute(kept).fetchall()
        con.execute("DROP TABLE concept.referral_clock")
        con.execute("UPDATE result.rule_part SET content_hash = 'older' WHERE definition = 'referral_clock'")
        on_duckdb.evaluate(con, ["urgent"])
        assert con.execute(kept).fetchall() == before and len(before) > 20
