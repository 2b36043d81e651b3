"""The panels of the view "flare or infection", as data from rows made by hand."""

import json
from datetime import date

import pytest

from dashboard import style
from dashboard.charts import immunosuppression, infection, panels, prophylaxis
from dashboard.charts.page import page_figure
from dashboard.charts.panel import View
from dashboard.presets import PRESETS
from tests.dashboard.hand_made import above, event, judged, page, result, threshold

AS_OF = date(2024, 6, 30)
WINDOW = (date(2024, 1, 1), date(2024, 6, 30))
GAP = "pjp_prophylaxis_gap"
THRESHOLDS = (
    threshold("beta_d_glucan_positive", "fungitell_from", 80, "pg/mL"),
    threshold("beta_d_glucan_positive", "fungitell_indeterminate_from", 60, "pg/mL"),
    threshold("beta_d_glucan_positive", "wako_from", 11, "pg/mL"),
    threshold("cmv_reactivation", "pcr", 0, "IU/mL"),
    threshold("cmv_reactivation", "pcr_copies", 0, "copies/mL"),
    threshold("cmv_reactivation", "pp65_cells", 1, "cells"),
    threshold("hypogammaglobulinaemia", "grade_1_below", 7, "g/L"),
    threshold("hypogammaglobulinaemia", "grade_2_below", 4, "g/L"),
    threshold("hypogammaglobulinaemia", "exchange_days", 7, "days after plasma exchange"),
    threshold("neutropenia", "grade_1_below", 1.8, "10*9/L"),
    threshold("neutropenia", "grade_2_below", 1.5, "10*9/L"),
    threshold("intense_immunosuppression", "agents", 3, "agents"),
    threshold("intense_immunosuppression", "dose", 20, "mg/day prednisone equivalent"),
)
# Panels the views name that are made elsewhere; a view passes over what is not there.
MADE_ELSEWHERE = {"lymphocytes", "spo2", "fvc_litres", "lung_function_litres", "dlco_units", "trough"}


def drawn(name: str, tables: dict, **more):
    module = panels()[name]
    view = View(*more.pop("window", WINDOW), AS_OF, thresholds=more.pop("thresholds", THRESHOLDS), **more)
    return module.panel(module.rows(tables), view)


def limits(panel) -> list[float]:
    return [line["value"] for line in panel.lines]


def traces(panel, name: str, kind: str = "markers") -> list[dict]:
    return [trace for trace in panel.traces if trace["name"] == name and trace.get("mode", trace["type"]) == kind]


def words(panel) -> list[str]:
    return [text for trace in panel.traces if trace["name"] == "labels" for text in trace["text"]]


def acting(from_date: str, to_date: str | None, agents: list[str], mg: float = 0.0, **more) -> dict:
    return {
        "from_date": date.fromisoformat(from_date),
        "to_date": date.fromisoformat(to_date) if to_date else None,
        "agents": agents,
        "drugs": more.pop("drugs", agents),
        "agent_count": len(set(agents)),
        "mg_per_day": mg,
        "dose_unknown": False,
        "confirmed_on": None,
        "evidence": ["1"],
    } | more


def covered(kind: str, drug: str, from_date: str, to_date: str | None, certain: bool = True, **more) -> dict:
    return {
        "kind": kind,
        "drug": drug,
        "from_date": date.fromisoformat(from_date),
        "to_date": date.fromisoformat(to_date) if to_date else None,
        "certain": certain,
        "treatment": False,
        "last_confirmed": None,
        "evidence": ["7"],
    } | more


def with_concepts(**tables) -> dict:
    concepts = {name: tables.pop(name, []) for name in ("immunosuppression", "prophylaxis")}
    return page(**tables) | concepts


class TestPresets:
    def test_each_names_panels_that_are_there_or_known_to_be_made_elsewhere(self):
        named = {name for preset in PRESETS.values() for name in preset.panels or ()}
        assert named - set(panels()) <= MADE_ELSEWHERE

    def test_the_infection_view_compares_from_oxygen_down_to_defence(self):
        order = PRESETS["infection"].panels
        kept = [
            order.index(name)
            for name in ("oxygen_support", "crp", "infection", "ferritin", "immunosuppression", "prophylaxis")
        ]
        assert kept == sorted(kept)

    def test_every_view_says_that_it_gives_no_verdict(self):
        assert all("no verdict" in preset.said for preset in PRESETS.values())

    def test_the_overview_is_what_is_drawn_by_default(self):
        assert next(iter(PRESETS)) == "overview" and PRESETS["overview"].panels is None

    def test_no_panel_of_the_view_comes_into_the_overview(self):
        names = page_figure(with_concepts(), AS_OF, window=WINDOW)["layout"]["meta"]["panels"]
        new = {"fever", "procalcitonin", "beta_d_glucan", "cmv", "cmv_copies", "cmv_pp65", "igg", "neutrophils",
               "immunosuppression", "prophylaxis", "imaging", "infection_flags"}  # fmt: skip
        assert not new & set(names)

    def test_a_test_for_cmv_nobody_uses_is_left_out_of_the_view(self):
        shown = PRESETS["infection"].panels

        def names(tables):
            return page_figure(tables, AS_OF, window=WINDOW, shown=shown)["layout"]["meta"]["panels"]

        assert "cmv" in names(with_concepts()) and "cmv_pp65" not in names(with_concepts())
        assert "cmv_pp65" in names(with_concepts(observation=[result("cmv_pp65", "2024-02-01", 3.0)]))

    def test_the_view_of_an_empty_patient_says_of_every_panel_that_it_is_empty(self):
        figure = page_figure(with_concepts(), AS_OF, window=WINDOW, shown=PRESETS["infection"].panels)
        said = [note["text"] for note in figure["layout"]["annotations"] if note["name"] == "empty"]
        assert len(said) == len(figure["layout"]["meta"]["panels"])
        assert "never measured" in said and "no immunosuppressant recorded" in said

    def test_the_view_is_plain_json(self):
        tables = with_concepts(
            observation=[
                result("cmv_dna", "2024-02-01", 900.0),
                above("beta_d_glucan", "2024-02-01", 500, assay="fungitell"),
            ],
            immunosuppression=[acting("2024-01-10", None, ["cni"])],
            prophylaxis=[covered("pjp", "atovaquone", "2024-01-10", None)],
            event=[
                event("imaging", "chest_ct", "2024-02-01", "worse"),
                event("symptom", "fever", "2024-02-01", "38.7", number=38.7),
            ],
        )
        assert json.loads(json.dumps(page_figure(tables, AS_OF, window=WINDOW, shown=PRESETS["infection"].panels)))


class TestMarkers:
    def test_procalcitonin_has_no_line_for_no_rule_reads_it(self):
        panel = drawn("procalcitonin", page(observation=[result("procalcitonin", "2024-02-01", 0.6)]))
        assert panel.lines == [] and traces(panel, "Procalcitonin")[0]["y"] == [0.6]

    def test_igg_and_neutrophils_have_the_grades_of_their_rules_and_nothing_else(self):
        assert limits(drawn("igg", page(observation=[result("igg", "2024-02-01", 7.0)]))) == [4, 7]
        assert limits(drawn("neutrophils", page(observation=[result("neutrophils", "2024-02-01", 1.8)]))) == [1.5, 1.8]

    def test_held_results_are_not_lost(self):
        waits = {
            "reason": "unit_missing",
            "found": "",
            "row as received": "p1,a result,5,,some day",
            "source": "labs.csv line 2",
        }
        assert "1 held" in drawn("procalcitonin", page(), held={"procalcitonin": [waits]}).empty
        assert "2 held" in drawn("cmv", page(), held={"cmv_dna": [waits], "cmv_dna_qualitative": [waits]}).empty
        assert "1 held" in drawn("fever", page(), held={"temperature": [waits]}).empty


class TestBetaDGlucan:
    ROWS = (
        result("beta_d_glucan", "2024-02-01", 85.0, assay="fungitell"),
        result("beta_d_glucan", "2024-02-08", 12.0, assay="wako"),
        result("beta_d_glucan", "2024-02-15", 60.0, assay="fungitell"),
    )

    def test_assays_are_series_of_their_own_and_never_joined(self):
        panel = drawn("beta_d_glucan", page(observation=list(self.ROWS)))
        joined = [
            trace for trace in panel.traces if trace.get("mode") == "lines" and trace["name"].startswith("β-D-glucan")
        ]
        assert sorted(trace["y"] for trace in joined) == [[12], [85, 60]]
        assert panel.unit.split() == ["pg/mL", "●", "Fungitell", "■", "Wako"]

    def test_only_the_limits_of_the_assays_there_are_drawn_and_named(self):
        panel = drawn("beta_d_glucan", page(observation=list(self.ROWS[1:2])))
        assert [(line["value"], line["of"]) for line in panel.lines] == [(11, "Wako")]
        assert sorted(limits(drawn("beta_d_glucan", page(observation=list(self.ROWS))))) == [11, 60, 80]

    def test_the_label_of_a_limit_names_its_assay(self):
        figure = page_figure(
            page(observation=list(self.ROWS)), AS_OF, window=WINDOW, thresholds=THRESHOLDS, shown=["beta_d_glucan"]
        )
        told = [note["text"] for note in figure["layout"]["annotations"] if note["name"].startswith("threshold")]
        assert any("11 Wako" in text for text in told) and any("60 Fungitell" in text for text in told)

    def test_of_an_assay_without_limits_none_is_drawn(self):
        for assay in ("goldstream", None):
            assert (
                drawn(
                    "beta_d_glucan", page(observation=[result("beta_d_glucan", "2024-02-01", 90.0, assay=assay)])
                ).lines
                == []
            )

    def test_with_no_assay_named_laboratories_are_not_joined(self):
        rows = [result("beta_d_glucan", f"2024-02-0{day}", 20.0, laboratory=name) for day, name in ((1, "A"), (2, "B"))]
        panel = drawn("beta_d_glucan", page(observation=rows))
        assert all(
            len(trace["y"]) == 1 for trace in panel.traces if trace.get("mode") == "lines" and trace["name"] != "labels"
        )

    def test_a_result_in_words_has_no_line_to_be_compared_with(self):
        row = result(
            "beta_d_glucan", "2024-02-01", None, coded="positive", assay="fungitell", original_value="positive"
        )
        panel = drawn("beta_d_glucan", page(observation=[row]))
        assert panel.lines == [] and words(panel) == ["positive"]


class TestCmv:
    def test_units_are_panels_of_their_own(self):
        tables = page(
            observation=[
                result("cmv_dna", "2024-02-01", 1200.0),
                result("cmv_dna_copies", "2024-02-02", 50000.0),
                result("cmv_pp65", "2024-02-03", 4.0),
            ]
        )
        values = {
            name: [y for trace in drawn(name, tables).traces if trace.get("mode") == "markers" for y in trace["y"]]
            for name in ("cmv", "cmv_copies", "cmv_pp65")
        }
        assert values == {"cmv": [1200], "cmv_copies": [50000], "cmv_pp65": [4]}

    def test_laboratories_are_not_joined(self):
        rows = [
            result("cmv_dna", f"2024-02-0{day}", 100.0 * day, laboratory=name)
            for day, name in ((1, "A"), (2, "B"), (3, "A"))
        ]
        panel = drawn("cmv", page(observation=rows))
        joined = [trace["y"] for trace in panel.traces if trace.get("mode") == "lines"]
        assert sorted(joined) == [[100, 300], [200]]

    def test_words_stay_words_and_a_qualitative_test_is_a_series_of_its_own(self):
        rows = [
            result("cmv_dna", "2024-02-01", None, coded="negative", original_value="not detected"),
            result("cmv_dna_qualitative", "2024-04-01", None, coded="positive", original_value="detected"),
        ]
        panel = drawn("cmv", page(observation=rows))
        assert set(words(panel)) == {"negative", "positive"}
        assert {trace["name"] for trace in panel.traces if trace.get("mode") == "markers"} == {
            "CMV PCR",
            "CMV PCR, qualitative",
        }

    def test_a_threshold_of_0_is_said_and_one_of_the_site_is_drawn(self):
        tables = page(observation=[result("cmv_dna", "2024-02-01", 900.0)])
        assert drawn("cmv", tables).lines == [] and "any quantified value" in drawn("cmv", tables).note
        site = threshold("cmv_reactivation", "pcr", 500, "IU/mL")
        panel = drawn("cmv", tables, thresholds=(site,))
        assert limits(panel) == [500] and panel.note == ""

    def test_one_cell_is_the_line_of_pp65(self):
        assert limits(drawn("cmv_pp65", page(observation=[result("cmv_pp65", "2024-02-01", 1.0)]))) == [1]


class TestFever:
    TABLES = page(
        observation=[result("temperature", f"2024-02-{day:02d}", 37.0, unit="Cel") for day in (1, 3, 6)],
        event=[event("symptom", "fever", f"2024-02-0{day}", "38.7", number=38.7) for day in (4, 5)],
    )

    def test_no_limit_of_fever_is_invented(self):
        assert drawn("fever", self.TABLES).lines == []

    def test_fever_events_are_marks_which_nothing_joins(self):
        panel = drawn("fever", self.TABLES)
        assert traces(panel, "Fever recorded")[0]["y"] == [38.7, 38.7]
        assert set(traces(panel, "Fever recorded")[0]["marker"]["symbol"]) == {"triangle-up"}
        assert traces(panel, "Fever recorded", "lines") == []

    def test_temperatures_are_joined_over_2_days_and_not_over_3(self):
        assert traces(drawn("fever", self.TABLES), "Temperature", "lines")[0]["y"] == [37, 37, None, 37]

    def test_a_fever_can_be_ringed_and_has_its_source(self):
        panel = drawn("fever", self.TABLES)
        ids = {one for found, _, _ in panel.points for one in found}
        assert {row["record_id"] for row in self.TABLES["event"]} <= ids
        trace = traces(panel, "Fever recorded")[0]
        assert "of events.csv" in trace["hovertemplate"] and "line 2" in trace["hovertext"][0]

    def test_other_symptoms_are_not_fever(self):
        assert drawn("fever", page(event=[event("symptom", "dyspnoea", "2024-02-01", "worse")])).empty


class TestMicrobiology:
    def marks(self, *events) -> tuple[list[str], list[str]]:
        panel = drawn("infection", page(event=list(events)))
        trace = traces(panel, "microbiology")[0]
        return words(panel), trace["marker"]["color"]

    def test_an_organism_that_grew_is_filled_and_named(self):
        named, colours = self.marks(
            event("microbiology", "organism", "2024-02-01", "klebsiella pneumoniae"),
            event("microbiology", "result", "2024-02-01", "positive"),
            event("microbiology", "specimen", "2024-02-01", "sputum"),
        )
        assert named == ["klebsiella pneumoniae"] and colours == [style.BLUE]

    def test_a_negative_culture_is_hollow_and_says_of_what(self):
        named, colours = self.marks(
            event("microbiology", "specimen", "2024-02-01", "blood"),
            event("microbiology", "result", "2024-02-01", "negative"),
        )
        assert named == ["blood negative"] and colours == ["#FFFFFF"]

    def test_an_organism_looked_for_and_not_found_is_not_named_as_found(self):
        named, colours = self.marks(
            event("microbiology", "organism", "2024-02-01", "aspergillus"),
            event("microbiology", "result", "2024-02-01", "negative"),
        )
        assert named == ["aspergillus negative"] and colours == ["#FFFFFF"]

    def test_a_specimen_without_result_says_so(self):
        assert self.marks(event("microbiology", "specimen", "2024-02-01", "sputum")) == (
            ["sputum, no result"],
            ["#FFFFFF"],
        )

    def test_a_pneumocystis_pcr_stands_among_them(self):
        rows = [
            result("pneumocystis_pcr", day, None, coded=said, original_value=said)
            for day, said in (("2024-01-05", "positive"), ("2024-05-05", "negative"))
        ]
        panel = drawn("infection", page(observation=rows))
        assert set(words(panel)) == {"Pneumocystis PCR positive", "Pneumocystis PCR negative"}
        assert traces(panel, "microbiology")[0]["marker"]["color"] == [style.BLUE, "#FFFFFF"]


class TestImmunosuppression:
    def test_a_step_of_agents_with_the_line_of_the_rule(self):
        rows = [
            acting("2024-02-01", "2024-02-10", ["glucocorticoid"], 50.0),
            acting("2024-02-10", "2024-03-01", ["glucocorticoid", "cni", "cni"], 20.0),
        ]
        panel = drawn("immunosuppression", with_concepts(immunosuppression=rows))
        step = traces(panel, "Immunosuppression", "lines")[0]
        assert list(zip(step["x"], step["y"], strict=True)) == [
            ("2024-02-01", 0), ("2024-02-01", 0), ("2024-02-01", 1), ("2024-02-10", 1), ("2024-02-10", 2), ("2024-03-01", 2),
            ("2024-03-01", 0),
        ]  # fmt: skip
        assert limits(panel) == [3] and set(words(panel)) == {"GC", "GC + CNI"}
        assert "prednisone eq. 20 mg/day" in traces(panel, "Immunosuppression", "bar")[0]["hovertext"][1]

    def test_between_two_stretches_nothing_acts(self):
        rows = [acting("2024-02-01", "2024-02-02", ["cni"]), acting("2024-02-05", "2024-02-06", ["cni"])]
        step = traces(drawn("immunosuppression", with_concepts(immunosuppression=rows)), "Immunosuppression", "lines")[
            0
        ]
        assert ("2024-02-02", 0) in zip(step["x"], step["y"], strict=True)
        assert ("2024-02-05", 0) in zip(step["x"], step["y"], strict=True)

    def test_hatched_from_the_day_after_the_last_confirmation(self):
        row = acting("2024-02-01", "2024-03-01", ["cni"], confirmed_on=date(2024, 2, 10))
        bars = traces(drawn("immunosuppression", with_concepts(immunosuppression=[row])), "Immunosuppression", "bar")[0]
        assert list(zip(bars["x"], bars["marker"]["pattern"]["shape"], strict=True)) == [
            ("2024-02-01", ""),
            ("2024-02-11", "/"),
        ]
        sure = row | {"confirmed_on": None}
        bars = traces(drawn("immunosuppression", with_concepts(immunosuppression=[sure])), "Immunosuppression", "bar")[
            0
        ]
        assert bars["marker"]["pattern"]["shape"] == [""]

    def test_a_confirmation_on_the_last_day_leaves_nothing_in_doubt(self):
        row = acting("2024-02-01", "2024-02-11", ["cni"], confirmed_on=date(2024, 2, 10))
        assert immunosuppression.in_doubt_from(row) is None
        assert immunosuppression.in_doubt_from(row | {"to_date": date(2024, 2, 12)}) == date(2024, 2, 11)

    def test_stretches_that_differ_in_nothing_are_one(self):
        rows = [
            acting("2024-02-01", "2024-02-10", ["cni"], evidence=["1"]),
            acting("2024-02-10", None, ["cni"], evidence=["2"]),
        ]
        merged = immunosuppression.rows({"immunosuppression": rows[::-1]})
        assert [(row["from_date"], row["to_date"], row["evidence"]) for row in merged] == [
            (date(2024, 2, 1), None, ["1", "2"])
        ]

    def test_a_dose_that_could_not_be_read_is_a_least_dose(self):
        row = acting("2024-02-01", None, ["glucocorticoid"], 20.0, dose_unknown=True)
        assert "at least 20 mg/day" in immunosuppression.hover(row)

    def test_a_stretch_that_covers_the_window_is_drawn(self):
        row = acting("2023-01-01", None, ["cni"])
        bars = traces(drawn("immunosuppression", with_concepts(immunosuppression=[row])), "Immunosuppression", "bar")[0]
        assert bars["x"] == ["2024-01-01"]

    def test_the_table_has_a_row_per_stretch(self):
        table = drawn("immunosuppression", with_concepts(immunosuppression=[acting("2024-02-01", None, ["cni"])])).table
        assert [(row["date"], row["value"], row["unit"]) for row in table] == [("2024-02-01", "1", "agents")]


class TestProphylaxis:
    def test_solid_where_certain_hatched_where_in_doubt(self):
        rows = [
            covered("pjp", "tmp_smx", "2024-02-01", "2024-03-04"),
            covered("pjp", "tmp_smx", "2024-03-04", None, certain=False, last_confirmed=date(2024, 2, 2)),
        ]
        panel = drawn("prophylaxis", with_concepts(prophylaxis=rows))
        bars = traces(panel, "PJP prophylaxis", "bar")[0]
        assert bars["base"] == ["2024-02-01", "2024-03-04"] and bars["marker"]["pattern"]["shape"] == ["", "/"]
        assert "last confirmed 2 Feb 2024" in bars["hovertext"][1]

    def test_a_certain_drug_ends_the_doubt_about_another(self):
        found = prophylaxis.cover(
            [
                covered("pjp", "tmp_smx", "2024-02-01", "2024-04-01", certain=False),
                covered("pjp", "atovaquone", "2024-02-10", "2024-02-20"),
            ]
        )
        assert [(row["from_date"].day, row["certain"], row["drugs"]) for row in found] == [
            (1, False, ["tmp_smx"]), (10, True, ["atovaquone"]), (20, False, ["tmp_smx"]),
        ]  # fmt: skip

    def test_a_gap_is_drawn_on_exactly_the_days_judged_met(self):
        judgement = [
            judged(GAP, "infection", "2024-02-01", "2024-02-15", "not_met"),
            judged(GAP, "infection", "2024-02-15", "2024-02-20", "met"),
            judged(GAP, "infection", "2024-02-20", "2024-03-01", "met"),
            judged(GAP, "infection", "2024-03-01", "2024-04-01", "not_evaluable"),
            judged(GAP, "infection", "2024-04-01", "2024-04-05", "met"),
            judged("cmv_rising", "infection", "2024-05-01", None, "met"),
        ]
        panel = drawn("prophylaxis", with_concepts(judgement=judgement))
        bars = traces(panel, "gap in PJP prophylaxis", "bar")[0]
        days = [width // 86_400_000 for width in bars["x"]]
        assert list(zip(bars["base"], days, strict=True)) == [("2024-02-15", 15), ("2024-04-01", 4)]
        assert set(bars["marker"]["pattern"]["shape"]) == {"x"} and bars["marker"]["line"]["width"] == [1.4, 1.4]
        assert {"gap since 15 Feb 2024", "gap since 1 Apr 2024"} == set(words(panel)) - {"none recorded"}

    def test_a_gap_that_stands_has_no_end(self):
        judgement = [judged(GAP, "infection", "2024-02-15", None, "met", evidence=["9"])]
        assert prophylaxis.gaps(page(judgement=judgement))[0]["to_date"] is None
        intervals = drawn("prophylaxis", with_concepts(judgement=judgement)).intervals
        assert (frozenset(["9"]), 0, date(2024, 2, 15), date(2024, 7, 1)) in intervals

    def test_a_lane_without_anything_says_so(self):
        panel = drawn("prophylaxis", with_concepts(prophylaxis=[covered("pjp", "atovaquone", "2024-02-01", None)]))
        assert words(panel) == ["none recorded", "none recorded"]
        assert panel.axis["ticktext"] == ["PJP", "antiviral", "antifungal"]

    def test_the_table_says_covered_in_doubt_and_gap(self):
        tables = with_concepts(
            prophylaxis=[
                covered("pjp", "atovaquone", "2024-04-01", None, certain=False),
                covered("antiviral", "x", "2024-01-05", None),
            ],
            judgement=[judged(GAP, "infection", "2024-02-15", "2024-04-01", "met")],
        )
        assert [row["value"] for row in drawn("prophylaxis", tables).table] == ["covered", "gap", "in doubt"]


class TestImaging:
    def test_a_reading_has_its_mark_and_an_image_nobody_read_is_hollow(self):
        events = [
            event("imaging", "chest_ct", "2024-01-10", "worse"),
            event("imaging", "chest_ct", "2024-04-10", "blank"),
            event("imaging", "ggo_fields", "2024-01-10", "4", number=4.0),
        ]
        panel = drawn("imaging", page(event=events))
        trace = traces(panel, "Imaging")[0]
        assert trace["marker"]["symbol"] == ["triangle-up", "circle"]
        assert trace["marker"]["color"] == [style.VERMILION, "#FFFFFF"]
        assert set(words(panel)) == {"worse, ground glass in 4 of 6 fields", "not read"}
        assert [row["value"] for row in panel.table] == ["worse", "not read"]
        assert panel.axis["ticktext"] == ["chest CT"]


class TestInfectionFlags:
    def test_only_flags_of_infection(self):
        judgement = [
            judged(GAP, "infection", "2024-02-15", None, "met"),
            judged("high_ferritin", "prognosis", "2024-02-15", None, "met"),
        ]
        panel = drawn("infection_flags", page(judgement=judgement))
        assert panel.axis["ticktext"] == ["PJP prophylaxis gap"] and panel.name == "infection_flags"


@pytest.mark.parametrize(
    ("as_of", "said"), [("2024-02-20", "until 19 Feb 2024"), ("2024-02-19", "still so on 19 Feb 2024")]
)
def test_an_end_that_was_not_known_on_the_day_is_not_in_the_table(as_of, said):
    tables = with_concepts(immunosuppression=[acting("2024-02-01", "2024-02-20", ["cni", "glucocorticoid"])])
    module = panels()["immunosuppression"]
    view = View(date(2024, 1, 1), date(2024, 6, 30), date.fromisoformat(as_of))
    (row,) = module.panel(module.rows(tables), view).table
    assert said in row["remark"]


@pytest.mark.parametrize(
    ("as_of", "said"), [("2024-02-20", "until 19 Feb 2024"), ("2024-02-19", "no end recorded up to 19 Feb 2024")]
)
def test_nor_is_a_later_end_of_an_infection(as_of, said):
    row = {"drug_class": "episode", "from_date": date(2024, 2, 1), "to_date": date(2024, 2, 20), "open_until": None,
           "organism": "cmv", "site": "lung", "end_organ": None}  # fmt: skip
    assert infection._told(row, date.fromisoformat(as_of))["remark"] == said
