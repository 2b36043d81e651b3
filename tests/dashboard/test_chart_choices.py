"""What the reader chooses of the chart: panels and their order, where the axis counts from, the zoom, a phone, a dark page."""

import itertools
import json
from datetime import date, datetime

import pytest

from dashboard import anchors, style, zoom
from dashboard.charts import alt, axes, chosen_panels, panels, themes
from dashboard.charts.page import drawn_panels, exchange_days, page_figure, view_of
from dashboard.charts.panel import Anchor
from tests.dashboard.hand_made import course, equivalent, event, oxygen, page, result

AS_OF = date(2024, 6, 30)
TABLES = page(
    observation=[result("ferritin", "2024-02-01", 900.0), result("ldh", "2024-03-01", 300.0)],
    oxygen_support=[oxygen("2024-02-01", 1, 2.0)],
    treatment_course=[course("tacrolimus", "cni", "2024-02-01", "2024-03-01", 3.0)],
    prednisone_equivalent=[equivalent("2024-02-01", "2024-03-01", 50.0)],
)


def figure(**chosen) -> dict:
    return page_figure(TABLES, AS_OF, window=(date(2024, 1, 1), AS_OF), **chosen)


class TestPanels:
    def test_they_are_drawn_in_the_order_asked_for_and_once(self):
        assert figure(shown=["ldh", "ferritin", "ldh"])["layout"]["meta"]["panels"] == ["ldh", "ferritin"]

    def test_a_name_that_is_no_panel_is_passed_over(self):
        assert chosen_panels(["panel", "page", "<b>", "ferritin"]) == [panels()["ferritin"]]

    def test_an_optional_panel_without_data_is_drawn_where_it_was_asked_for(self):
        assert "kl6" not in figure()["layout"]["meta"]["panels"]
        assert figure(shown=["kl6"])["layout"]["meta"]["panels"] == ["kl6"]

    def test_a_companion_without_data_is_drawn_only_where_nothing_else_is(self):
        assert figure(shown=["ciclosporin_level", "ldh"])["layout"]["meta"]["panels"] == ["ldh"]
        assert figure(shown=["ciclosporin_level"])["layout"]["meta"]["panels"] == ["ciclosporin_level"]


class TestTimeAxis:
    def test_the_days_since_day_0_stand_at_the_top_and_the_dates_at_the_foot(self):
        layout = figure(anchor=Anchor("triple therapy", date(2024, 2, 5)))["layout"]
        at = dict(zip(layout["xaxis"]["ticktext"], layout["xaxis"]["tickvals"], strict=True))
        assert at["day 0"] == "2024-02-05" and at["day 28"] == "2024-03-04" and at["day −28"] == "2024-01-08"
        assert "tickvals" not in layout["xaxis2"] and layout["xaxis2"]["tickformatstops"]
        assert "2024-02-05" in [shape["x0"] for shape in layout["shapes"]]

    def test_its_ticks_are_finer_when_zoomed(self):
        anchor = Anchor("admission", date(2024, 2, 5))
        close = figure(anchor=anchor, zoom=(datetime(2024, 2, 1), datetime(2024, 2, 14)))["layout"]["xaxis"]
        assert "day 1" in close["ticktext"] and len(close["ticktext"]) > len(
            figure(anchor=anchor)["layout"]["xaxis"]["ticktext"]
        )

    def test_a_zoom_changes_what_is_shown_first_and_nothing_that_is_drawn(self):
        zoomed = figure(zoom=(datetime(2024, 2, 1, 6), datetime(2024, 2, 14)))
        assert zoomed["layout"]["xaxis"]["range"] == ["2024-02-01 06:00:00", "2024-02-14 00:00:00"]
        assert zoomed["data"] == figure()["data"]

    @pytest.mark.parametrize(
        ("as_of", "day"),
        [
            (date(2024, 2, 4), None),  # a day before it applies
            (date(2024, 2, 5), Anchor("combination therapy", date(2024, 2, 1))),
            (date(2024, 3, 1), Anchor("triple therapy", date(2024, 3, 1))),  # before the combination's
            (date(2024, 4, 1), Anchor("combination therapy", date(2024, 2, 1))),  # the triple's clock has stopped
        ],
    )
    def test_therapy_is_the_triple_whose_clock_runs_else_the_combination(self, as_of, day):
        clocks = {
            "combination_therapy": [
                {"applies_from": date(2024, 2, 5), "applies_to": None, "start_date": date(2024, 2, 1)}
            ],
            "triple_therapy": [
                {"applies_from": date(2024, 3, 1), "applies_to": date(2024, 4, 1), "start_date": date(2024, 3, 1)}
            ],
        }
        assert anchors.therapy(page() | clocks, as_of) == day

    def test_of_two_clocks_the_later_start_counts_in_whatever_order_they_come(self):
        rows = [
            {"applies_from": date(2024, 2, 1), "applies_to": None, "start_date": date(2024, day, 1)} for day in (2, 1)
        ]
        for order in (rows, rows[::-1]):
            assert anchors.therapy(page() | {"triple_therapy": order}, date(2024, 4, 1)).day == date(2024, 2, 1)

    def test_an_admission_is_the_last_up_to_the_day(self):
        stays = [event("stay", "hospital", day) for day in ("2024-01-05", "2024-02-10", "2024-05-01")]
        stays.append(event("stay", "hospital", "2024-03-01", "absent"))
        assert anchors.admission(page(event=stays), date(2024, 4, 1)).day == date(2024, 2, 10)
        assert anchors.admission(page(event=stays), date(2024, 1, 4)) is None


class TestZoomReported:
    @pytest.mark.parametrize(
        "reported",
        [
            None,
            [],
            ["2024-02-01"],
            ["a", "b"],
            ["2024-02-02", "2024-02-01"],
            {"a": 1},
            ["2024-02-01", "2024-02-01"],
            "2024",
            ["9999-12-31 23:59:59.9", "9999-12-31 23:59:59.95"],
            ["whole", "1700000000000"],
        ],
    )
    def test_what_is_no_range_is_no_zoom(self, reported):
        assert zoom._window(reported) is None

    def test_a_range_as_plotly_writes_it(self):
        window = zoom._window(["2021-08-14 22:09:41.307", "2021-11-13 12:01:17.9635"])
        assert window == (datetime(2021, 8, 14, 22, 9, 41, 307000), datetime(2021, 11, 13, 12, 1, 17, 963500))


class TestNarrow:
    def test_the_left_margin_is_half_as_wide_and_titles_stand_above(self):
        narrow, wide = figure(narrow=True)["layout"], figure()["layout"]
        assert narrow["margin"]["l"] < wide["margin"]["l"] / 2
        titles = [note for note in narrow["annotations"] if note["name"] == "title"]
        assert titles and {note["yanchor"] for note in titles} == {"bottom"} and all(note["y"] <= 1 for note in titles)

    def test_names_of_lanes_are_cut_as_text(self):
        assert (
            axes._short("<span style='color:#6B7280'>CNI</span> &lt;Tacrolimus&gt; and more", 18)
            == "CNI &lt;Tacrolimus&gt; …"
        )

    def test_no_panel_lies_on_another_or_on_its_title(self):
        layout = figure(narrow=True)["layout"]
        domains = sorted((axis["domain"] for name, axis in layout.items() if name.startswith("yaxis")), reverse=True)
        inside = layout["height"] - layout["margin"]["t"] - layout["margin"]["b"]
        assert (1 - domains[0][1]) * inside > 20
        assert all((upper[0] - lower[1]) * inside > 20 for upper, lower in itertools.pairwise(domains))


class TestDark:
    def test_no_colour_of_the_light_page_is_left(self):
        drawn = page_figure(TABLES, date(2024, 3, 3), [TABLES["observation"][0]["record_id"]])
        light = (style.INK, style.GREY, style.PALE, "#FFFFFF", "rgba(255,255,255,")
        assert all(colour in json.dumps(drawn) for colour in light)
        assert not [colour for colour in light if colour in json.dumps(themes.dark(drawn))]

    def test_it_says_and_places_the_same(self):
        light, dark = figure(), themes.dark(figure())
        assert [trace.get("x") for trace in dark["data"]] == [trace.get("x") for trace in light["data"]]
        assert [trace.get("hovertext") for trace in dark["data"]] == [trace.get("hovertext") for trace in light["data"]]


def test_a_chosen_flag_dims_all_that_is_no_evidence():
    chosen = TABLES["observation"][0]["record_id"]
    data = figure(ringed=[chosen])["data"]
    lit = [trace for trace in data if trace["name"].startswith("evidence")]
    assert {trace["name"] for trace in lit} == {"evidence", "evidence mark", "evidence labels"} and all(
        "opacity" not in trace for trace in lit
    )
    assert lit[-1]["text"] == ["900"]
    assert {trace["opacity"] for trace in data if trace["name"] in ("Ferritin", "LDH", "Oxygen support")} == {0.5}


def test_an_area_is_dimmed_with_its_line():
    def fill(**chosen):
        return next(
            trace["fillcolor"]
            for trace in figure(**chosen)["data"]
            if trace["name"] == "Prednisone eq." and "fillcolor" in trace
        )

    assert fill() == "rgba(230,159,0,0.35)" and fill(ringed=["1"]) == "rgba(230,159,0,0.175)"


def test_exchanges_after_the_day_are_not_known_on_it():
    sessions = [event("procedure", "plasma_exchange", day) for day in ("2024-02-01", "2024-02-03")]
    sessions.append(event("procedure", "plasma_exchange", "2024-02-02", "absent"))
    assert exchange_days(page(event=sessions), date(2024, 2, 2)) == (date(2024, 2, 1),)


def test_the_chart_in_words_names_every_panel_and_what_is_missing():
    view = view_of(TABLES, AS_OF)
    said = alt.sentence(drawn_panels(TABLES, view), view)
    assert said.startswith("One time axis from") and "as of 30 Jun 2024" in said and "Anti-MDA5: never measured" in said
