"""What changed since the last meeting, in words: records with value, unit, date, file and line; hostile text stays text."""

import os
from datetime import date, datetime

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import change_list, header
from dashboard.data import meeting
from dashboard.data.meeting import Changes, Since
from pipelines import entries
from pipelines.load import load
from pipelines.store.database import Store
from tests.dashboard.conftest import APP, HOSTILE

SINCE = Since(datetime(2024, 6, 1, 9), date(2024, 5, 31))
REAL = "yonsei-2021"
DID = "Ferritin 1820 ng/mL, 2 Jun 2024"


def record(**more) -> dict:
    row = {
        "patient_id": "p", "record_id": "1", "kind": "observation", "what": "ferritin", "label": "ferritin", "value": "1820",
        "unit": "ng/mL",
        "at": datetime(2024, 6, 2), "day": date(2024, 6, 2), "timed": False, "until": None, "status": "final",
        "received_at": datetime(2024, 6, 3, 8), "file": "labs.csv", "receipt": 3, "line": 7, "because": "received",
        "late": False, "in_all": 1,
    }  # fmt: skip
    return row | more


def flag(**more) -> dict:
    row = {
        "patient_id": "p", "criterion": "high_ferritin", "item": None, "title": "High ferritin", "group": "prognosis", "status": "met",
        "grade": 3, "since": date(2024, 6, 2), "missing": [], "before_status": "met", "before_grade": 1, "change": "grade",
        "because": "records", "did": [record(how="received")],
    }  # fmt: skip
    return row | more


def corrected(**more) -> dict:
    row = {
        "patient_id": "p", "kind": "observation", "what": "ferritin", "label": "ferritin", "old": record(value="2000"),
        "new": record(value="200", line=9), "withdrawn": False, "continues": False,
        "changed": [
            {"field": "value", "old": "2000", "new": "200"},
            {"field": "date", "old": "2024-06-01 00:00:00", "new": "2024-06-02 00:00:00"},
        ],
    }  # fmt: skip
    return row | more


def only(kind: str, row: dict) -> dict:
    """The one row of CSV that a change becomes."""
    (told,) = change_list.rows(Changes(**{kind: [row]}))
    return told


@pytest.mark.parametrize(
    ("kind", "row", "expected"),
    [
        (
            "new",
            record(),
            {
                "what": "Ferritin",
                "now": "1820",
                "unit": "ng/mL",
                "date": "2 Jun 2024",
                "remark": "received 3 Jun 2024",
                "source": "labs.csv line 7",
            },
        ),
        ("new", record(late=True), {"remark": "received 3 Jun 2024, dated up to the last meeting: late"}),
        ("new", record(because="dated"), {"remark": "its day has come since"}),
        ("new", record(value=None, unit=None), {"now": "recorded", "unit": ""}),
        (
            "corrected",
            corrected(),
            {
                "before": "2000 ng/mL",
                "now": "200 ng/mL",
                "remark": "date: 1 Jun 2024 → 2 Jun 2024",
                "source": "labs.csv line 7; labs.csv line 9",
            },
        ),
        (
            "corrected",
            corrected(new=None, withdrawn=True, changed=[]),
            {"before": "2000 ng/mL", "now": "withdrawn", "source": "labs.csv line 7"},
        ),
        (
            "gained",
            flag(),
            {"before": "met, grade 1", "now": "met, grade 3", "remark": DID, "source": "labs.csv line 7"},
        ),
        (
            "gained",
            flag(before_status=None, did=[], because="waiting time"),
            {"before": "no answer", "remark": "no record did it: a waiting time ran out"},
        ),
        ("gained", flag(because="read"), {"remark": f"the rule reads, but does not name: {DID}"}),
        (
            "lost",
            flag(status="not_evaluable", grade=None, change="unknown", missing=["an exact ferritin"]),
            {"now": "cannot be told", "remark": f"missing: an exact ferritin; {DID}"},
        ),
        (
            "lost",
            flag(status="not_met", change="ceased", did=[record(how="withdrawn")]),
            {"now": "not met", "remark": f"{DID}, withdrawn"},
        ),
        (
            "lost",
            flag(status="not_met", did=[record(how="corrected", old_value="9", old_unit="ng/mL")]),
            {"remark": f"{DID}, corrected from 9 ng/mL"},
        ),
        (
            "lost",
            flag(status=None, since=None, change="gone", did=[], because="time"),
            {"now": "no answer", "date": "", "remark": "no record did it: time passed"},
        ),
    ],
)
def test_a_change_in_words(kind, row, expected):
    told = only(kind, row)
    assert told["kind"] == change_list.HEADINGS[kind]
    assert {name: told[name] for name in expected} == expected


def drawn(changes: Changes, since: Since) -> AppTest:
    def page(changes, since):
        from dashboard import change_list

        change_list.draw(changes, since, "test")

    app = AppTest.from_function(page, args=(changes, since)).run()
    assert not app.exception
    return app


def test_each_kind_has_its_heading_with_a_count_and_nothing_is_said_in_words():
    app = drawn(Changes(new=[record(in_all=11)] * 11, gained=[flag()]), SINCE)
    text = [one.value for one in app.markdown]
    assert text[0].startswith("**New data: 11**") and text[0].count("\n- ") == 8
    assert text[1].count("- ") == 3 and app.expander[0].label == "and 3 more"
    assert "**Corrected data:** none" in text and "**Rules changed:** none" in text
    assert any(one.startswith("**Flags gained: 1**") for one in text)


def test_without_a_moment_corrections_cannot_be_told():
    app = drawn(Changes(), Since(None, date(2024, 5, 31)))
    assert "**Corrected data:** cannot be told" in [one.value for one in app.markdown]
    assert "by the days of the records alone" in app.caption[0].value


def test_hostile_text_is_shown_as_written():
    app = drawn(Changes(new=[record(kind="event", what=HOSTILE, label="note", value=HOSTILE, file=HOSTILE)]), SINCE)
    text = app.markdown[0].value
    assert "<img" not in text and "](javascript" not in text and ":smile:" not in text
    assert text.count("](files?") == 1


@pytest.fixture
def store_of_the_real_case(tmp_path, monkeypatch):
    """The real case, and a meeting held on it."""
    from tests.dashboard.conftest import ROOT

    store = Store(tmp_path / "store")
    seen = {"kind": "agenda", "patient_id": REAL, "day": date(2021, 9, 3), "code": "seen"}
    (tmp_path / "entries.csv").write_text(entries.entry_file([seen], "Dr A", datetime(2022, 5, 1, 12)))
    load(store, [ROOT / "sample_data" / "yonsei_2021"], received_at=datetime(2022, 5, 1, 9))
    load(store, [tmp_path / "entries.csv"], received_at=datetime(2022, 5, 1, 12))
    monkeypatch.setitem(os.environ, "MDA5_STORE", str(store.folder))


def test_a_recorded_meeting_is_the_last_one_and_the_list_is_read_when_it_is_opened(store_of_the_real_case, monkeypatch):
    assert meeting.last_meeting(date(2021, 9, 10)) == Since(datetime(2022, 5, 1, 12), date(2021, 9, 3))
    assert meeting.last_meeting(date(2021, 9, 3)) is None  # the meeting of the day itself is not the one before
    assert meeting.meeting_of(date(2021, 9, 3)).received_at == datetime(2022, 5, 1, 12)
    assert meeting.meeting_of(date(2021, 8, 27)) == Since(None, date(2021, 8, 27))  # nothing had been received by then
    asked = []
    monkeypatch.setattr(meeting, "changes_of", lambda *what: asked.append(what) or {REAL: Changes(new=[record()])})
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params |= {"patient": REAL, "as_of": "2021-09-10"}
    app.switch_page("views/patient.py").run()
    assert not app.exception and asked == []
    label = "What changed since the last meeting (3 Sep 2021)"
    assert label in [one.label for one in app.expander]
    app.session_state["what-changed"] = True
    app.run()
    assert not app.exception and asked[0][0] == (REAL,) and asked[0][1].as_of == date(2021, 9, 3)
    assert any(one.value.startswith("**New data: 1**") for one in app.markdown)


def test_the_address_names_the_meeting_before_what_is_recorded(monkeypatch):
    monkeypatch.setattr(meeting, "last_meeting", lambda as_of, of: Since(None, date(2024, 5, 20)))
    monkeypatch.setattr(header.address, "now", lambda: header.address.Address(since=date(2024, 5, 25)))
    assert header.last_meeting(date(2024, 6, 1)) == header.LastMeeting(date(2024, 5, 25), assumed=False)
    monkeypatch.setattr(header.address, "now", header.address.Address)
    assert header.last_meeting(date(2024, 6, 1)) == header.LastMeeting(date(2024, 5, 20), assumed=False)
    monkeypatch.setattr(meeting, "last_meeting", lambda as_of, of: None)
    assert header.last_meeting(date(2024, 6, 1)) == header.LastMeeting(date(2024, 5, 25), assumed=True)
