"""Every figure as it is handed over is one that Plotly accepts in full: the page skips that check (dashboard/plotted.py)."""

from datetime import timedelta

import plotly.graph_objects as go
import pytest

from dashboard import data, response, strip
from dashboard.charts import page, panels, themes
from tests.dashboard.test_views import sample_patients

CHOICES = (
    {},
    {"narrow": True, "scales": dict.fromkeys(panels(), "log")},
    {"scales": dict.fromkeys(panels(), "baseline"), "opened": frozenset(("cni", "glucocorticoid", "jak_inhibitor"))},
    {"scales": dict.fromkeys(panels(), "peak")},
)


@pytest.mark.parametrize("chosen", CHOICES, ids=("plain", "narrow and logarithmic", "baseline and opened", "peak"))
def test_every_panel_of_every_fourth_sample_patient_is_a_valid_figure(shown_store, chosen):
    for patient in sample_patients()[::4]:
        tables = data.patient_page(patient)
        days = strip.recorded_days(tables)
        as_of = days[len(days) // 2]
        ringed = {record_id for row in strip.standing(tables, as_of) for record_id in row["evidence"]}
        for shown in (None, tuple(panels())):
            figure = page.page_figure(tables, as_of, ringed, data.thresholds(), shown=shown, **chosen)
            go.Figure(themes.dark(figure))
            go.Figure(response.figure(tables, as_of + timedelta(days=30), None, bool(chosen.get("narrow"))))


def test_a_figure_that_is_not_valid_is_noticed():
    with pytest.raises(ValueError, match="marker"):
        go.Figure({"data": [{"type": "scatter", "marker": {"no such property": 1}}], "layout": {}})
