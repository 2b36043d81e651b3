"""Alerts on screen: the cards of a patient with their form, the alarm budget, and how a rule alerts."""

import html
import os
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import APP

PATIENT = "yonsei-2021"


@pytest.fixture(scope="module")
def own_store(sample_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: what is entered here is seen by no other test."""
    folder = tmp_path_factory.mktemp("alerts") / "store"
    shutil.copytree(sample_store, folder)
    return folder


def opened(page: str, **asked: str) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=60)
    at.query_params.update(asked)
    at.switch_page(f"views/{page}.py")
    return at.run()


def said(at: AppTest) -> str:
    return html.unescape("\n".join(str(one.value) for kind in ("markdown", "caption", "text") for one in at.get(kind)))


def heading(at: AppTest) -> str:
    return next(one.label for one in at.expander if one.label.startswith("Alerts"))


def test_an_alert_is_acknowledged_and_taken_back(own_store, monkeypatch):
    monkeypatch.setitem(os.environ, "MDA5_STORE", str(own_store))
    at = opened("patient", patient=PATIENT)
    assert not at.exception
    before = heading(at)
    assert "3 urgent" in before and "acknowledged" not in before
    assert "▲▲ Urgent" in said(at) and "typed, not logged in" in " ".join(str(one.label) for one in at.text_input)

    submit(at)
    assert "acknowledged" not in heading(at) and "Say first who enters it" in at.warning[0].value
    text_inputs(at)[0].set_value("Dr A")
    text_inputs(at)[1].set_value("known since the last meeting")
    submit(at)
    assert not at.exception and "2 urgent" in heading(at) and "1 acknowledged" in heading(at)
    assert "By Dr A (typed), until" in said(at)

    again = opened("patient", patient=PATIENT)  # a new session: it is in the store
    assert "1 acknowledged" in heading(again)
    taken = next(box for box in again.text_input if box.key is None and box.form_id.startswith("undo"))
    taken.set_value("Dr A")
    next(one for one in again.button if one.label == "Take it back").click().run()
    assert heading(again) == before


def text_inputs(at: AppTest) -> list:
    return [box for box in at.text_input if box.form_id.startswith("acknowledge")]


def submit(at: AppTest) -> None:
    next(one for one in at.button if one.label == "Acknowledge" and one.form_id).click().run()


def test_no_alert_is_shown_of_a_past_day_or_of_what_was_known(shown_store):
    at = opened("patient", patient=PATIENT, as_of="2021-09-03")
    assert not at.exception and not [one for one in at.expander if one.label.startswith("Alerts")]


def test_the_alarm_budget_says_what_it_counts(shown_store):
    at = opened("files", show="alarms")
    assert not at.exception
    assert "project defaults" in said(at) and "patient-weeks" in said(at)
    assert any("not that nothing was done" in one.value for one in at.info)
    table = at.dataframe[0].value
    assert table["Criterion"][0] == "All alerts" and table["Began"][0] == table["Began"][1:].sum() > 0


def test_a_rule_says_how_it_alerts(shown_store):
    assert "Alert: a warning, urgent from grade 3 (project default)." in said(
        opened("rulebook", criterion="neutropenia")
    )
    assert "Raises no alert: an improvement (project default)." in said(opened("rulebook", criterion="off_oxygen"))
