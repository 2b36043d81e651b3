"""The worklist as its reader sees it: filters in the address, a review marked and undone, and text from data that stays text."""

import os
import shutil
from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import author, data, patient_choice, style, worklist_filters, worklist_words
from dashboard.data import entering, worklist
from dashboard.data.worklist import Asked, Choices
from pipelines.worklist_groups import SENTENCE, TITLES
from tests.dashboard.conftest import HOSTILE
from tests.dashboard.test_views import REAL, opened, said


@pytest.fixture(scope="module")
def own_store(sample_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that the tests of this module may write to."""
    return shutil.copytree(sample_store, tmp_path_factory.mktemp("written") / "store")


@pytest.fixture
def written_store(own_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(os.environ, "MDA5_STORE", str(own_store))
    return own_store


def links(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


def of(patient_id: str) -> dict:
    (row,) = worklist.worklist(Asked(text=patient_id)).rows
    return row


def reviewing(patient_id: str) -> AppTest:
    """The page with that patient alone, and somebody who reviews."""
    app = opened(find=patient_id)
    app.text_input(key="author").set_value("the rheumatologist").run()
    return app


class TestFilters:
    def test_the_address_opens_the_same_list(self, shown_store):
        assert links(opened(find="YONSEI", group="stable")) == []
        app = opened(find="yonsei", site=of(REAL)["site"], flags="transplant")
        assert links(app) == [style.as_markdown(REAL)]
        assert app.text_input(key="worklist_find").value == "yonsei"

    def test_what_is_chosen_goes_into_the_address(self, shown_store):
        app = opened(page="2")
        app.selectbox(key="worklist_flags").set_value("transplant").run()
        app.selectbox(key="worklist_newly").set_value(365).run()
        app.button_group(key="worklist_group").set_value("new").run()
        assert not app.exception
        assert app.query_params == {"flags": "transplant", "newly": "365", "group": "new"}
        next(button for button in app.button if button.label == "No filters").click().run()
        assert app.query_params == {} and len(links(app)) > 1

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("site", "<img src=x>"),
            ("group", "urgent'; DROP TABLE record.patient; --"),
            ("flags", "__class__"),
            ("agent", HOSTILE),
            ("recorded", "-1"),
            ("newly", "9" * 400),
            ("page", "²"),
            ("page", "-3"),
            ("page", "9" * 400),
        ],
    )
    def test_what_is_not_on_offer_is_passed_over(self, name, value):
        assert worklist_filters.read({name: value}, Choices(("A",), ("cni",))) == Asked()

    def test_a_search_for_markup_finds_nothing_and_shows_none(self, shown_store):
        app = opened(find="<script>alert(1)</script>" * 50)
        assert not app.exception and "No patient matches." in said(app) and "<script>" not in said(app)


class TestRows:
    def test_every_group_is_named_with_its_number_and_the_order_is_stated(self, shown_store):
        app = opened()
        counts = worklist.worklist(Asked()).counts
        offered = app.button_group(key="worklist_group").options
        assert [option.replace(",", "") for option in offered] == [f"{TITLES[name]} {counts[name]}" for name in counts]
        assert SENTENCE in said(app)

    def test_a_hostile_id_is_text_in_the_list_and_in_the_file(self, shown_store):
        app = opened(find="javascript")
        assert links(app) == [style.as_markdown(HOSTILE)] and "<img" not in said(app)
        (row,) = worklist_words.as_table(worklist.everything(Asked(text="javascript")))
        assert row["patient"] == HOSTILE and row["group"] in TITLES.values()

    def test_the_file_has_every_patient_and_says_why_each_stands_where_it_does(self, shown_store):
        rows = worklist_words.as_table(worklist.everything(Asked()))
        assert [row["patient"] for row in rows] == worklist.order()
        assert all(row["why"] and row["reviewed"] == "never reviewed" for row in rows)


class TestReview:
    def test_nothing_is_entered_before_somebody_said_who_reviews(self, written_store):
        before = data.provenance().snapshot
        app = opened(find=REAL)
        app.button(key="review-0").click().run()
        assert "Say first who enters it" in " ".join(warning.value for warning in app.warning)
        assert data.provenance().snapshot == before

    def test_marked_then_undone_by_the_button_beside_the_message(self, written_store):
        row = of(REAL)
        app = reviewing(REAL)
        app.button(key="review-0").click().run()
        assert not app.exception and "is marked as reviewed" in " ".join(box.value for box in app.success)
        (entry,) = entering.standing(("review",), (REAL,))
        assert (entry["author"], entry["author_known"]) == ("the rheumatologist", "typed")
        assert entry["day"] == data.provenance().last_day and entry["frozen"] == row["frozen"]
        assert "the rheumatologist (typed)" in worklist_words.reviewed(of(REAL))
        assert not any(flag["fresh"] for flag in of(REAL)["met"])
        app.button(key="undo-last").click().run()
        assert not app.exception and entering.standing(("review",), (REAL,)) == []
        assert of(REAL)["review"] is None and of(REAL)["group"] == row["group"]

    def test_a_correction_makes_the_patient_new_again_and_the_row_undoes_the_review(self, written_store, tmp_path):
        header, row = "patient_id,analyte,value,unit,at,status,record_id\n", "{},ferritin,{},ng/mL,{},{},c1\n"
        recent = data.provenance().last_day
        load_text(tmp_path, "first", header + row.format("corrected-1", 120, recent, "final"))
        reviewing("corrected-1").button(key="review-0").click().run()
        assert of("corrected-1")["group"] == "unknown"
        load_text(tmp_path, "second", header + row.format("corrected-1", 130, recent, "corrected"))
        found = of("corrected-1")
        assert (found["group"], found["corrected_records"]) == ("new", 1)
        assert "1 record corrected or withdrawn since the review" in worklist_words.why(found)
        app = reviewing("corrected-1")
        app.button(key="undo-0").click().run()
        assert not app.exception and of("corrected-1")["review"] is None


def load_text(folder: Path, name: str, text: str) -> None:
    path = folder / f"{name}.csv"
    path.write_text(text, encoding="utf-8")
    (report,) = data.load_uploads([data.Upload(path.name, path.read_bytes())], {}, None, lambda *told: None)
    assert report.accepted == 1, report


class TestPatientChoice:
    PATIENTS = [f"p{number:05}" for number in range(1_000)]  # noqa: RUF012

    def test_of_many_so_many_are_offered_and_the_one_on_screen_always(self):
        offered = patient_choice.offered(self.PATIENTS, "p00999")
        assert len(offered) == patient_choice.MOST and offered[:2] == ["p00999", "p00000"]
        assert patient_choice.offered(self.PATIENTS, "p00003") == self.PATIENTS[: patient_choice.MOST]

    def test_part_of_an_id_finds_it_in_any_case(self):
        assert patient_choice.matching(self.PATIENTS, " P0099 ") == self.PATIENTS[990:]
        assert patient_choice.matching(self.PATIENTS, "") == self.PATIENTS

    def test_in_a_store_of_many_not_all_are_offered(self, shown_store, monkeypatch):
        monkeypatch.setattr(patient_choice, "MOST", 2)
        app = opened("patient", patient=REAL)
        assert not app.exception and len(app.selectbox(key="patient_choice").options) == 2
        app.session_state[patient_choice.SOUGHT] = "<b>nobody"
        app.run()
        assert app.selectbox(key="patient_choice").options == [REAL]
        assert "0 of" in said(app) and "<b>" not in said(app)

    @pytest.mark.parametrize(
        ("typed", "opens", "sought"),
        [
            ("p00500", "p00500", ""),
            ("P00500", "p00500", ""),
            ("p0050", None, "p0050"),
            ("<b>", None, "<b>"),
            (None, None, None),
        ],
    )
    def test_what_is_typed_opens_the_only_match_or_is_looked_for(self, monkeypatch, typed, opens, sought):
        opened_pages, state = [], {"patient_choice": typed}
        monkeypatch.setattr(patient_choice.st, "session_state", state)
        monkeypatch.setattr(patient_choice.worklist, "order", lambda: self.PATIENTS)
        monkeypatch.setattr(patient_choice, "open_page", opened_pages.append)
        patient_choice.choose()
        assert (opened_pages, state.get(patient_choice.SOUGHT)) == ([opens] if opens else [], sought)


def row(**said: object) -> dict:
    """A row of the worklist of which nothing is to be said but what is given."""
    nothing = {
        "group": "stable",
        "met": [],
        "alerts": [],
        "due": [],
        "review": None,
        "changed": False,
        "judged": True,
        "unknown": 0,
    }
    nothing |= {
        "settling": None,
        "silent_days": 0,
        "expected_within": None,
        "arrival_days": None,
        "new": 0,
        "corrected_records": 0,
        "lost": [],
        "oxygen": None,
        "died": None,
    }
    return nothing | said


REVIEW = {"author": "Dr A", "author_known": "typed", "entered_at": date(2024, 4, 2), "days": 12}
FLAG = {"criterion": "cmv_rising", "item": None, "since": date(2024, 3, 1), "alerting": True, "fresh": True}


DUE = {"text": "Refer", "what": "due", "due_on": date(2024, 3, 3)}


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (
            {"group": "decide", "alerts": [FLAG], "due": [DUE], "silent_days": 200},
            "urgent: CMV rising since 1 Mar 2024; decision: “Refer” due 3 Mar 2024; last record 200 days old",
        ),
        ({"group": "decide", "alerts": [FLAG], "met": [FLAG]}, "urgent: CMV rising since 1 Mar 2024; 1 met, never reviewed"),
        ({"group": "new", "met": [FLAG]}, "never reviewed: CMV rising"),
        ({"group": "new", "met": [FLAG] * 3, "review": REVIEW}, "newly met: CMV rising, CMV rising, and 1 more"),
        (
            {"group": "new", "review": REVIEW, "changed": True, "corrected_records": 2},
            "2 records corrected or withdrawn since the review",
        ),
        ({"group": "unknown", "judged": False}, "no condition has been judged"),
        ({"group": "unknown", "unknown": 3}, "3 cannot be told"),
        (
            {"group": "unknown", "unknown": 3, "settling": {"thing": "ferritin", "settles": 2, "asked_by": 3}},
            "3 cannot be told: a record of ferritin would settle 2",
        ),
        (
            {"group": "unknown", "unknown": 3, "settling": {"thing": "ferritin", "settles": 0, "asked_by": 3}},
            "3 cannot be told: none by one record alone; ferritin is asked for by 3",
        ),
        ({"group": "stable"}, "every condition is told, nothing is met"),
        ({"group": "stable", "met": [FLAG | {"fresh": False}], "review": REVIEW}, "every condition is told, nothing is new"),
        ({"group": "decide", "due": [DUE | {"what": "check"}]}, "decision: “Refer” to check from 3 Mar 2024"),
        (
            {"group": "decide", "alerts": [FLAG], "silent_days": 20, "expected_within": 14},
            "urgent: CMV rising since 1 Mar 2024; no record for 20 days, the next was expected within 14 days",
        ),
        (
            {"group": "quiet", "silent_days": 1500, "expected_within": 90},
            "no record for 1,500 days, the next was expected within 90 days",
        ),
        (
            {"group": "quiet", "silent_days": 5, "expected_within": 14, "arrival_days": 15},
            "no record received for 15 days, the next was expected within 14 days",
        ),
        ({"group": "quiet", "silent_days": None}, "nothing is recorded"),
        ({"group": "died", "died": date(2024, 3, 1), "due": [{}]}, "died 1 Mar 2024; 1 decision due"),
    ],
)  # fmt: skip
def test_why_a_patient_stands_in_the_group(of, words):
    assert worklist_words.why(row(**of)) == words


@pytest.mark.parametrize(
    ("of", "by", "since"),
    [
        ({}, "never reviewed", ""),
        ({"review": REVIEW}, "Dr A (typed), 2 Apr 2024; seen as of 12 days before", ""),
        (
            {"review": REVIEW | {"days": 0}, "new": 3},
            "Dr A (typed), 2 Apr 2024; this day seen",
            "3 new records since the review",
        ),
        (
            {"review": REVIEW, "new": 1, "changed": True, "corrected_records": 2, "lost": ["cmv_rising"]},
            "Dr A (typed), 2 Apr 2024; seen as of 12 days before",
            "1 new and 2 corrected records since the review; 1 no longer met",
        ),
    ],
)
def test_by_whom_it_was_reviewed_and_what_came_since(of, by, since):
    assert (worklist_words.reviewed(row(**of)), worklist_words.since(row(**of))) == (by, since)


def test_the_reviewer_is_remembered_on_another_page(shown_store):
    app = reviewing(REAL)
    assert app.session_state[author.KEPT] == "the rheumatologist"
