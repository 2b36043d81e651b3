"""The meeting page: an agenda is made and walked, a decision and a note are kept, corrected by a later version, and read back."""

import os
import shutil
from datetime import date, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.author import KEPT
from dashboard.data import entering
from dashboard.deidentify import SWITCH
from dashboard.meeting import agenda, meeting_rows
from pipelines.load import load
from pipelines.store.database import Store
from tests.dashboard.conftest import APP, HOSTILE
from tests.dashboard.test_views import REAL, said

DAY = "2021-10-04"


@pytest.fixture(scope="module")
def folder(sample_store, tmp_path_factory) -> Path:
    """A store of this file's own, which its tests write to in their order."""
    made = tmp_path_factory.mktemp("meeting") / "store"
    shutil.copytree(sample_store, made)
    return made


@pytest.fixture
def store(folder, monkeypatch) -> Path:
    monkeypatch.setitem(os.environ, "MDA5_STORE", str(folder))
    return folder


def opened(who: str = "the chair", **asked: str) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=90)
    at.session_state[KEPT] = who
    at.query_params.update({"day": DAY} | asked)
    at.switch_page("views/meeting.py")
    at.run()
    assert not at.exception
    return at


def press(at: AppTest, label: str) -> AppTest:
    next(one for one in at.button if one.label.startswith(label)).click().run()
    assert not at.exception
    return at


def entered(kind: str) -> list[dict]:
    return entering.standing((kind,))


def test_an_agenda_is_made_of_patients_and_nobody_is_on_it_twice(store):
    at = opened()
    assert "Nobody is on the agenda" in " ".join(one.value for one in at.info)
    for one in at.multiselect:
        one.set_value([REAL, HOSTILE])
    at.run()
    at.button_group[0].set_value([]).run()
    press(at, "Put 2 on the agenda")
    assert "2 on the agenda, 0 seen" in said(at)
    places = agenda.places(date(2021, 10, 4))
    assert {place.patient_id for place in places} == {REAL, HOSTILE}
    assert {place.code for place in places} == {"planned"} and {place.entry["author"] for place in places} == {
        "the chair"
    }
    assert agenda.planned(date(2021, 10, 4), [REAL], places) == []


def test_without_a_name_nothing_is_entered(store):
    at = opened("", patient=REAL)
    at.text_area[0].set_value("Wean from high flow")
    press(at, "Keep the decision")
    assert entered("decision") == [] and "Say first who enters it" in at.warning[0].value


def test_a_decision_without_an_owner_says_what_is_missing(store):
    at = opened(patient=REAL)
    at.text_area[0].set_value("Wean from high flow")
    press(at, "Keep the decision")
    assert entered("decision") == [] and "owner" in at.error[0].value


def test_a_decision_keeps_what_the_meeting_saw_and_is_not_yet_due(store):
    at = opened(patient=REAL)
    at.text_area[0].set_value("Refer for transplantation **now**")
    field(at.text_input, "Owner").set_value("the coordinator")
    field(at.selectbox, "It should turn").set_value("refractory_gas_exchange~triple")
    next(one for one in at.date_input if (one.key or "").startswith("decision_due")).set_value(date(2021, 11, 10))
    press(at, "Keep the decision")
    (decision,) = entered("decision")
    assert (decision["criterion"], decision["item"], decision["code"]) == (
        "refractory_gas_exchange",
        "triple",
        "not_met",
    )
    assert decision["day"] == date(2021, 10, 4) and decision["until"] == date(2021, 10, 18)
    frozen = decision["frozen"]
    gas = [
        row for row in frozen["answers"] if row["criterion"] == "refractory_gas_exchange" and row["item"] == "triple"
    ]
    assert gas[0]["status"] == "met" and gas[0]["evidence"] and gas[0]["on_date"] == DAY
    assert frozen["rules"]["refractory_gas_exchange"]["content_hash"]
    shown = "\n".join(text.value for text in at.text)
    assert "Refer for transplantation **now**" in shown  # as typed, no Markdown
    assert "not yet due" in said(at)


def test_later_the_decision_is_judged_by_what_was_recorded_since(store):
    at = opened(day="2021-11-11")
    for one in at.multiselect:
        one.set_value([REAL])
    at.run()
    at.button_group[0].set_value([]).run()
    press(at, "Put 1 on the agenda")
    at = opened(day="2021-11-11", patient=REAL)
    assert "**? cannot be told**" in said(at)  # nothing that the rule reads was recorded by 18 October
    press(at, "Not done")
    assert "not done on 11 Nov 2021" in said(at) and "OVERDUE by 1 day" in said(
        at
    )  # to be done is what is due, whatever was said
    press(at, "Done")
    assert "OVERDUE" not in said(at)
    progress = entered("progress")[-1]
    assert progress["code"] == "done" and progress["day"] == date(2021, 11, 11)
    assert "done on 11 Nov 2021" in said(at)


def test_a_note_is_read_back_as_text_and_withdrawn(store):
    at = opened(patient=REAL)
    field(at.text_area, "Note").set_value("<b>asked</b> the family")
    press(at, "Keep the note")
    assert "<b>asked</b> the family" in [text.value for text in at.text]
    note = entered("note")[0]
    at.button(key=f"withdraw-{note['entry_id']}").click().run()
    assert entered("note") == []


def test_who_was_seen_is_reviewed_and_the_next_one_opens(store):
    places = agenda.places(date(2021, 10, 4))
    first = places[0].patient_id
    at = opened(patient=first)
    at.button(key="seen").click().run()
    assert not at.exception
    assert {place.patient_id: place.code for place in agenda.places(date(2021, 10, 4))}[first] == "seen"
    assert [place.patient_id for place in agenda.places(date(2021, 10, 4))] == [place.patient_id for place in places]
    (review,) = entered("review")
    assert review["patient_id"] == first and review["frozen"]["state"]
    assert review["day"] == date(2021, 10, 4) and "transplant_referral:" in review["frozen"]["met"]
    assert at.query_params["patient"] == places[1].patient_id


def test_the_meeting_is_the_last_one_for_a_later_day(store):
    at = opened(day="2021-11-11", patient=REAL)
    assert "What changed since the last meeting (4 Oct 2021)" in said(at)


def test_an_address_that_means_nothing_opens_the_newest_agenda(store):
    at = opened(day="<script>", patient="nobody")
    assert "That patient is not on this agenda" in at.warning[0].value
    assert "11 Nov 2021" in at.subheader[0].value


def test_what_a_decision_froze_and_cannot_be_read_blanks_nobodys_page(store):
    hostile = [
        {"rules": ["x"], "answers": {"a": 1}},
        {"as_of": {"b": 1}, "rules": {"high_ferritin": "x"}, "answers": ["a"]},
        {"finding": "x", "criterion": ["y"], "answers": [{"finding": "x", "criterion": {}, "facts": [1, 2]}]},
        {"as_of": "soon", "answers": [{"finding": "x", "criterion": "high_ferritin", "facts": "many"}]},
    ]
    expected = {"criterion": "high_ferritin", "code": "met", "until": date(2021, 10, 5)}
    row = {"kind": "decision", "patient_id": REAL, "day": date(2021, 10, 4), "text": "Look again", "owner": "Dr A"}
    entering.enter([row | expected | {"frozen": frozen} for frozen in hostile], "Dr A")
    for patient in (REAL, HOSTILE):
        at = opened(patient=patient)
        assert not at.error and said(at).count("cannot be read: nothing of it is shown") == 4 * (patient == REAL)
    at.session_state[SWITCH] = True
    at.run()
    assert not at.exception and not at.error
    for decision in entered("decision"):
        if decision["text"] == "Look again":  # it can still be withdrawn
            entering.enter([entering.withdrawn_version(decision)], "Dr A")
    assert "Look again" not in {decision["text"] for decision in entered("decision")}


def field(found, label: str):
    return next(one for one in found if one.label.startswith(label))


class TestOfTheDayOfTheMeeting:
    """Store of its own: one patient whose record ends before the meeting."""

    @pytest.fixture
    def quiet(self, tmp_path, monkeypatch) -> Path:
        inbox, folder = tmp_path / "inbox", tmp_path / "store"
        inbox.mkdir()
        (inbox / "labs.csv").write_text(
            "patient_id,analyte,value,unit,at\nquiet,ferritin,1700,ng/mL,2024-02-20\nquiet,ferritin,1700,ng/mL,2024-02-10\n"
        )
        load(Store(folder), [inbox], received_at=datetime(2024, 2, 21))
        monkeypatch.setitem(os.environ, "MDA5_STORE", str(folder))
        rows = [
            {"kind": "agenda", "patient_id": "quiet", "day": day, "code": code, "entry_id": f"agenda-{day}"}
            for day, code in ((date(2024, 3, 5), "seen"), (date(2024, 3, 10), "planned"), (date(2024, 2, 1), "planned"))
        ]
        entering.enter(rows, "the chair")
        return folder

    def test_a_decision_is_of_the_meeting_and_not_of_the_last_record(self, quiet):
        at = opened(day="2024-03-10", patient="quiet")
        assert "last meeting (5 Mar 2024)" in said(at)  # recorded, though the record ends before it
        at.text_area[0].set_value("Repeat ferritin")
        field(at.text_input, "Owner").set_value("the ward")
        field(at.selectbox, "It should turn").set_value("high_ferritin")
        press(at, "Keep the decision")
        (decision,) = entered("decision")
        assert (decision["day"], decision["until"]) == (date(2024, 3, 10), date(2024, 3, 24))

    def test_an_earlier_meeting_knows_nothing_of_what_was_entered_later(self, quiet):
        entering.enter(
            [{"kind": "note", "patient_id": "quiet", "day": date(2024, 3, 10), "text": "later"}], "the chair"
        )
        assert "later" in [text.value for text in opened(day="2024-03-10", patient="quiet").text]
        assert "later" not in [text.value for text in opened(day="2024-03-05", patient="quiet").text]
        assert meeting_rows.of_agenda(["quiet"], date(2024, 3, 5))("quiet")["notes"] == []
        assert len(meeting_rows.of_agenda(["quiet"], date(2024, 3, 10))("quiet")["notes"]) == 1

    def test_of_a_meeting_before_the_record_nothing_is_shown(self, quiet):
        at = opened(day="2024-02-01", patient="quiet")
        assert "Nothing of this patient was recorded by then" in at.info[0].value and "1700" not in said(at)

    def test_what_was_typed_for_one_patient_stands_in_no_other_form(self, quiet):
        at = opened(day="2024-03-10", patient="quiet")
        before = {
            one.key
            for one in [*at.text_area, *at.text_input, *at.selectbox]
            if (one.key or "").startswith(("decision_", "note_"))
        }
        at.text_area[0].set_value("Repeat ferritin")
        field(at.text_input, "Owner").set_value("the ward")
        press(at, "Keep the decision")
        empty = [one.value for one in [*at.text_area, *at.text_input] if (one.key or "").startswith("decision_")]
        assert empty == ["", "", ""]
        after = {
            one.key for one in [*at.text_area, *at.text_input, *at.selectbox] if (one.key or "").startswith("decision_")
        }
        assert before and not before & after and all("quiet" in key for key in before)

    def test_a_correction_is_a_new_version_with_what_was_frozen_before(self, quiet):
        at = opened(day="2024-03-10", patient="quiet")
        at.text_area[0].set_value("Repeat ferritin")
        field(at.text_input, "Owner").set_value("the ward")
        press(at, "Keep the decision")
        (made,) = entered("decision")
        key = f"{made['entry_id']}-1"
        at.text_area(key=f"correct_text-{key}").set_value("Repeat ferritin and KL-6")
        press(at, "Keep the correction")
        (corrected,) = entered("decision")
        assert (corrected["text"], corrected["version"], corrected["owner"]) == (
            "Repeat ferritin and KL-6",
            2,
            "the ward",
        )
        assert corrected["frozen"] == made["frozen"] and corrected["day"] == made["day"]
