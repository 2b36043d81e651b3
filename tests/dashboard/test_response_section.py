"""The response strip on the patient page: its choice in the address, and what it says where there is nothing."""

import json

from streamlit.testing.v1 import AppTest

from tests.dashboard.test_views import REAL, opened, said

WIDGET = "response_starts"
EXCHANGE, PULSE = "2021-10-18.plasma_exchange", "2021-08-26.cyclophosphamide.pulse"


def drawn(app: AppTest) -> dict:
    """The figure of the strip, found by what it is and not by its place on the page."""
    figures = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return next(figure for figure in figures if "offered" in figure["layout"].get("meta", {}))


def starts(app: AppTest) -> list[str]:
    return drawn(app)["layout"]["meta"]["starts"]


def test_it_shows_the_newest_four(shown_store):
    app = opened("patient", patient=REAL, as_of="2021-11-05")
    assert not app.exception and not app.error
    assert starts(app)[-1] == "2021-11-04.cyclophosphamide.pulse" and len(starts(app)) == 4
    assert app.multiselect(key=WIDGET).value == [] and "more than 90 days" in said(app)


def test_the_address_chooses(shown_store):
    app = opened("patient", patient=REAL, as_of="2021-11-05", starts=f"{EXCHANGE},{PULSE}")
    assert starts(app) == [PULSE, EXCHANGE] and app.multiselect(key=WIDGET).value == [EXCHANGE, PULSE]


def test_what_the_address_cannot_mean_is_passed_over(shown_store):
    hostile = f"<script>alert(1)</script>,,2099-01-01.x,{EXCHANGE}"
    app = opened("patient", patient=REAL, as_of="2021-11-05", starts=hostile)
    assert not app.exception and starts(app) == [EXCHANGE]
    before = opened("patient", patient=REAL, as_of="2021-09-03", starts=EXCHANGE)
    assert not before.exception and EXCHANGE not in starts(before) and starts(before)


def test_choosing_is_kept_in_the_address_and_clearing_clears_it(shown_store):
    app = opened("patient", patient=REAL, as_of="2021-11-05")
    app.multiselect(key=WIDGET).select(EXCHANGE).run()
    assert starts(app) == [EXCHANGE] and EXCHANGE in app.query_params["starts"]
    assert "2021-11-05" in app.query_params["as_of"]
    app.multiselect(key=WIDGET).unselect(EXCHANGE).run()
    assert "starts" not in app.query_params and len(starts(app)) == 4


def test_its_table_has_every_start_with_its_source(shown_store):
    app = opened("patient", patient=REAL, as_of="2021-11-05", starts=EXCHANGE)
    rows = next(frame.value for frame in app.dataframe if "start" in frame.value.columns)
    first = rows.iloc[0]
    assert list(rows.columns) == ["start", "date", "what", "day", "value", "unit", "remark", "source"]
    assert first["value"] == "6 sessions to 29 Oct 2021" and "events.csv:33" in first["source"]
    assert any("The response strip as a table" in expander.label for expander in app.expander)


def test_without_a_start_it_says_so(shown_store):
    app = opened("patient", patient="postpartum-cadm")
    assert not app.exception and "No therapy start&#44; pulse or exchange is recorded" in said(app)
