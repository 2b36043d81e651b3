"""The transplant page as its reader sees it: the real case, hostile text, what is entered, and what is offered to take along."""

import os
from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import style, table, transplant_figures_table
from dashboard import transplant_words as words
from dashboard.data import transplant
from pipelines.load import load
from pipelines.store.database import Store
from tests.dashboard.conftest import APP
from tests.dashboard.test_views import said

ROOT = Path(__file__).resolve().parents[2]
REAL = "yonsei-2021"
BEFORE, REFERRED = date(2021, 10, 3), date(2021, 10, 4)
HOSTILE = "[x](javascript:alert(1)) <img src=x> $E$ =1+1"
WAIT = 60


@pytest.fixture(scope="module")
def board_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real case, one whose id is hostile text, and 20 who wait, so that there are two pages."""
    folder = tmp_path_factory.mktemp("board")
    rows = [
        f'"{HOSTILE}",2021-09-01,nasal cannula,2',
        *(f"q{number:02},2021-09-01,nasal cannula,2" for number in range(20)),
    ]
    (folder / "oxygen.csv").write_text("\n".join(["patient_id,at,device,flow_l_min", *rows]))
    load(Store(folder / "store"), [ROOT / "sample_data" / "yonsei_2021", folder / "oxygen.csv"])
    return folder / "store"


@pytest.fixture(autouse=True)
def shown(board_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(os.environ, "MDA5_STORE", str(board_store))
    return board_store


def opened(as_of: date | None = BEFORE, author: str = "", **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=WAIT)
    app.switch_page("views/transplant.py")
    if author:
        app.session_state["author_kept"] = author
    for name, value in (query | ({"as_of": as_of.isoformat()} if as_of else {})).items():
        app.query_params[name] = value
    return app.run()


def clean(app: AppTest) -> str:
    assert not app.exception, app.exception
    assert not app.error, app.error
    return said(app)


def plain(text: str) -> str:
    return style.as_markdown(text)


def row_of(patient_id: str, as_of: date) -> dict:
    found = [row for row in transplant.board(as_of) if row["patient_id"] == patient_id]
    return transplant.told(found, as_of)[0]


class TestRows:
    def test_the_real_case_runs_until_it_is_referred(self):
        assert (words.clock(row_of(REAL, BEFORE)), words.clock(row_of(REAL, REFERRED))) == ("60 days", "61 days")
        page = clean(opened(REFERRED))
        assert plain("61 days") in page and plain("from 4 Aug 2021 (referral) to work-up on 4 Oct 2021") in page
        assert plain("Days by trigger: referral 61, early referral 52, urgent transfer 42") in page
        assert plain("risk factor: age, connective tissue disease") in page
        assert plain("work-up, 4 Oct 2021") in page and plain("events.csv line 31") in page

    def test_what_cannot_be_told_stands_beside(self):
        told = words.unknown(row_of(REAL, BEFORE))
        assert "lung function" in told and "FVC % predicted" in told
        assert "asked for: DLCO % predicted, and 9 more" in words.unknown(row_of(REAL, BEFORE), 1)

    def test_the_order_is_stated(self):
        assert transplant.ORDER_SENTENCE in clean(opened())

    def test_no_more_than_a_page_is_told(self):
        app = opened()
        buttons = [one for one in app.button if one.key.startswith("open-")]
        assert len(buttons) == 20 and "Patients 1 to 20 of 22" in clean(app)

    def test_a_patient_in_the_address_stands_on_top_wherever_the_row_is(self):
        last = transplant.board(BEFORE)[-1]["patient_id"]
        app = opened(patient=last)
        page = clean(app)
        assert len(app.tabs) == 4 and "Patients 1 to 20 of 22" in page
        rows = [one for one in app.button if one.key.startswith("open-")]
        assert rows[0].key == "open-opened" and len(rows) == 21 and len({one.label for one in rows}) == 21

    def test_the_other_page_is_turned_to(self):
        app = opened()
        app.get("pagination")[0].set_value(2).run()
        assert "Patients 21 to 22 of 22" in clean(app)

    def test_one_who_is_not_on_the_board_is_said_to_be_none(self):
        assert "not on this board" in clean(opened(patient="nobody"))

    def test_a_hostile_id_is_never_markup(self):
        app = opened(patient=HOSTILE)
        page = clean(app)
        assert plain(HOSTILE) in page and "<img" not in page and "](javascript" not in page

    def test_closed_rows_are_folded_and_the_one_asked_for_is_not_among_them(self):
        app = opened(date(2022, 4, 15), patient=REAL)
        assert "**Opened** · Transplanted, no longer needed, or died" in clean(app)
        assert plain("no longer needed, 15 Apr 2022") in clean(app)
        assert not [one for one in app.expander if one.label.startswith("Transplanted")]
        app = opened(date(2022, 4, 15))
        app.get("pagination")[0].set_value(2).run()
        folded = next(one for one in app.expander if one.label.startswith("Transplanted"))
        assert folded.label.endswith(": 1 on this page") and not folded.proto.expanded
        app.text_input(key="transplant_find").set_value("YONSEI").run()
        assert next(one for one in app.expander if one.label.startswith("Transplanted")).proto.expanded

    def test_searching_leaves_the_patients_asked_for(self):
        app = opened()
        app.text_input(key="transplant_find").set_value("YONSEI").run()
        assert "Patients 1 to 1 of 1" in clean(app)

    def test_the_links_go_to_the_day_and_the_flag(self):
        app = opened(REFERRED, patient=REAL)
        clean(app)
        links = {link.proto.query_string for link in app.get("page_link")}
        assert any("as_of=2021-10-04" in one and "flag=referral_oxygen" in one for one in links)

    def test_the_csv_says_what_the_rows_say_and_runs_nothing(self):
        rows = words.as_table(transplant.whole_table(transplant.board(REFERRED), REFERRED))
        real = next(row for row in rows if row["patient"] == REAL)
        assert real["referral clock (days)"] == 61 and "referral since 4 Aug 2021" in real["triggers met"]
        written = table.as_csv([row | {"patient": "=1+1"} for row in rows]).decode("utf-8-sig")
        assert "'=1+1" in written and "\n=1+1" not in written


class TestFigures:
    def test_the_headline_has_both_and_the_counts(self):
        page = "\n".join(one.label for one in opened(REFERRED).expander)
        assert (
            plain("Lung-function criteria ever met: 0 of 0 referred; published 30.7 % of 114, median 255 days. ")
            in page
        )
        assert plain("Any trigger: 1 of 22 (4.5 %) referred, 21 wait") in page
        assert plain("30.7 % of 114") in page and plain("255 days") in page

    @pytest.mark.parametrize(
        ("patients", "percent", "said"), [(4, None, "1 of 4"), (5, 20.0, "1 of 5 (20 %)"), (0, None, "1 of 0")]
    )
    def test_of_few_the_counts_alone_are_said(self, patients, percent, said):
        assert transplant_figures_table.share({"referred": 1, "patients": patients, "percent": percent}) == said


class TestEntering:
    """Each loads a file, so they go on in one store, in order."""

    def test_without_an_author_nothing_is_kept(self):
        app = opened(patient="q01")
        app.selectbox(key="referral-code-q01-").select("referred")
        app.button(key="referral-keep-q01-").click().run()
        assert any("Say first who enters it" in one.value for one in app.warning)
        assert row_of("q01", BEFORE)["status"] == "not_discussed"

    def test_a_status_stops_the_clock(self):
        app = opened(patient="q01", author="Dr A")
        app.selectbox(key="referral-code-q01-").select("declined")
        app.button(key="referral-keep-q01-").click().run()
        assert app.error and row_of("q01", BEFORE)["running"], "declined needs a reason"
        app.text_input(key="referral-text-q01-").set_value(HOSTILE)
        app.button(key="referral-keep-q01-").click().run()
        clean(app)
        row = row_of("q01", BEFORE)
        assert (row["status"], row["status_text"], row["running"], row["days"]) == ("declined", HOSTILE, False, 32)
        assert "<img" not in clean(opened(patient="q01"))

    def test_it_is_corrected_and_withdrawn(self):
        app = opened(patient="q01", author="Dr A")
        (one,) = transplant.patient("q01", BEFORE)["referrals"]
        entry_id = one["entry"]["entry_id"]
        app.selectbox(key="referral-which-q01").select(entry_id).run()
        app.selectbox(key=f"referral-code-q01-{entry_id}").select("referred")
        app.text_input(key=f"referral-text-q01-{entry_id}").set_value("")
        app.button(key=f"referral-keep-q01-{entry_id}").click().run()
        clean(app)
        assert (row_of("q01", BEFORE)["status"], row_of("q01", BEFORE)["status_text"]) == ("referred", None)
        app.button(key=f"referral-withdraw-q01-{entry_id}").click().run()
        clean(app)
        assert (row_of("q01", BEFORE)["status"], row_of("q01", BEFORE)["running"]) == ("not_discussed", True)

    def test_a_work_up_item_and_a_decision_are_kept_and_the_decision_ends(self):
        app = opened(patient="q02", author="Dr A")
        app.selectbox(key="workup-item-q02-").select("hrct")
        app.text_input(key="workup-text-q02-").set_value("no change")
        app.button(key="workup-keep-q02-").click().run()
        clean(app)
        item = next(one for one in transplant.patient("q02", BEFORE)["workup"] if one["item"] == "hrct")
        assert (item["state"], item["day"], item["text"], item["days_left"]) == ("done", BEFORE, "no change", 180)
        app.text_input(key="action-text-q02").set_value("Call the centre")
        app.text_input(key="action-owner-q02").set_value("the coordinator")
        app.date_input(key="action-due_on-q02").set_value(date(2021, 10, 1))
        app.button(key="action-keep").click().run()
        page = clean(app)
        assert plain("! Call the centre")[:3] in page and plain("2 days overdue") in page
        assert b"q02: Call the centre (due)" in transplant.calendar(BEFORE, ["q02"], True)
        assert b"q02" not in transplant.calendar(BEFORE, ["q02"], False)
        app.button(key="action-done-0").click().run()
        clean(app)
        assert row_of("q02", BEFORE)["next_action"] is None

    def test_what_cannot_be_is_refused_in_words(self):
        app = opened(patient="q03", author="Dr A")
        app.selectbox(key="workup-item-q03-").select("hrct")
        app.date_input(key="workup-until-q03-").set_value(date(2021, 1, 1))
        app.button(key="workup-keep-q03-").click().run()
        assert any("cannot expire before" in one.value for one in app.error)


def test_while_nobody_may_be_named_nothing_is_entered_and_no_calendar_offered():
    app = AppTest.from_file(APP, default_timeout=WAIT)
    app.switch_page("views/transplant.py")
    app.session_state["deidentified"] = True
    app.query_params["as_of"], app.query_params["patient"] = BEFORE.isoformat(), REAL
    app.run()
    assert not app.exception and not [one for one in app.checkbox if one.key == "calendar_bare"]
    assert not [one for one in app.button if one.key.startswith(("referral-keep", "workup-keep", "action-keep"))]
    assert len(app.get("download_button")) == 1
