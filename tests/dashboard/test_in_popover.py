"""Widgets in popovers: what a closed one said before is never taken for a choice of the reader."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.test_views import REAL, opened


def widget(app: AppTest, kind: str, name: str):
    """The widget of that name, whatever number its key has."""
    return next(one for one in getattr(app, kind) if one.key and one.key.rsplit("-", 1)[0] == name)


class TestKeys:
    def test_the_readers_own_choice_keeps_the_key(self, shown_store):
        app = opened("patient", patient=REAL)
        before = widget(app, "selectbox", "bands").key
        widget(app, "selectbox", "bands").set_value("all").run()
        assert widget(app, "selectbox", "bands").key == before and app.query_params["bands"] == "all"

    def test_a_choice_of_panels_lasts(self, shown_store):
        app = opened("patient", patient=REAL)
        widget(app, "multiselect", "panels").set_value(["ldh"]).run()
        assert widget(app, "multiselect", "panels").value == ["ldh"] and app.query_params["panels"] == "ldh"

    @pytest.mark.parametrize(
        ("kind", "name", "chosen"),
        [
            ("multiselect", "panels", {"view": "lungs"}),
            ("radio", "axis", {"axis": "therapy"}),
            ("selectbox", "bands", {"bands": "died"}),
            ("radio", "whose", {"known_at": "2021-09-03"}),
        ],
    )
    def test_a_choice_made_elsewhere_is_another_widget(self, shown_store, kind, name, chosen):
        app = opened("patient", patient=REAL)
        before = widget(app, kind, name).key
        for parameter, value in chosen.items():
            app.query_params[parameter] = value
        app.run()
        assert widget(app, kind, name).key != before
        assert {parameter: app.query_params[parameter] for parameter in chosen} == chosen


def test_the_day_of_a_past_moment_is_asked_for_where_one_is_read(shown_store):
    now, past = opened("patient", patient=REAL), opened("patient", patient=REAL, known_at="2021-09-03")
    assert widget(now, "date_input", "moment").disabled and not widget(past, "date_input", "moment").disabled
