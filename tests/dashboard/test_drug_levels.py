"""Levels of tacrolimus and ciclosporin below the doses: the band of each phase and timing, and what was given and never measured."""

from datetime import date

from dashboard.charts import ciclosporin_c2, ciclosporin_level, infection, treatment, trough
from dashboard.charts.page import page_figure
from dashboard.charts.panel import View
from dashboard.presets import PRESETS
from tests.dashboard.hand_made import course, held, page, result, threshold

AS_OF = date(2024, 6, 30)
WINDOW = (date(2024, 1, 1), date(2024, 6, 30))
CNI = "cni_level_out_of_range"
LIMITS = (
    threshold(CNI, "tacrolimus_first_low", 10, "ng/mL"),
    threshold(CNI, "tacrolimus_first_high", 15, "ng/mL"),
    threshold(CNI, "tacrolimus_later_low", 5, "ng/mL"),
    threshold(CNI, "tacrolimus_later_high", 10, "ng/mL"),
    threshold(CNI, "first_days", 90, "days from the start"),
    threshold(CNI, "c2_low", 800, "ng/mL"),
    threshold(CNI, "c2_high", 1200, "ng/mL"),
    threshold(CNI, "c0_low", 100, "ng/mL"),
    threshold(CNI, "c0_high", 150, "ng/mL"),
)


class TestLevels:
    VIEW = View(*WINDOW, AS_OF, thresholds=LIMITS)
    START = course("tacrolimus", "cni", "2024-01-10", None, 3.0)

    def drawn(self, module, *courses, **levels):
        observations = [
            result(f"{drug}_level", at, value, unit="ng/mL", sample_timing=timing)
            for drug, found in levels.items()
            for at, value, timing in found
        ]
        return module.panel(module.rows(page(observation=observations, treatment_course=list(courses))), self.VIEW)

    def bands(self, panel) -> list[tuple]:
        found = [trace for trace in panel.traces if trace["name"] == "target band"]
        xs, ys = (found[0]["x"], found[0]["y"]) if found else ([], [])
        return [(xs[n], xs[n + 2], ys[n], ys[n + 1]) for n in range(0, len(xs), 6)]

    def test_the_band_is_that_of_the_phase(self):
        panel = self.drawn(trough, self.START, tacrolimus=[("2024-02-01", 12.0, "trough"), ("2024-05-01", 8.0, "C0")])
        assert self.bands(panel) == [("2024-01-10", "2024-04-09", 10, 15), ("2024-04-09", "2024-07-01", 5, 10)]
        assert panel.axis["range"][1] > 15 and "10 to 15 for 90 days, then 5 to 10" in panel.note

    def test_a_gap_filled_by_the_concept_is_no_start(self):
        rows = [course("tacrolimus", "cni", "2024-01-10", "2024-02-10", 3.0),
                course("tacrolimus", "cni", "2024-02-10", "2024-02-12", 3.0, gap=True),
                course("tacrolimus", "cni", "2024-02-12", "2024-03-01", 3.0),
                course("tacrolimus", "cni", "2024-04-01", None, 3.0)]  # fmt: skip
        assert trough.stretches(rows, "tacrolimus", None) == [
            (date(2024, 1, 10), date(2024, 4, 1)),
            (date(2024, 4, 1), None),
        ]

    def test_an_order_is_no_start(self):
        ordered = course("tacrolimus", "cni", "2024-01-10", None, 3.0, action="ordered")
        assert trough.stretches([ordered], "tacrolimus", None) == []

    def test_without_a_start_there_is_no_band_and_that_is_said(self):
        panel = self.drawn(trough, tacrolimus=[("2024-02-01", 12.0, "trough")])
        assert self.bands(panel) == [] and panel.note == "start of tacrolimus not recorded: no target band"

    def test_a_level_before_the_first_start_is_said_to_have_none(self):
        panel = self.drawn(
            trough, self.START, tacrolimus=[("2024-01-02", 12.0, "trough"), ("2024-02-01", 12.0, "trough")]
        )
        assert "none before 10 Jan 2024: start not recorded" in panel.note and self.bands(panel)[0][0] == "2024-01-10"

    def test_c2_and_untimed_levels_stand_on_a_scale_of_their_own(self):
        """One level of 1000 would leave the band of troughs a few pixels high."""
        levels = [("2024-02-01", 120.0, "C0"), ("2024-02-01", 950.0, "C2"), ("2024-03-01", 130.0, None)]
        troughs, others = (self.drawn(module, ciclosporin=levels) for module in (ciclosporin_level, ciclosporin_c2))
        low, high = troughs.axis["range"]
        assert (150 - 100) / (high - low) > 0.2 and troughs.title == "Ciclosporin trough"
        assert self.bands(troughs) == [("2024-02-01", "2024-02-02", 100, 150)] and "trough 100 to 150" in troughs.note
        assert self.bands(others) == [("2024-02-01", "2024-02-02", 800, 1200)] and "C2 800 to 1200" in others.note
        symbols = {
            trace["name"]: str(trace["marker"]["symbol"])
            for panel in (troughs, others)
            for trace in panel.traces
            if trace["name"].startswith("Ciclosporin") and trace["mode"] == "markers"
        }
        assert len(symbols) == len(set(symbols.values())) == 3
        assert "not recorded, not judged" in others.note

    def test_a_level_without_a_sampling_time_is_in_no_band(self):
        panel = self.drawn(ciclosporin_c2, ciclosporin=[("2024-02-01", 950.0, None)])
        assert self.bands(panel) == [] and panel.title == "Ciclosporin level" and "band" not in panel.note

    def test_c2_alone_is_in_no_band_of_troughs(self):
        only = {"observation": [result("ciclosporin_level", "2024-02-01", 950.0, sample_timing="C2")]}
        assert ciclosporin_level.rows(page(**only)) == []
        assert self.bands(self.drawn(trough, self.START, tacrolimus=[("2024-02-01", 30.0, "C2")])) == []

    def test_the_band_follows_the_scale(self):
        observed = [
            result("tacrolimus_level", "2024-01-12", 10.0, unit="ng/mL", sample_timing="C0"),
            result("tacrolimus_level", "2024-03-01", 5.0, unit="ng/mL", sample_timing="C0"),
        ]
        view = View(*WINDOW, AS_OF, thresholds=LIMITS, scales={"trough": "peak"})
        panel = trough.panel(trough.rows(page(observation=observed, treatment_course=[self.START])), view)
        assert self.bands(panel)[0][2:] == (100, 150) and panel.axis["range"][1] > 150

    def test_levels_have_a_table_and_stand_below_the_doses(self):
        panel = self.drawn(trough, self.START, tacrolimus=[("2024-02-01", 12.0, None)])
        assert "judged as a trough" in panel.table[0]["remark"] and panel.table[0]["source"] == "labs.csv line 2"
        assert treatment.PLACE < trough.PLACE < ciclosporin_level.PLACE < ciclosporin_c2.PLACE < infection.PLACE

    def test_a_site_range_is_said_to_be_the_sites(self):
        limits = tuple(line | {"instead_of": 10} if line["name"] == "tacrolimus_first_low" else line for line in LIMITS)
        observed = [result("tacrolimus_level", "2024-02-01", 12.0, sample_timing="C0")]
        panel = trough.panel(
            trough.rows(page(observation=observed, treatment_course=[self.START])),
            View(*WINDOW, AS_OF, thresholds=limits),
        )
        assert "10 to 15 (this site)" in panel.note


class TestNeverMeasured:
    CICLOSPORIN = course("ciclosporin", "cni", "2024-01-05", "2024-06-01", 200.0)
    TACROLIMUS = course("tacrolimus", "cni", "2024-01-05", "2024-06-01", 3.0)

    def shown(self, *courses: dict, **more) -> dict[str, str]:
        """Of the view of treatment, the panels of levels and what each says in place of a chart."""
        panels = more.pop("panels", PRESETS["treatment"].panels)
        tables = page(treatment_course=list(courses), **more.pop("tables", {}))
        layout = page_figure(tables, AS_OF, window=WINDOW, shown=panels, **more)["layout"]
        empty = [note["text"] for note in layout["annotations"] if note.get("name") == "empty"]
        levels = [
            name for name in layout["meta"]["panels"] if name in ("trough", "ciclosporin_level", "ciclosporin_c2")
        ]
        return {name: next((text for text in empty if "given from" in text), "") for name in levels}

    def test_a_drug_given_and_never_measured_is_said_to_be(self):
        told = "never measured, given from 5 Jan 2024"
        assert self.shown(self.TACROLIMUS) == {"trough": told}
        assert self.shown(self.CICLOSPORIN) == {"ciclosporin_level": told}
        assert self.shown(self.CICLOSPORIN, panels=None) == {"ciclosporin_level": told}

    def test_what_is_given_after_the_as_of_day_is_not_told_before_it(self):
        for module, row in ((trough, self.TACROLIMUS), (ciclosporin_level, self.CICLOSPORIN)):
            panel = module.panel(module.rows(page(treatment_course=[row])), View(*WINDOW, date(2024, 1, 4)))
            assert panel.empty == f"no {row['drug']} given yet" and panel.title.endswith("level")

    def test_of_a_drug_not_given_nothing_is_said(self):
        assert self.shown() == {}
        assert self.shown(self.TACROLIMUS | {"action": "ordered"}, self.CICLOSPORIN | {"gap": True}) == {}

    def test_one_measured_level_is_enough(self):
        observed = [result("ciclosporin_level", "2024-02-01", 950.0, sample_timing="C2")]
        assert list(self.shown(self.CICLOSPORIN, tables={"observation": observed})) == ["ciclosporin_c2"]

    def test_a_level_that_is_held_is_not_lost(self):
        held_levels = [held("tacrolimus_level", "P1,tacrolimus,8")]
        assert list(self.shown(tables={"held": held_levels})) == ["trough"]
        panel = trough.panel(
            trough.rows(page(treatment_course=[self.TACROLIMUS])),
            View(*WINDOW, AS_OF, held={"tacrolimus_level": held_levels}),
        )
        assert "1 held" in (panel.empty + panel.note) and "never measured" not in panel.empty
