"""Each view as its reader sees it: one behaviour, and one thing that must not happen."""

import json
from datetime import date, datetime, time, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import data, style, zoom
from dashboard.data import worklist
from tests.dashboard.conftest import APP, HOSTILE

REAL = "yonsei-2021"
WAIT = 60


def opened(view: str = "", **query: str) -> AppTest:
    """The app on one of its pages, with the address given."""
    app = AppTest.from_file(APP, default_timeout=WAIT)
    if view:
        app.switch_page(f"views/{view}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def said(app: AppTest) -> str:
    """Everything written on the page, as it was written."""
    written = [
        element.value
        for kind in ("markdown", "caption", "text", "subheader", "info", "warning", "error", "code")
        for element in getattr(app, kind)
    ]
    written += [button.label for button in app.button] + [expander.label for expander in app.expander]
    return "\n".join(str(text) for text in written)


def figure(app: AppTest) -> dict:
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def sample_patients() -> list[str]:
    return worklist.order()


class TestEmptyStore:
    @pytest.mark.parametrize("view", ["worklist", "patient"])
    def test_it_explains_itself_with_the_command(self, empty_store, view):
        app = opened(view)
        assert "Nothing has been loaded yet" in said(app) and "python -m pipelines load" in said(app)
        assert not app.exception and not app.get("plotly_chart")


class TestWorklist:
    def test_it_lists_every_patient_and_says_its_order(self, shown_store):
        app = opened()
        assert not app.exception and not app.error
        links = {link.proto.label for link in app.get("page_link")}
        assert {style.as_markdown(REAL), style.as_markdown(HOSTILE)} <= links
        assert "In this order: needs a decision now" in said(app)

    def test_a_hostile_id_is_never_markup(self, shown_store):
        app = opened()
        assert HOSTILE not in {link.proto.label for link in app.get("page_link")}
        assert "<img" not in said(app) and "](javascript" not in said(app)

    def test_searching_leaves_the_patients_asked_for(self, shown_store):
        app = opened()
        app.text_input(key="worklist_find").set_value("YONSEI").run()
        assert [link.proto.label for link in app.get("page_link")] == [style.as_markdown(REAL)]

    def test_an_unmatched_search_says_so(self, shown_store):
        app = opened()
        app.text_input(key="worklist_find").set_value("nobody").run()
        assert "No patient matches." in said(app) and not app.get("page_link")


class TestZoomByDates:
    DAYS = (date(2021, 9, 1), date(2021, 9, 3))

    def dates(self, app: AppTest):
        """The widget, whose key changes when anything else changes the zoom."""
        return next(found for found in app.date_input if found.label == "From day to day")

    def chosen(self, app: AppTest, days: tuple[date, date]) -> AppTest:
        self.dates(app).set_value(days).run()
        assert not app.exception
        return app

    def test_the_days_chosen_are_those_shown_and_listed(self, shown_store):
        app = self.chosen(opened("patient", patient=REAL), self.DAYS)
        assert self.dates(app).value == self.DAYS
        listed = next(frame.value for frame in app.dataframe if "panel" in frame.value.columns)
        lasting = ("Flags", "Treatment", "Prednisone eq.", "Infections")
        days = {row.date[:10] for row in listed.itertuples() if row.date and row.panel not in lasting}
        assert max(days) == "2021-09-03"

    def test_an_address_without_a_patient_is_zoomed_too(self, shown_store):
        app = opened("patient")
        days = self.dates(app).value
        self.chosen(app, (days[0], days[0]))
        assert any("of the days zoomed to" in expander.label for expander in app.expander)

    def test_a_zoom_beyond_the_last_day_names_a_day_of_the_record(self, shown_store):
        app = opened("patient", patient=REAL)
        last = self.dates(app).max
        after = datetime.combine(last, time()) + timedelta(days=2)
        app.session_state[zoom._key(REAL) + "-put"] = (None, (after, after + timedelta(days=2)))
        app.run()
        assert not app.exception and self.dates(app).value == (last, last)


class TestPatient:
    @pytest.mark.parametrize("part", range(4))
    def test_every_sample_patient_is_shown_without_an_error(self, shown_store, part):
        patients = sample_patients()[part::4]
        assert patients
        for patient in patients:
            app = opened("patient", patient=patient)
            assert not app.exception and not app.error, patient
            assert app.selectbox(key="patient_choice").value == patient
            assert app.get("plotly_chart")

    def test_the_address_opens_a_flag_with_its_evidence_down_to_the_line(self, shown_store):
        app = opened("patient", patient=REAL, as_of="2021-09-03", flag="urgent_transfer")
        assert not app.exception and not app.error
        cells = " ".join(app.table[0].value.to_string().split())
        assert "oxygen" in cells and "line" in cells
        assert [trace for trace in figure(app)["data"] if trace["name"] == "evidence"]
        assert "https://doi.org/" in said(app)

    def test_moving_the_day_changes_the_flags(self, shown_store):
        app = opened("patient", patient=REAL, as_of="2021-09-03")
        assert "Met on 3 Sep 2021" in said(app)
        app.button(key="later").click().run()
        assert "Met on 3 Sep 2021" not in said(app) and app.query_params["as_of"] > "2021-09-03"

    def test_what_is_new_since_the_last_meeting_is_said_and_marked(self, shown_store):
        app = opened("patient", patient=REAL, as_of="2021-09-03", since="2021-09-02")
        assert not app.exception and "newly met** since the last meeting (2 Sep 2021)" in said(app)
        assert "✱ New since 2 Sep 2021" in said(app) and "assumed)" not in said(app)
        app.date_input(key="last_meeting").set_value(date(2021, 9, 3)).run()
        assert app.query_params["since"] == "2021-09-03" and "✱ New" not in said(app)

    @pytest.mark.parametrize("since", ["", "soon", "2021-09-04", "0001-01-01"])
    def test_a_meeting_that_cannot_have_been_the_last_is_not_believed(self, shown_store, since):
        app = opened("patient", patient=REAL, as_of="2021-09-03", since=since)
        assert not app.exception and "(27 Aug 2021, a week before: assumed)" in said(app)

    def test_what_would_turn_an_answer_is_asked_of_what_was_known(self, shown_store, monkeypatch):
        asked, explain = [], data.findings.explain

        def listening(*of, **more):
            asked.append((*of, *more.values())[-1])
            return explain(*of, **more)

        monkeypatch.setattr(data.findings, "explain", listening)
        opened("patient", patient=REAL, as_of="2021-09-03", known_at="2021-09-05", flag="urgent_transfer")
        assert asked == [data.known(datetime(2021, 9, 5, 23, 59, 59, 999_999))]

    def test_the_day_stays_inside_the_record(self, shown_store):
        for asked, day in (
            ("1990-01-01", "Met on"),
            ("2990-01-01", "Met on 15 Apr 2022"),
            ("yesterday", "Met on 15 Apr 2022"),
        ):
            app = opened("patient", patient=REAL, as_of=asked)
            assert ("The nearest of its days is shown" in said(app)) is (asked != "yesterday")
            assert not app.exception and not app.error and day in said(app)

    def test_what_came_later_is_not_among_the_flags(self, shown_store):
        app = opened("patient", patient=REAL, as_of="2021-08-03")
        assert "2021-08-23" not in said(app) and "0.80/50" not in said(app)

    def test_another_patients_id_is_nowhere_on_the_page(self, shown_store):
        app = opened("patient", patient=HOSTILE)
        assert REAL not in said(app) and REAL not in json.dumps(figure(app))

    def test_a_hostile_id_is_shown_as_text(self, shown_store):
        app = opened("patient", patient=HOSTILE)
        assert app.selectbox(key="patient_choice").value == HOSTILE
        assert "<img" not in said(app) + json.dumps(figure(app)) and "<b>assay" not in json.dumps(figure(app))

    def test_an_unknown_patient_is_said_in_words(self, shown_store):
        app = opened("patient", patient="nobody-knows")
        assert "There is no such patient" in said(app) and "nobody-knows" not in said(app)
        assert not app.get("plotly_chart") and "yonsei-2021" not in said(app), "another patient's page"

    def test_the_table_holds_what_the_chart_shows(self, shown_store):
        app = opened("patient", patient=REAL)
        table = app.dataframe[0].value
        assert {"LDH", "KL-6", "Treatment", "Flags"} <= set(table["panel"]) and "labs.csv" in table[
            "source"
        ].to_string()
        app.selectbox(key="table_panel").set_value("KL-6").run()
        assert set(app.dataframe[0].value["panel"]) == {"KL-6"}


def test_what_is_held_of_later_days_is_not_counted(shown_store):
    def counted(**query: str) -> int:
        (label,) = (
            box.label for box in opened("patient", patient=REAL, **query).expander if box.label.startswith("Held")
        )
        return int(label.split(": ")[1].split()[0])

    assert counted(as_of="2021-07-20") < counted()
