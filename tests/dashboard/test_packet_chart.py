"""The chart without a browser: every mark that any panel draws is known, one that is not is refused, and what is drawn stands right."""

import re
from datetime import date, datetime, timedelta

import pytest

from dashboard import anchors, data, strip, style
from dashboard.charts import page as charts_page
from dashboard.charts import panels
from dashboard.reports import chart, figure, svg
from tests.dashboard.packet_store import DAY, REAL, pages


@pytest.fixture(scope="module")
def read(sample_store):
    yield from pages(sample_store)


@pytest.mark.parametrize("scale", ["linear", "log", "baseline", "peak"])
def test_every_panel_of_every_sample_patient_is_drawn(read, scale):
    lines, scales = data.thresholds(), dict.fromkeys(panels(), scale)
    for tables in read.values():
        days = strip.recorded_days(tables)
        if not days:
            continue
        for as_of in {days[-1], days[len(days) // 2]}:
            ringed = [one for row in strip.standing(tables, as_of)[:30] for one in row["evidence"]]
            anchor = anchors.therapy(tables, as_of) if scale == "log" else None
            opened = frozenset({"glucocorticoid", "cni"}) if scale == "peak" else frozenset()
            drawn = charts_page.page_figure(
                tables, as_of, ringed, lines, shown=list(panels()), scales=scales, anchor=anchor, opened=opened
            )
            figure.drawn(drawn)


def changed(change) -> dict:
    """A figure of one line and one mark, and what `change` makes of it."""
    trace = {
        "type": "scatter", "mode": "lines+markers", "name": "a", "x": ["2024-01-01", "2024-01-11"], "y": [0, 10],
        "xaxis": "x", "yaxis": "y", "showlegend": False, "line": {"color": "#000000", "width": 2},
        "marker": {"symbol": "circle", "size": 8, "color": "#000000"},
    }  # fmt: skip
    axis = {
        "domain": [0, 1],
        "side": "right",
        "gridcolor": "#EEEEEE",
        "range": [0, 10],
        "tickvals": [0, 10],
        "type": "linear",
    }
    layout = {
        "yaxis": axis | {"tickfont": {"size": 11, "color": "#000000"}}, "height": 200, "shapes": [], "annotations": [],
        "xaxis": {"type": "date", "range": ["2024-01-01", "2024-01-11"], "gridcolor": "#EEEEEE"},
        "margin": {"l": 100, "r": 100, "t": 50, "b": 50, "pad": 0},
    }  # fmt: skip
    made = {"data": [trace], "layout": layout}
    change(made)
    return made


SHAPE = {"xref": "paper", "yref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 1, "layer": "below", "line": {"width": 0}}
UNKNOWN = [
    lambda made: made["data"][0].update(type="heatmap"),
    lambda made: made["data"][0].update(mode="lines+bubbles"),
    lambda made: made["data"][0].update(error_y={}),
    lambda made: made["data"][0].update(fill="tonexty", fillcolor="#000000"),
    lambda made: made["data"][0]["line"].update(shape="spline"),
    lambda made: made["data"][0]["line"].update(dash="10px"),
    lambda made: made["data"][0]["marker"].update(symbol="octagon"),
    lambda made: made["data"][0]["marker"].update(colorscale="x"),
    lambda made: made["data"][0]["marker"].update(color="red"),
    lambda made: made["layout"]["yaxis"].update(type="category"),
    lambda made: made["layout"]["yaxis"].update(autorange=True),
    lambda made: made["layout"].update(updatemenus=[]),
    lambda made: made["layout"]["shapes"].append(SHAPE | {"type": "path"}),
    lambda made: made["layout"]["annotations"].append({"ax": 1}),
]


@pytest.mark.parametrize("change", UNKNOWN)
def test_an_unknown_mark_is_refused(change):
    with pytest.raises(svg.UnknownMark):
        figure.drawn(changed(change), width=300)


def test_points_stand_where_their_values_are():
    drawn = figure.drawn(changed(lambda made: None), width=300)
    assert 'd="M100,150L200,50"' in drawn
    assert "translate(100,150)" in drawn and "translate(200,50)" in drawn


def test_on_a_logarithmic_axis_the_range_is_of_powers():
    def logarithmic(made):
        made["layout"]["yaxis"].update(type="log", range=[0, 2], tickvals=[1, 10, 100])
        made["data"][0].update(y=[1, 10])

    assert 'd="M100,150L200,100"' in figure.drawn(changed(logarithmic), width=300)


def test_a_step_goes_across_and_then_up():
    drawn = figure.drawn(changed(lambda made: made["data"][0]["line"].update(shape="hv")), width=300)
    assert 'd="M100,150H200V50"' in drawn


def test_a_gap_in_data_stays_a_gap():
    drawn = figure.drawn(
        changed(lambda made: made["data"][0].update(x=["2024-01-01", None, "2024-01-11"], y=[0, None, 10])), width=300
    )
    assert "L200,50" not in drawn


def test_every_threshold_has_its_line_and_its_label(read):
    found = chart.chart(read[REAL], DAY, data.thresholds())
    composed = charts_page.compose(list(found.panels), found.view)
    drawn = figure.drawn(composed)
    labels = [one["text"] for one in composed["layout"]["annotations"] if one["name"].startswith("threshold")]
    shown = re.sub(r"<[^>]+>", "", drawn)
    assert len(labels) >= 3
    for label in labels:
        for part in label.split("<br>"):
            assert part in shown, part


@pytest.mark.parametrize("days", [1, 5, 20, 60, 200, 400, 1500, 9000])
def test_days_of_the_axis_are_few_and_whole_dates(days):
    first = datetime(2024, 1, 3)
    found = figure.ticks(first, first + timedelta(days=days))
    assert 1 <= len(found) <= figure.MOST_TICKS + 2
    assert all(first.date() <= day <= first.date() + timedelta(days=days + 31) for day in found)


def test_dates_of_the_axis_are_printed_by_style_day(read, monkeypatch):
    monkeypatch.setattr(style, "day", lambda value, year=True: "day 12")
    found = chart.chart(read[REAL], DAY, data.thresholds())
    drawn = re.sub(r"<[^>]+>", " ", found.drawn("a").svg)
    assert "day 12" in drawn
    assert not re.search(r"\d [A-Z][a-z]{2} \d{4}|\d{4}-\d\d-\d\d", drawn)


class TestFitting:
    def test_what_fits_stays_in_order_and_the_flags_go_first(self, read):
        found = chart.chart(read[REAL], date(2022, 4, 1), data.thresholds())
        kept = chart.fitting(found.panels, 1090)
        assert "flags" not in [panel.name for panel in kept]
        assert [panel for panel in found.panels if panel in kept] == list(kept)
        assert sum(panel.height for panel in kept) <= 1090

    def test_with_room_for_all_none_is_left_out(self, read):
        found = chart.chart(read[REAL], DAY, data.thresholds())
        assert chart.fitting(found.panels, 100_000) == found.panels
        assert found.drawn("a").left_out == ()
        left_out = found.drawn("a", 300).left_out
        assert "Flags" in left_out
        assert "Flags" in chart.caption(found.drawn("a", 300), (), "elsewhere")

    def test_one_panel_is_always_drawn(self, read):
        assert len(chart.fitting(chart.chart(read[REAL], DAY, ()).panels, 1)) == 1
