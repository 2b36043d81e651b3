"""Charts as data: what is drawn, from rows made by hand. No screenshots."""

import itertools
import json
import math
from datetime import date

import pytest

from dashboard import style
from dashboard.charts import flags, marks, panels, treatment
from dashboard.charts.page import page_figure, view_of
from dashboard.charts.panel import View
from pipelines import dictionary
from tests.dashboard.hand_made import (
    above,
    below,
    course,
    equivalent,
    event,
    judged,
    oxygen,
    page,
    pulse,
    result,
    threshold,
)

AS_OF = date(2024, 6, 30)
WINDOW = (date(2024, 1, 1), date(2024, 6, 30))
THRESHOLDS = [
    threshold("high_ferritin", "grade_1", 500, "ng/mL", "Ferritin is high"),
    threshold("high_ferritin", "grade_2", 1000, "ng/mL", "Ferritin is high"),
    threshold("high_ferritin", "grade_3", 1500, "ng/mL", "Ferritin is high"),
    threshold("urgent_transfer", "level", 4, "level", "High-flow oxygen or more"),
]


def figure(tables: dict, **more) -> dict:
    return page_figure(
        tables, more.pop("as_of", AS_OF), window=more.pop("window", WINDOW), thresholds=THRESHOLDS, **more
    )


def traces(drawn: dict, name: str, mode: str | None = None) -> list[dict]:
    return [trace for trace in drawn["data"] if trace["name"] == name and (mode is None or trace.get("mode") == mode)]


def hover(trace: dict, number: int = 0) -> str:
    """What the hover box says of a point."""
    return trace["hovertemplate"].replace("%{hovertext}", trace["hovertext"][number])


def texts(drawn: dict) -> list[str]:
    return [text for trace in drawn["data"] for text in trace.get("text", []) if text]


class TestOneAxis:
    def test_every_panel_hangs_on_the_same_x_axis(self):
        drawn = figure(
            page(observation=[result("ferritin", "2024-02-01", 900.0)], oxygen_support=[oxygen("2024-02-01", 1, 2.0)])
        )
        held = [trace for trace in drawn["data"] if trace["name"] != "dates"]
        assert {trace["xaxis"] for trace in held} == {"x"}
        assert drawn["layout"]["xaxis2"]["matches"] == "x"

    def test_panels_do_not_overlap(self):
        drawn = figure(page(observation=[result("ferritin", "2024-02-01", 900.0), result("ldh", "2024-02-01", 300.0)]))
        domains = sorted(axis["domain"] for name, axis in drawn["layout"].items() if name.startswith("yaxis"))
        assert all(lower[1] < upper[0] for lower, upper in itertools.pairwise(domains))

    def test_it_is_plain_json(self):
        assert json.loads(json.dumps(figure(page(observation=[above("ferritin", "2024-02-01", 1650.0)]))))

    def test_all_shapes_are_in_the_layout_at_once(self):
        drawn = figure(page(observation=[result("ferritin", "2024-02-01", 900.0)]))
        assert {shape["type"] for shape in drawn["layout"]["shapes"]} <= {"line", "rect"}


class TestEmpty:
    def test_an_empty_patient_explains_every_panel(self):
        drawn = figure(page())
        said = [note["text"] for note in drawn["layout"]["annotations"] if note["name"] == "empty"]
        assert "never measured" in said and "never recorded" in said
        assert len(said) == len(drawn["layout"]["meta"]["panels"])

    @pytest.mark.parametrize("module", panels().values(), ids=list(panels()))
    def test_every_panel_is_complete(self, module):
        assert module.TITLE and module.PLACE and module.rows.__call__ and module.__doc__
        view = View(*WINDOW, AS_OF)
        assert module.panel(module.rows(page()), view).empty

    @pytest.mark.parametrize(
        "name",
        [
            name
            for name, module in panels().items()
            if getattr(module, "SCALES", False) and name != "ciclosporin_c2"  # a timing of an analyte of another panel
        ],
    )
    def test_a_panel_of_values_names_its_analytes(self, name):
        """By them held rows and the cohort find their panel."""
        module = panels()[name]
        assert set(module.ANALYTES) <= set(dictionary.analytes())
        rows = module.rows(
            page(
                observation=[result(analyte, "2024-02-01", 5.0, sample_timing="trough") for analyte in module.ANALYTES]
            )
        )
        assert {row["analyte"] for row in rows} == set(module.ANALYTES)


class TestResults:
    def test_a_series_has_a_line_and_its_marks(self):
        drawn = figure(page(observation=[result("ferritin", f"2024-02-0{day}", 100.0 * day) for day in (1, 2, 3)]))
        assert traces(drawn, "Ferritin", "lines")[0]["y"] == [100, 200, 300]
        assert traces(drawn, "Ferritin", "markers")[0]["y"] == [100, 200, 300]

    def test_a_gap_stays_a_gap(self):
        drawn = figure(
            page(observation=[result("ferritin", "2024-01-02", 400.0), result("ferritin", "2024-06-02", 500.0)])
        )
        assert traces(drawn, "Ferritin", "lines")[0]["y"] == [400, None, 500]
        assert traces(drawn, "Ferritin", "lines")[0]["connectgaps"] is False

    def test_a_censored_value_is_an_arrow_at_its_bound_and_outside_the_line(self):
        drawn = figure(
            page(
                observation=[
                    result("ferritin", "2024-02-01", 900.0),
                    above("ferritin", "2024-02-05", 1650.0),
                    below("ferritin", "2024-02-09", 5.0),
                ]
            )
        )
        assert traces(drawn, "Ferritin", "lines")[0]["y"] == [900]
        arrows = traces(drawn, "Ferritin", "markers")[1]
        assert arrows["marker"]["symbol"] == ["triangle-up", "triangle-down"] and arrows["y"] == [1650, 5]
        assert "&gt;1650" in texts(drawn)

    def test_assays_of_a_titre_are_never_joined(self):
        rows = [
            result("anti_mda5", "2024-02-01", 100.0, assay="A", unit="index"),
            result("anti_mda5", "2024-03-01", 50.0, assay="B", unit="index"),
        ]
        lines = [
            trace
            for trace in figure(page(observation=rows))["data"]
            if trace["name"].startswith("Anti-MDA5") and trace["mode"] == "lines"
        ]
        assert [trace["y"] for trace in lines] == [[100], [50]]

    def test_the_reference_band_is_each_results_own_and_may_be_one_sided(self):
        rows = [
            result("ferritin", "2024-02-01", 900.0, ref_high=300.0),
            result("ferritin", "2024-03-01", 900.0, ref_low=20.0, ref_high=200.0),
        ]
        band = traces(figure(page(observation=rows)), "reference range")[0]
        assert max(y for y in band["y"][:5]) == 300 and band["y"][6] == 20 and max(band["y"][6:11]) == 200

    def test_a_coded_result_is_a_word(self):
        drawn = figure(page(observation=[result("anti_mda5", "2024-02-01", None, coded="positive")]))
        assert "positive" in texts(drawn)

    def test_the_hover_box_names_the_source_line(self):
        drawn = figure(page(observation=[result("ldh", "2024-02-01", 344.0, file="labs.csv", line=17)]))
        assert "line 17 of labs.csv" in hover(traces(drawn, "LDH", "markers")[0])

    def test_text_from_data_is_never_markup(self):
        row = result("ldh", "2024-02-01", 344.0, file="<a href='javascript:x'>y</a>", original_unit="<b>")
        drawn = figure(page(observation=[row], event=[event("decision", "hold", "2024-02-01", text="<i>no</i>")]))
        assert "<a" not in json.dumps(drawn) and "<i>" not in json.dumps(drawn)


class TestThresholds:
    @pytest.mark.parametrize("scale", ["linear", "log"], ids=["linear", "logarithmic"])
    def test_every_line_stands_at_the_headers_value_and_every_label_is_there(self, scale):
        drawn = figure(page(observation=[result("ferritin", "2024-02-01", 900.0)]), scales={"ferritin": scale})
        lines = {
            shape["name"]: shape
            for shape in drawn["layout"]["shapes"]
            if shape.get("name", "").startswith("threshold high_ferritin")
        }
        assert [(line["y0"], line["y1"]) for line in lines.values()] == [(500, 500), (1000, 1000), (1500, 1500)]
        labels = {
            note["name"]: note
            for note in drawn["layout"]["annotations"]
            if note["name"].startswith("threshold high_ferritin")
        }
        assert labels.keys() == lines.keys()
        assert "Ferritin is high: 1500" in [note["text"] for note in labels.values()]
        assert all(note["yref"] == "paper" and 0 <= note["y"] <= 1 for note in labels.values())

    def test_labels_keep_apart_and_in_the_order_of_their_values(self):
        drawn = figure(page(observation=[result("ferritin", "2024-02-01", 30_000.0)]))
        height = drawn["layout"]["height"]
        ys = [
            note["y"] * height
            for note in drawn["layout"]["annotations"]
            if note["name"].startswith("threshold high_ferritin")
        ]
        assert all(upper - lower >= 10 for upper, lower in itertools.pairwise(ys))

    def test_a_logarithmic_axis_is_one_only_where_asked(self):
        tables = page(observation=[result("ferritin", "2024-02-01", 900.0), result("ldh", "2024-02-01", 300.0)])
        kinds = {
            axis["type"]
            for name, axis in figure(tables)["layout"].items()
            if name.startswith("yaxis") and "type" in axis
        }
        assert kinds == {"linear"}
        logarithmic = [
            axis
            for name, axis in figure(tables, scales={"ferritin": "log"})["layout"].items()
            if axis and name.startswith("yaxis") and axis.get("type") == "log"
        ]
        assert len(logarithmic) == 1 and logarithmic[0]["range"][1] > math.log10(1500)


class TestOxygen:
    def test_the_lane_is_a_step_over_levels(self):
        drawn = figure(page(oxygen_support=[oxygen("2024-02-01", 1, 6.0), oxygen("2024-02-10", 4, 50.0, 0.8)]))
        line = traces(drawn, "Oxygen support", "lines")[0]
        assert line["y"] == [1, 4] and line["line"]["shape"] == "hv"
        assert {"6 L/min", "0.80/50 L"} <= set(texts(drawn))

    def test_no_label_stands_nearer_to_another_record_than_to_its_own(self):
        """The real case on 3 September 2021: the setting of the day would stand over the record of eleven days before."""
        rows = [oxygen("2024-02-20", 4, 35.0, 0.5), oxygen("2024-02-23", 1, 6.0), oxygen("2024-03-02", 4, 50.0, 0.8)]
        drawn = figure(page(oxygen_support=rows), as_of=date(2024, 3, 2))
        view = View(*WINDOW, date(2024, 3, 2))
        held = traces(drawn, "Oxygen support", "markers")[0]
        for label in traces(drawn, "labels"):
            for day, level, text, position in zip(
                label["x"], label["y"], label["text"], label["textposition"], strict=True
            ):
                x = view.pixel(day) + {"left": -1, "center": 0, "right": 1}[position.split()[1]] * len(text) * 2.9
                same_height = [view.pixel(at) for at, y in zip(held["x"], held["y"], strict=True) if y == level]
                assert min(same_height, key=lambda mark: abs(mark - x)) == view.pixel(day), (text, position)

    def test_the_level_of_a_rule_is_drawn_and_named(self):
        drawn = figure(page(oxygen_support=[oxygen("2024-02-01", 1, 6.0)]))
        assert any(
            shape.get("name") == "threshold urgent_transfer level" and shape["y0"] == 3.5
            for shape in drawn["layout"]["shapes"]
        )
        assert any("High-flow oxygen or more" in note["text"] for note in drawn["layout"]["annotations"])

    def test_a_record_without_a_level_is_not_drawn_as_one(self):
        drawn = figure(page(oxygen_support=[oxygen("2024-02-01", None), oxygen("2024-02-03", 2)]))
        assert traces(drawn, "Oxygen support", "markers")[0]["y"] == [2]


class TestTreatment:
    view = View(*WINDOW, AS_OF)

    @pytest.mark.parametrize(
        ("from_date", "to_date", "shown"),
        [
            (date(2024, 2, 1), date(2024, 3, 1), (date(2024, 2, 1), date(2024, 3, 1))),  # inside
            (date(2023, 12, 1), date(2024, 2, 1), (date(2024, 1, 1), date(2024, 2, 1))),  # begins before
            (date(2024, 6, 1), date(2024, 9, 1), (date(2024, 6, 1), date(2024, 7, 1))),  # ends after
            (date(2023, 1, 1), None, (date(2024, 1, 1), date(2024, 7, 1))),  # covers the window, no end
            (date(2023, 1, 1), date(2023, 5, 1), None),  # outside
        ],
    )
    def test_an_interval_is_clipped_by_overlap(self, from_date, to_date, shown):
        assert marks.overlapping(from_date, to_date, self.view) == shown

    def test_an_ongoing_drug_is_whole_to_its_last_confirmation_then_fades(self):
        pieces = marks.ongoing(date(2024, 1, 10), None, date(2024, 2, 10))
        assert pieces[0] == (date(2024, 1, 10), date(2024, 2, 11), 1.0)
        opacities = [opacity for _, _, opacity in pieces]
        assert opacities == sorted(opacities, reverse=True) and opacities[-1] < 0.2

    def test_a_drug_never_confirmed_fades_from_its_first_day(self):
        assert marks.ongoing(date(2024, 1, 10), None, None)[0] == (date(2024, 1, 10), date(2024, 1, 11), 1.0)

    def test_a_known_stop_does_not_fade(self):
        assert marks.ongoing(date(2024, 1, 10), date(2024, 2, 1), None) == [(date(2024, 1, 10), date(2024, 2, 1), 1.0)]

    def test_given_is_filled_and_ordered_is_outlined(self):
        rows = [
            course("tacrolimus", "cni", "2024-02-01", "2024-03-01", 3.0),
            course("tacrolimus", "cni", "2024-03-01", "2024-04-01", 3.0, action="ordered"),
        ]
        bars = traces(figure(page(treatment_course=rows)), "Tacrolimus")[0]
        assert bars["marker"]["color"][1] == "rgba(255,255,255,0)" and bars["marker"]["line"]["width"] == [0, 1.4]
        assert "ordered" not in bars["hovertext"][0] and "ordered, nothing recorded as given" in bars["hovertext"][1]

    def test_a_dose_of_which_a_part_cannot_be_read_is_at_least_the_rest(self):
        row = course("prednisolone", "glucocorticoid", "2024-02-01", "2024-04-01", 19.5, dose_unread=True)
        assert "19.5+?" in treatment.course_pieces(row, style.BLUE, View(*WINDOW, 1400))[0]["text"]
        assert "at least 19.5 mg/day, a further dose could not be read" in treatment.hover(row)

    def test_pulses_are_numbered_points_and_orders_have_no_number(self):
        rows = [pulse("cyclophosphamide", "cyclophosphamide", day, 750.0) for day in ("2024-02-01", "2024-03-01")]
        rows.append(pulse("cyclophosphamide", "cyclophosphamide", "2024-04-01", 750.0, action="ordered"))
        drawn = figure(page(treatment_course=rows))
        assert traces(drawn, "Cyclophosphamide", "markers")[0]["x"] == ["2024-04-01", "2024-02-01", "2024-03-01"]
        assert {"1", "2"} <= set(texts(drawn)) and "3" not in texts(drawn)

    def test_lanes_are_in_the_order_of_classes(self):
        rows = treatment.rows(
            page(
                treatment_course=[
                    course("azathioprine", "azathioprine", "2024-02-01"),
                    course("prednisolone", "glucocorticoid", "2024-02-01"),
                ]
            )
        )
        assert [row["drug"] for row in rows] == ["prednisolone", "azathioprine"]

    def test_prednisone_equivalent_is_a_stepped_area_with_gaps(self):
        rows = [
            equivalent("2024-02-01", "2024-02-10", 50.0),
            equivalent("2024-02-10", "2024-02-20", 25.0),
            equivalent("2024-04-01", None, 10.0),
        ]
        area = traces(figure(page(prednisone_equivalent=rows)), "Prednisone eq.", "lines")[0]
        assert area["fill"] == "tozeroy" and None in area["x"]
        assert [y for y in area["y"] if y] == [50, 50, 25, 25, 10, 10]


class TestAsOfAndEvidence:
    def test_what_came_later_is_under_a_veil(self):
        drawn = figure(page(observation=[result("ferritin", "2024-02-01", 900.0)]), as_of=date(2024, 3, 3))
        veil = drawn["layout"]["shapes"][0]
        assert veil["x0"] == "2024-03-04" and veil["layer"] == "above"
        assert "<b>as of 3 Mar 2024</b>" in [note["text"] for note in drawn["layout"]["annotations"]]

    def test_the_chosen_flags_evidence_is_ringed_and_nothing_else(self):
        rows = [result("ferritin", "2024-02-01", 900.0), result("ferritin", "2024-02-05", 1200.0)]
        drawn = figure(page(observation=rows), ringed=[rows[1]["record_id"]])
        assert [(ring["x"], ring["y"]) for ring in traces(drawn, "evidence")] == [(["2024-02-05"], [1200])]
        assert traces(figure(page(observation=rows)), "evidence") == []

    def test_only_criteria_that_were_ever_met_have_a_lane(self):
        rows = [
            judged("urgent_transfer", "transplant", "2024-02-01", "2024-02-05", "met"),
            judged("urgent_transfer", "transplant", "2024-02-05", None, "not_met"),
            judged("high_ferritin", "prognosis", "2024-02-01", None, "not_evaluable"),
        ]
        drawn = figure(page(judgement=rows))
        assert traces(drawn, "urgent transfer") and not traces(drawn, "high ferritin")
        assert len(traces(drawn, "urgent transfer")[0]["x"]) == 1


class TestFlags:
    @pytest.mark.parametrize(("items", "lanes"), [(["crp", "ldh"], ["overdue tests: CRP", "overdue tests: LDH"]),
                                                  (["crp", "ldh", "kl6"], ["overdue tests: any of 3"])])  # fmt: skip
    def test_three_items_of_a_criterion_share_a_lane(self, items, lanes):
        rows = [judged("overdue_tests", "monitoring", "2024-02-01", None, "met", item) for item in items]
        rows += [judged("overdue_tests", "monitoring", "2024-01-01", "2024-02-01", "not_met", item) for item in items]
        drawn = figure(page(judgement=rows), shown=["flags"])
        assert drawn["layout"]["yaxis"]["ticktext"] == lanes
        assert [len(traces(drawn, lane)[0]["x"]) for lane in lanes] == [len(items) // len(lanes)] * len(lanes)

    def test_its_table_says_no_end_that_was_not_known_on_the_day(self):
        rows = [judged("urgent_transfer", "transplant", "2024-02-01", "2024-02-20", "met")]

        def remark(as_of: date) -> str:
            return flags.panel(flags.rows(page(judgement=rows)), view_of(page(), as_of, window=WINDOW)).table[0][
                "remark"
            ]

        assert remark(date(2024, 2, 20)) == "urgent transfer, until 20 Feb 2024"
        assert remark(date(2024, 2, 19)) == "urgent transfer, still so on 19 Feb 2024"

    def test_a_name_longer_than_the_margin_is_cut(self):
        item = "connective_tissue_disease"
        drawn = figure(
            page(judgement=[judged("transplant_barriers", "transplant", "2024-02-01", None, "met", item)]),
            shown=["flags"],
        )
        assert drawn["layout"]["yaxis"]["ticktext"] == ["transplant barriers: connective tissu…"]


def test_two_meanings_never_share_colour_and_mark():
    assert len(set(style.GROUP_COLOURS.values())) == len(style.GROUP_COLOURS)
    assert len(set(style.STATUS_MARKS.values())) == 3
