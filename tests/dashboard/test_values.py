"""How results are drawn in a value panel: on which scale, what is held, what an exchange lowers, and the table of the same."""

import json
import math
from datetime import date

import pytest

from dashboard import data, table
from dashboard.charts import (
    after_exchange,
    anti_mda5,
    crp,
    dlco_units,
    ferritin,
    fvc_litres,
    headings,
    kl6,
    ldh,
    lymphocytes,
)
from dashboard.charts.page import drawn_panels, page_figure, view_of
from dashboard.charts.panel import View
from tests.dashboard.hand_made import above, below, event, held, judged, oxygen, page, result, threshold
from tests.dashboard.test_charts import hover

AS_OF = date(2024, 6, 30)
LINES = (
    threshold("high_ferritin", "grade_1_above", 500, "ng/mL", "Ferritin is high"),
    threshold("lymphopenia", "grade_1_below", 1.0, "10*9/L"),
    threshold("lymphopenia", "grade_2_below", 0.8, "10*9/L"),
    threshold("refractory_ferritin", "exchange_days", 7, "days after plasma exchange"),
)


def view(scale: str = "linear", name: str = "ferritin", as_of: date = AS_OF, **more) -> View:
    return View(date(2024, 1, 1), date(2024, 6, 30), as_of, thresholds=LINES, scales={name: scale}, **more)


def of(*at_and_value: tuple[str, float], **more) -> list[dict]:
    return [result("ferritin", at, value, unit="ng/mL", original_unit="ng/mL", **more) for at, value in at_and_value]


def traces(panel, name: str, mode: str = "markers") -> list[dict]:
    return [trace for trace in panel.traces if trace["name"] == name and trace["mode"] == mode]


def heights(panel, name: str = "Ferritin") -> list[float]:
    return [y for trace in traces(panel, name) for y in trace["y"]]


THREE = (("2024-01-03", 1500.0), ("2024-02-01", 900.0), ("2024-03-01", 3000.0))


class TestPercentOfBaseline:
    @pytest.mark.parametrize(
        ("start", "drawn", "said"),
        [
            (date(2024, 1, 31), [100, 60, 200], "% of baseline: 1500 ng/mL, 3 Jan 2024 = 100 %"),
            (
                date(2024, 2, 1),
                [1500 / 9, 100, 3000 / 9],
                "% of baseline: 900 ng/mL, 1 Feb 2024 = 100 %",
            ),  # the day itself
            (date(2024, 2, 2), [1500 / 9, 100, 3000 / 9], "% of baseline: 900 ng/mL, 1 Feb 2024 = 100 %"),
            (
                date(2024, 1, 2),
                [100, 60, 200],
                "% of baseline (first result): 1500 ng/mL, 3 Jan 2024 = 100 %",
            ),  # none before
            (None, [100, 60, 200], "% of baseline (first result): 1500 ng/mL, 3 Jan 2024 = 100 %"),
            (
                date(2024, 7, 1),
                [100, 60, 200],
                "% of baseline (first result): 1500 ng/mL, 3 Jan 2024 = 100 %",
            ),  # not yet started
        ],
    )
    def test_the_last_result_up_to_therapy_start_else_the_first_is_named_and_is_100(self, start, drawn, said):
        panel = ferritin.panel(of(*THREE), view("baseline", baseline=start))
        assert heights(panel) == pytest.approx(drawn)
        assert panel.unit == said and not panel.note

    def test_the_time_of_day_does_not_put_a_result_after_the_day_of_therapy_start(self):
        rows = of(("2024-01-03", 1500.0), ("2024-02-01 16:30:00", 900.0))
        assert "900 ng/mL" in ferritin.panel(rows, view("baseline", baseline=date(2024, 2, 1))).unit

    @pytest.mark.parametrize(
        ("first", "why"),
        [
            (above("ferritin", "2024-01-03", 1650.0, unit="ng/mL"), "the baseline of 3 Jan 2024 is >1650"),
            (below("ferritin", "2024-01-03", 5.0, unit="ng/mL"), "the baseline of 3 Jan 2024 is <5"),
            (result("ferritin", "2024-01-03", 0.0, unit="ng/mL"), "the baseline of 3 Jan 2024 is 0"),
        ],
    )
    def test_without_an_exact_baseline_above_zero_it_is_linear_and_says_so(self, first, why):
        panel = ferritin.panel([first, *of(("2024-02-01", 900.0))], view("baseline", baseline=date(2024, 1, 10)))
        assert panel.unit == "ng/mL, linear" and panel.note == f"% of baseline cannot be told: {why}"
        assert 900 in heights(panel) and panel.factor == 1

    def test_a_coded_or_preliminary_result_is_no_baseline(self):
        coded = result("ferritin", "2024-01-08", None, coded="positive")
        rows = [*of(("2024-01-03", 1500.0)), coded, *of(("2024-01-09", 700.0), status="preliminary")]
        assert "1500 ng/mL" in ferritin.panel(rows, view("baseline", baseline=date(2024, 1, 10))).unit

    def test_nothing_later_than_the_as_of_day_is_100(self):
        panel = ferritin.panel(of(("2024-03-01", 3000.0)), view("baseline", as_of=date(2024, 2, 1)))
        assert panel.note == "% of baseline cannot be told: no result by 1 Feb 2024" and heights(panel) == [3000]

    def test_assays_are_never_mixed(self):
        rows = [
            result("anti_mda5", "2024-01-03", 100.0, assay="A", unit="{index}"),
            result("anti_mda5", "2024-02-03", 50.0, assay="B", unit="{index}"),
        ]
        panel = anti_mda5.panel(rows, view("baseline", "anti_mda5"))
        assert panel.unit == "index, linear" and "2 assays or units are never mixed" in panel.note
        one = anti_mda5.panel(rows[:1], view("baseline", "anti_mda5"))
        assert one.unit == "% of baseline (first result): 100 index, 3 Jan 2024 = 100 %"

    def test_thresholds_and_reference_ranges_are_converted_with_the_values(self):
        panel = ferritin.panel(of(("2024-01-03", 1000.0), ref_low=100.0, ref_high=300.0), view("baseline"))
        assert [line["y"] for line in panel.lines] == [50]
        assert set(traces(panel, "reference range", "lines")[0]["y"]) == {10, 30, None}
        figure = page_figure(
            page(observation=of(("2024-01-03", 1000.0))), AS_OF, thresholds=LINES, scales={"ferritin": "baseline"}
        )
        (drawn,) = [
            shape
            for shape in figure["layout"]["shapes"]
            if shape.get("name") == "threshold high_ferritin grade_1_above"
        ]
        assert drawn["y0"] == 50
        said = [
            note["text"]
            for note in figure["layout"]["annotations"]
            if note["name"] == "threshold high_ferritin grade_1_above"
        ]
        assert said == ["Ferritin is high: 500 ng/mL"]


class TestPercentOfPeak:
    def test_the_highest_result_up_to_the_as_of_day_is_100(self):
        assert heights(ferritin.panel(of(*THREE), view("peak"))) == [50, 30, 100]
        earlier = ferritin.panel(of(*THREE), view("peak", as_of=date(2024, 2, 15)))
        assert earlier.unit == "% of peak: 1500 ng/mL, 3 Jan 2024 = 100 %" and heights(earlier) == pytest.approx(
            [100, 60, 200]
        )

    def test_of_equal_peaks_the_first(self):
        assert "3 Jan" in ferritin.panel(of(("2024-01-03", 900.0), ("2024-02-03", 900.0)), view("peak")).unit

    @pytest.mark.parametrize("exact", [900.0, 1650.0])
    def test_a_peak_that_is_only_a_bound_is_none(self, exact):
        rows = [*of(("2024-01-03", exact)), above("ferritin", "2024-02-01", 1650.0, unit="ng/mL")]
        panel = ferritin.panel(rows, view("peak"))
        assert (
            panel.unit == "ng/mL, linear" and panel.note == "% of peak cannot be told: the peak of 1 Feb 2024 is >1650"
        )
        assert heights(panel) == [exact, 1650]

    def test_a_lower_bound_below_the_peak_is_drawn_in_percent_and_said_to_be_perhaps_higher(self):
        rows = [
            above("ferritin", "2024-01-03", 1000.0),
            *of(("2024-02-01", 2000.0)),
            below("ferritin", "2024-03-01", 50.0),
        ]
        panel = ferritin.panel(rows, view("peak"))
        assert panel.note == "the >1000 of 3 Jan 2024 may have been higher"
        arrows = traces(panel, "Ferritin")[1]
        assert arrows["y"] == [50, 2.5] and arrows["marker"]["symbol"] == ["triangle-up", "triangle-down"]
        assert {">50 %".replace(">", "&gt;"), "&lt;2.5 %", "100 %"} == set(
            traces(panel, "labels", "markers+text")[0]["text"]
        )


class TestLogarithmic:
    def test_it_is_written_beside_the_unit(self):
        panel = ferritin.panel(of(*THREE), view("log"))
        assert panel.axis["type"] == "log" and panel.unit == "ng/mL, logarithmic" and not panel.note
        assert ferritin.panel(of(*THREE), view()).unit == "ng/mL"

    def test_zero_stands_at_the_foot_and_breaks_the_line(self):
        panel = ferritin.panel(of(("2024-01-03", 1500.0), ("2024-01-10", 0.0), ("2024-01-17", 900.0)), view("log"))
        assert traces(panel, "Ferritin", "lines")[0]["y"] == [1500, None, 900]
        zero = traces(panel, "Ferritin")[1]
        lowest_tick = min(panel.axis["tickvals"])
        assert zero["x"] == ["2024-01-10"] and 0 < zero["y"][0] < lowest_tick
        assert panel.axis["range"][0] < math.log10(zero["y"][0]) and "0 has no place" in panel.note
        assert "0" in traces(panel, "labels", "markers+text")[0]["text"]

    def test_only_zeros_have_no_scale(self):
        panel = ferritin.panel(of(("2024-01-03", 0.0)), view("log"))
        assert panel.axis["tickvals"] == [] and heights(panel) == [0]

    def test_there_are_at_least_two_ticks_even_within_a_decade(self):
        assert ferritin.panel(of(("2024-01-03", 600.0), ("2024-01-09", 700.0)), view("log")).axis["tickvals"] == [
            500,
            1000,
        ]
        wide = ferritin.panel(of(("2024-01-03", 1.0), ("2024-01-09", 1e6)), view("log")).axis["tickvals"]
        assert 2 <= len(wide) <= 4

    @pytest.mark.parametrize("scale", ["linear", "log", "baseline", "peak"])
    def test_a_range_of_one_side_reaches_the_edge_and_steps_where_the_laboratory_changes(self, scale):
        rows = of(("2024-01-03", 1000.0), ("2024-02-03", 500.0), ref_high=400.0) + of(
            ("2024-03-03", 150.0), ref_low=20.0, ref_high=200.0
        )
        panel = ferritin.panel(rows, view(scale))
        band = traces(panel, "reference range", "lines")[0]
        edge = 10 ** panel.axis["range"][0] if scale == "log" else panel.axis["range"][0]
        factor = panel.factor
        assert factor == (0.1 if scale in ("baseline", "peak") else 1)
        assert band["x"] == ["2024-01-03"] * 2 + ["2024-03-03"] * 2 + ["2024-01-03", None] + ["2024-03-03"] * 2 + [
            "2024-07-01"
        ] * 2 + ["2024-03-03", None]
        assert band["y"][:2] == pytest.approx([edge, 400 * factor])
        assert band["y"][6:8] == pytest.approx([max(edge, 20 * factor), 200 * factor])


class TestHeld:
    def test_a_row_with_one_day_stands_at_the_foot_below_the_scale_with_its_value_and_reason(self):
        waiting = held(
            "ferritin", "p1,ferritin,18,,2024-02-05", **{"value as printed": "18", "date as printed": "2024-02-05"}
        )
        panel = ferritin.panel(of(*THREE), view(held={"ferritin": [waiting]}))
        (marks,) = traces(panel, "Ferritin, held")
        assert marks["x"] == ["2024-02-05"] and panel.axis["range"][0] < marks["y"][0] < 0
        assert marks["marker"]["color"] == ["#FFFFFF"]
        assert "held: 18, unit not printed" in traces(panel, "labels", "markers+text")[0]["text"]
        assert "held: 18, unit not printed · labs.csv line 9" in marks["hovertext"][0]
        assert 18 not in heights(panel)

    @pytest.mark.parametrize(
        ("raw", "day"),
        [
            ("p1,ferritin,18,,2024-02-05", "2024-02-05"),
            ("p1;ferritin;18;;2024-02-05 08:30", "2024-02-05"),
            ("p1,ferritin,18,,05.02.2024", None),  # a form that has to be guessed
            ("p1,ferritin,18,,2024-02", None),
            ("p1,ferritin,18,,2024-02-31", None),
            ("p1,ferritin,18,,2024-02-05,2024-02-06", None),  # which of the two?
            ("p1,ferritin,18,,2024-02-05,2024-02-05", "2024-02-05"),
        ],
    )
    def test_only_one_readable_day_is_a_place(self, raw, day):
        panel = ferritin.panel(of(*THREE), view(held={"ferritin": [held("ferritin", raw)]}))
        assert [mark["x"] for mark in traces(panel, "Ferritin, held")] == ([[day]] if day else [])
        assert ("1 held without a day that can be read" in panel.note) == (day is None)
        assert [row["date"] for row in panel.table if row["remark"] and row["remark"].startswith("held")] == [day]

    def test_the_column_of_dates_settles_which_of_two_days_it_is(self):
        row = held("ferritin", "p1,ferritin,18,,2024-02-05,2024-02-06", **{"date as printed": "2024-02-05"})
        assert traces(ferritin.panel(of(*THREE), view(held={"ferritin": [row]})), "Ferritin, held")[0]["x"] == [
            "2024-02-05"
        ]

    def test_where_nothing_was_accepted_what_is_held_is_drawn_all_the_same(self):
        row = held("crp", "p1,CRP,18,,2024-02-05")
        panel = crp.panel([], view(held={"crp": [row]}))
        assert panel.unit == "" and panel.note == "none accepted, held: unit not printed"
        assert not panel.empty and panel.lines == [] and traces(panel, "CRP, held") and panel.axis["tickvals"] == []
        undated = crp.panel([], view(held={"crp": [held("crp", "p1,CRP,18,,")]}))
        assert undated.empty == "no result accepted: 1 held, see below" and len(undated.table) == 1
        figure = page_figure(page(held=[row]), AS_OF, window=(date(2024, 1, 1), AS_OF))
        assert "crp" in figure["layout"]["meta"]["panels"] and "ldh" not in figure["layout"]["meta"]["panels"]

    def test_what_is_printed_is_never_markup(self):
        row = held("ferritin", "x,2024-02-05", **{"value as printed": "<b>1", "found": "<i>", "reason": "unit_unknown"})
        assert "<b>" not in json.dumps(ferritin.panel(of(*THREE), view(held={"ferritin": [row]})).traces)


class TestAfterExchange:
    SESSIONS = (date(2024, 2, 1), date(2024, 2, 5), date(2024, 4, 1))

    @pytest.mark.parametrize(
        ("day", "said"),
        [
            ("2024-01-31", ""),
            ("2024-02-01", "on the day of a plasma exchange"),
            ("2024-02-04", "day 3 after plasma exchange"),
            ("2024-02-06", "day 1 after plasma exchange"),  # of the last session
            ("2024-02-12 23:59", "day 7 after plasma exchange"),
            ("2024-02-13", ""),
        ],
    )
    def test_a_result_of_the_day_of_a_session_to_seven_days_after_it_says_so(self, day, said):
        panel = ferritin.panel(of((day, 900.0)), view(exchanges=self.SESSIONS))
        text = hover(traces(panel, "Ferritin")[0])
        assert ("exchange" in text) == bool(said) and said in text
        assert ((panel.table[0]["remark"] or "") == said) or said in panel.table[0]["remark"]

    def test_the_band_reaches_over_the_whole_seventh_day_and_runs_that_touch_are_one(self):
        assert after_exchange.spans(view(exchanges=self.SESSIONS)) == [
            (date(2024, 2, 1), date(2024, 2, 13)),
            (date(2024, 4, 1), date(2024, 4, 9)),
        ]
        at_the_edge = view(exchanges=(date(2023, 12, 28), date(2024, 6, 29)))
        assert after_exchange.spans(at_the_edge) == [
            (date(2024, 1, 1), date(2024, 1, 5)),
            (date(2024, 6, 29), date(2024, 7, 1)),
        ]
        assert after_exchange.spans(view(exchanges=(date(2023, 12, 24),))) == []

    def test_the_number_of_days_is_the_rules(self):
        fewer = View(
            date(2024, 1, 1), AS_OF, AS_OF, thresholds=(LINES[3] | {"value": 3},), exchanges=(date(2024, 2, 1),)
        )
        assert after_exchange.spans(fewer) == [(date(2024, 2, 1), date(2024, 2, 5))]
        bare = View(date(2024, 1, 1), AS_OF, AS_OF, exchanges=(date(2024, 2, 1),))
        assert after_exchange.spans(bare) == [(date(2024, 2, 1), date(2024, 2, 9))]

    def test_it_is_hatched_with_a_word_where_an_exchange_lowers_what_is_measured_and_nowhere_else(self):
        told = {}
        for module, analyte in (
            (ferritin, "ferritin"),
            (anti_mda5, "anti_mda5"),
            (kl6, "kl6"),
            (ldh, "ldh"),
            (crp, "crp"),
        ):
            panel = module.panel([result(analyte, "2024-02-02", 900.0)], view(exchanges=self.SESSIONS))
            band = traces(panel, "after plasma exchange", "lines")
            told[analyte] = bool(band)
            assert ("exchange" in hover(traces(panel, module.TITLE)[0])) == bool(band)
            if band:
                assert band[0]["fillpattern"]["shape"] == "/"
                assert traces(panel, "after plasma exchange, word", "text")[0]["text"][0] == "after exchange"
        assert told == {"ferritin": True, "anti_mda5": True, "kl6": True, "ldh": False, "crp": False}

    @pytest.mark.parametrize("scale", ["linear", "log", "peak"])
    def test_it_fills_the_panel_on_every_scale(self, scale):
        panel = ferritin.panel(of(*THREE), view(scale, exchanges=self.SESSIONS))
        low, high = panel.axis["range"]
        edges = {10**low, 10**high} if scale == "log" else {low, high}
        assert set(traces(panel, "after plasma exchange", "lines")[0]["y"]) == edges | {None}


class TestHover:
    def test_it_has_value_unit_as_printed_laboratory_assay_receipt_source_and_time(self):
        row = result(
            "ferritin", "2024-02-01 08:30:00", 900.0, unit="ng/mL", original_value="0.9", original_unit="mg/L",
            laboratory="Severance", assay="ELISA", received_at="2024-02-02 10:00:00", line=17,
        )  # fmt: skip
        text = hover(traces(ferritin.panel([row], view()), "Ferritin")[0])
        assert text == (
            "Ferritin: 900 ng/mL (printed 0.9 mg/L) · 08:30 · line 17 of labs.csv · Severance · ELISA · received 2 Feb 2024 10:00"
            " · %{x|%-d %b %Y}<extra></extra>"
        )

    def test_what_differs_between_points_is_said_at_each(self):
        rows = of(("2024-02-01", 900.0), laboratory="A", file="a.csv") + of(
            ("2024-03-01", 800.0), laboratory="B", file="b.csv"
        )
        trace = traces(ferritin.panel(rows, view()), "Ferritin")[0]
        assert trace["hovertext"] == ["900.0 ng/mL · A · a.csv:2", "800.0 ng/mL · B · b.csv:2"]

    def test_a_laboratory_named_like_a_field_of_the_template_is_text(self):
        trace = traces(ferritin.panel(of(("2024-02-01", 900.0), laboratory="%{y}"), view()), "Ferritin")[0]
        assert "%{y}" not in trace["hovertemplate"] and "{y}" in trace["hovertemplate"]

    def test_a_bound_is_never_shown_as_a_value(self):
        trace = traces(ferritin.panel([above("ferritin", "2024-02-01", 1650.0, unit="ng/mL")], view()), "Ferritin")[0]
        assert trace["hovertext"][0].startswith("&gt;1650 ng/mL")

    def test_a_dense_series_is_a_line_whose_every_point_can_be_hovered(self):
        days = [date.fromordinal(date(2022, 1, 1).toordinal() + number).isoformat() for number in range(400)]
        rows = of(*((day, 500.0 + number) for number, day in enumerate(days)))
        rows += of(("2024-06-01", 700.0))  # alone: a line does not show it
        panel = ferritin.panel(rows, view())
        (line,) = traces(panel, "Ferritin", "lines")
        assert [text for text, y in zip(line["hovertext"], line["y"], strict=True) if y is not None and not text] == []
        assert "hoverinfo" not in line and "line 2 of labs.csv" in hover(line)
        assert (
            traces(panel, "Ferritin")[0]["x"] == ["2024-06-01"] and traces(panel, "Ferritin")[0]["hoverinfo"] == "skip"
        )
        assert len(panel.points) == 401

    def test_two_results_of_one_day_keep_their_own_text_in_a_dense_series(self):
        rows = of(*(("2024-02-01", 500.0 + number) for number in range(200)))
        (line,) = traces(ferritin.panel(rows, view()), "Ferritin", "lines")
        assert [text.split()[0] for text in line["hovertext"]] == [str(y) for y in line["y"]]

    def test_marks_grow_small_and_then_vanish_as_a_series_grows_dense(self):
        def sizes(count: int) -> list[int]:
            days = (date.fromordinal(date(2024, 1, 1).toordinal() + number).isoformat() for number in range(count))
            panel = ferritin.panel(of(*((day, 500.0) for day in days)), view())
            return [trace["marker"]["size"] for trace in traces(panel, "Ferritin")]

        assert [sizes(count) for count in (60, 61, 149, 150)] == [[8], [5], [5], []]

    def test_two_thousand_results_stay_small(self):
        analytes = ("ferritin", "ldh", "kl6", "crp", "lymphocytes", "anti_mda5", "fvc_percent", "dlco_percent")
        start = date(2023, 1, 1).toordinal()
        rows = [
            result(
                analyte, f"{date.fromordinal(start + number * 2)} 08:{number % 60:02d}:00", 900.0 + number, unit="ng/mL",
                original_unit="ng/mL", laboratory=f"Laboratory {number % 3}", assay="ELISA", line=number * 8, ref_low=20.0,
                ref_high=300.0, received_at=f"{date.fromordinal(start + number * 2 + 1)} 10:00:00", file=f"results_{number // 50}.csv",
            )
            for analyte in analytes
            for number in range(250)
        ]  # fmt: skip
        figure = page_figure(page(observation=rows), AS_OF)
        assert len(json.dumps(figure, ensure_ascii=False).encode()) < 400_000


class TestNewPanels:
    def test_lymphocytes_have_the_line_below_which_the_rule_is_met(self):
        panel = lymphocytes.panel([result("lymphocytes", "2024-02-01", 0.6, unit="10*9/L")], view())
        assert [line["value"] for line in panel.lines] == [0.8] and panel.unit == "10⁹/L"

    @pytest.mark.parametrize(("module", "analyte"), [(fvc_litres, "fvc"), (dlco_units, "dlco")])
    def test_volumes_are_drawn_only_when_chosen_and_without_what_came_after_a_bronchodilator(self, module, analyte):
        rows = [
            result(analyte, "2024-02-01", 2.4, unit="L"),
            result(analyte, "2024-02-01", 2.9, unit="L", phase="post"),
        ]
        name = module.__name__.rsplit(".", 1)[1]
        assert [row["value"] for row in module.rows(page(observation=rows))] == [2.4]
        assert name not in page_figure(page(observation=rows), AS_OF)["layout"]["meta"]["panels"]
        assert page_figure(page(observation=rows), AS_OF, shown=[name])["layout"]["meta"]["panels"] == [name]


def test_a_heading_too_long_for_the_margin_is_wrapped_and_the_panel_grows():
    panel = ferritin.panel(of(*THREE), view("baseline"))
    lines = headings.lines(panel)
    assert len(lines) > 1 and all(len(line) <= headings.LETTERS for line in lines)
    assert " ".join(lines).strip() == panel.unit
    plain = ferritin.panel(of(*THREE), view()).height
    assert panel.height == plain + headings.LINE * (len(lines) - 1)
    assert ferritin.panel(of(*THREE), view("baseline", narrow=True)).height == plain  # a phone has one line for it


class TestTable:
    def test_its_rows_are_what_is_drawn(self):
        waiting = held("ferritin", "p1,ferritin,18,,2024-02-05", **{"value as printed": "18"})
        rows = [
            *of(*THREE),
            above("ferritin", "2024-04-01", 1650.0),
            result("ferritin", "2024-05-01", None, coded="high", original_value="high"),
        ]
        panel = ferritin.panel(rows, view(held={"ferritin": [waiting]}))
        drawn = {(x, trace["name"]) for trace in panel.traces if trace["mode"] == "markers" for x in trace["x"]}
        assert {
            (row["date"], "Ferritin, held" if row["remark"] and "held" in row["remark"] else row["what"])
            for row in panel.table
        } == drawn
        assert {(row["date"], row["value"]) for row in panel.table} >= {
            ("2024-04-01", ">1650"),
            ("2024-05-01", "high"),
            ("2024-02-05", "18"),
        }
        assert all(
            set(row) >= set(table.COLUMNS) and all(v is None or isinstance(v, str) for v in row.values())
            for row in panel.table
        )

    def test_the_twin_is_cut_to_window_and_as_of_day_and_stands_newest_first(self):
        rows = of(("2023-12-31", 1.0), ("2024-01-01", 2.0), ("2024-03-01 23:00", 3.0), ("2024-03-02", 4.0))
        undated = held("ferritin", "p1,ferritin,18,,")
        chosen = view(as_of=date(2024, 3, 1), held={"ferritin": [undated]})
        found = table.twin([ferritin.panel(rows, chosen)], chosen)
        assert [row["date"] for row in found] == ["2024-03-01 23:00", "2024-01-01", ""]
        assert list(found[0]) == ["panel", *table.COLUMNS] and found[0]["panel"] == "Ferritin"
        assert table.as_csv(found).count(b"\r\n") == 4

    def test_what_lasts_is_in_the_window_where_any_day_of_it_is(self):
        from dashboard.charts import flags

        runs = [
            judged("a", "infection", "2023-01-01", "2024-01-01", "met"),  # ended the day before
            judged("b", "infection", "2023-01-01", "2024-01-02", "met"),
            judged("c", "infection", "2023-01-01", None, "met"),
            judged("d", "infection", "2024-07-01", None, "met"),
        ]
        panel = flags.panel(flags.rows(page(judgement=runs)), view())
        assert sorted(row["what"] for row in table.twin([panel], view())) == ["b", "c"]

    def test_every_other_panel_of_moments_has_its_rows(self):
        from dashboard.charts import course_of_events, oxygen_support, oxygenation

        steps = [oxygen("2024-02-01", 4, 50.0, 0.8, sf=117.5), oxygen("2024-02-02", None)]
        tables = page(
            oxygen_support=steps, event=[event("imaging", "chest_ct", "2024-02-03", "worse", text="more GGO")]
        )
        told = [
            (row["date"], row["what"], row["value"], row["remark"], row["source"])
            for module in (oxygen_support, oxygenation, course_of_events)
            for row in module.panel(module.rows(tables), view()).table
        ]
        assert told == [
            ("2024-02-01", "Oxygen support", "high flow (HFNC)", "FiO₂ 0.80, 50 L/min", "oxygen.csv:2"),
            ("2024-02-01", "SpO₂/FiO₂", "117.5", None, "oxygen.csv:2"),
            ("2024-02-03", "imaging: chest ct", "worse", "more GGO", "events.csv line 2"),
        ]


def test_the_real_case_has_its_held_crp_on_their_days_and_every_result_says_when_it_was_received(shown_store):
    tables = data.patient_page("yonsei-2021")
    assert all(row["received_at"] for row in tables["observation"])
    chosen = view_of(tables, date(2021, 9, 3))
    panel = crp.panel(crp.rows(tables), chosen)
    (marks,) = traces(panel, "CRP, held")
    assert list(zip(marks["x"], (row["value"] for row in panel.table), strict=True)) == [
        ("2021-07-24", "2.91"),
        ("2021-08-04", "18"),
    ]
    assert panel.note == "none accepted, held: unit not printed" and heights(panel, "CRP") == []


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (date(2024, 2, 1), date(2024, 3, 1), ["2024-03-01", "2024-02-01"]),
        (date(2024, 2, 2), date(2024, 2, 29), []),
        (date(2023, 1, 1), date(2025, 1, 1), ["2024-03-01", "2024-02-01"]),  # never beyond the as-of day
    ],
)
def test_the_table_follows_the_zoom(start, end, days):
    rows = [result("ferritin", day, 900.0) for day in ("2024-02-01", "2024-03-01", "2024-04-02")]
    view = view_of(page(observation=rows), date(2024, 4, 1))
    drawn = drawn_panels(page(observation=rows), view, ["ferritin"])
    assert [row["date"] for row in table.twin(drawn, view, (start, end))] == days
