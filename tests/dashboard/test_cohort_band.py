"""The cohort behind a panel's results, as data: placed on the patient's own dates, bounds never exact, refused days left open; and what is
said of it under the chart."""

import html
import os
from datetime import date

import pytest

from dashboard import cohort_words, data
from dashboard.charts import cohort_band
from dashboard.charts.page import drawn_panels, page_figure, view_of
from dashboard.charts.panel import Panel, View
from pipelines import cohort_bands
from pipelines.load import load
from pipelines.store.database import Store
from tests.dashboard.hand_made import page, result
from tests.dashboard.test_views import opened

AS_OF, START = date(2024, 3, 1), date(2024, 2, 1)
WINDOW = (date(2024, 1, 1), date(2024, 6, 30))
UNBOUNDED = {"open": [50, 75, 90], "p50_high": None, "p75_high": None, "p90_high": None}
PERCENTS = (10, 25, 50, 75, 90)
FERRITIN = page(observation=[result("ferritin", "2024-02-01", 900.0), result("ferritin", "2024-02-20", 700.0)])


def day(number: int, n: int = 12, *values: float, **more) -> dict:
    """A day of a band with these percentiles, exact unless `more` says otherwise."""
    values = values or (100.0, 200.0, 300.0, 400.0, 500.0)
    row = {"analyte": "ferritin", "unit": "ng/mL", "series": None, "day": number, "n": n, "refused": None, "open": []}
    for percent, value in zip(PERCENTS, values, strict=True):
        row |= {f"p{percent}_low": value, f"p{percent}_high": value}
    return row | more


def refused(number: int | None, n: int | None = 3, why: str = "fewer than 5 patients", **more) -> dict:
    none = {f"p{percent}_{end}": None for percent in PERCENTS for end in ("low", "high")}
    return day(number, n) | none | {"refused": why} | more


def view(bands: list[dict] | None = None, **more) -> View:
    return view_of(
        FERRITIN, AS_OF, window=WINDOW, **{"baseline": START, "bands": {"ferritin": bands or [day(0), day(7)]}} | more
    )


def panel(bands: list[dict] | None = None, tables: dict = FERRITIN, name: str = "ferritin", **more) -> Panel:
    (drawn,) = drawn_panels(tables, view(bands, **more), [name])
    return drawn


def named(drawn: Panel | list, start: str, mode: str | None = None) -> list[dict]:
    found = drawn.traces if isinstance(drawn, Panel) else drawn
    return [trace for trace in found if trace["name"].startswith(start) and mode in (None, trace["mode"])]


class TestWhereItIsDrawn:
    def test_nothing_is_drawn_unless_it_is_asked_for(self):
        (drawn,) = drawn_panels(FERRITIN, view_of(FERRITIN, AS_OF, window=WINDOW, baseline=START), ["ferritin"])
        assert not named(drawn, "cohort") and "cohort" not in drawn.note

    def test_on_the_dates_of_the_patients_own_start(self):
        median = named(panel(), "cohort median", "lines")[0]
        assert median["x"][:2] == ["2024-02-01", "2024-02-08"] and median["y"][:2] == [300, 300]
        assert median["line"]["dash"] == "dash"

    def test_the_bands_lie_under_the_results(self):
        names = [trace["name"] for trace in panel().traces]
        assert names[:2] == ["cohort 10 to 90 %", "cohort 25 to 75 %"] and names.index("Ferritin") > 3

    def test_the_outlines_are_the_percentiles(self):
        pale, dark = named(panel(), "cohort 10")[0], named(panel(), "cohort 25")[0]
        assert (pale["y"], dark["y"]) == ([500, 500, 100, 100, 500, None], [400, 400, 200, 200, 400, None])
        assert float(pale["fillcolor"].split(",")[-1][:-1]) < float(dark["fillcolor"].split(",")[-1][:-1])

    def test_without_a_start_of_therapy(self):
        assert not named(panel(baseline=None), "cohort")

    @pytest.mark.parametrize(
        ("scale", "there"), [("linear", True), ("log", True), ("baseline", False), ("peak", False)]
    )
    def test_scales(self, scale, there):
        assert bool(named(panel(scales={"ferritin": scale}), "cohort")) is there

    def test_beside_words_alone(self):
        words = page(observation=[result("ferritin", "2024-02-01", None, low=None, high=None, coded="high")])
        assert not named(panel(tables=words), "cohort")

    def test_the_axis_holds_the_middle_half_of_the_window(self):
        assert panel([day(0, 9, 100, 200, 300, 9000, 20000)]).axis["range"][1] > 9000
        assert panel([day(0, 9, 100, 200, 300, 9000, 20000)]).axis["range"][1] < 20000
        later = [day(0), day(175, 9, 100, 200, 300, 9000, 20000)]  # 25 July, after the window
        assert panel(later).axis["range"][1] < 9000

    def test_zero_on_a_logarithmic_scale_stands_below_the_panel(self):
        found = named(panel([day(0, 9, 0, 0, 300, 400, 500), day(7)], scales={"ferritin": "log"}), "cohort 10")[0]
        assert all(y is None or y > 0 for y in found["y"])

    def test_a_panel_of_two_measures_draws_the_first_and_names_it(self):
        tables = page(
            observation=[result("fvc_percent", "2024-02-01", 60.0), result("dlco_percent", "2024-02-01", 40.0)]
        )
        bands = {name: [day(0, unit="%")] for name in ("fvc_percent", "dlco_percent")}
        (drawn,) = drawn_panels(
            tables, view_of(tables, AS_OF, window=WINDOW, baseline=START, bands=bands), ["lung_function"]
        )
        assert "cohort median FVC (n 12)" in drawn.note and len(named(drawn, "cohort 10")) == 1


class TestRefusedDays:
    def test_a_refused_day_leaves_a_gap(self):
        bands = [day(0), day(7), refused(14), day(21), day(28)]
        assert named(panel(bands), "cohort median", "lines")[0]["y"] == [300, 300, None, 300, 300, None]
        assert named(panel(bands), "cohort 10")[0]["y"].count(None) == 2

    def test_days_evenly_apart_are_not_joined_over_refused_ones(self):
        bands = [day(0), refused(7), day(14), refused(21), day(28)]
        assert named(panel(bands), "cohort median", "lines")[0]["y"] == [300, None, 300, None, 300, None]

    def test_a_day_alone_is_a_dot(self):
        marks = named(panel([day(0), day(7), refused(14), day(21)]), "cohort median", "markers")[0]
        assert marks["marker"]["opacity"] == [0, 0, 1]

    def test_a_cohort_refused_throughout_draws_nothing(self):
        assert not named(panel([refused(0), refused(7)]), "cohort")
        assert not named(panel([refused(None, None, "words")]), "cohort")


class TestBounds:
    def test_the_median_breaks_off_where_it_is_only_a_bound(self):
        drawn = panel([day(0), day(7, **UNBOUNDED), day(14)])
        assert named(drawn, "cohort median", "lines")[0]["y"][:3] == [300, None, 300]
        assert named(drawn, "cohort median", "markers")[0]["marker"]["symbol"] == [
            "circle",
            "triangle-up-open",
            "circle",
        ]

    def test_arrows_stand_on_the_edges_that_have_no_end(self):
        (arrows,) = named(panel([day(0), day(7, **UNBOUNDED)]), "cohort, bound")
        assert list(zip(arrows["x"], arrows["y"], strict=True)) == [("2024-02-08", 400), ("2024-02-08", 500)]
        assert not named(panel(), "cohort, bound")

    def test_the_hover_box_says_so(self):
        said = cohort_band.hover(day(7, **UNBOUNDED), "Ferritin")
        assert "median at least 300 ng/mL" in said and "75th at least 400 ng/mL" in said
        assert "median between 0 and 300" in cohort_band.hover(day(7, open=[50], p50_low=0.0), "Ferritin")


class TestWords:
    def test_the_hover_box(self):
        said = named(panel(), "cohort median", "markers")[0]["hovertext"][1]
        assert (
            said == "Ferritin, cohort on day 7 of therapy: median 300 ng/mL, 25th percentile 200, 75th 400 ng/mL, n 12"
        )

    def test_hostile_text_is_shown_as_written(self):
        bands = [day(0, series="laboratory <b>x</b>")]
        assert "&lt;b&gt;" in named(panel(bands), "cohort median", "markers")[0]["hovertext"][0]

    def test_the_note_counts_the_patients_of_the_window(self):
        assert panel([day(0, 5), day(7, 23), day(175, 80)]).note == "cohort median (n 5 to 23)"
        assert panel([day(0, 9)]).note == "cohort median (n 9)"

    def test_the_table_has_what_is_drawn(self):
        (row,) = [row for row in panel([day(7), refused(14)]).table if "cohort" in row["what"]]
        assert (row["date"], row["value"], row["unit"], row["source"]) == (
            "2024-02-08",
            "300",
            "ng/mL",
            "other patients of this store",
        )
        assert "n 12" in row["remark"] and "not a reference range" in row["remark"]
        assert all(value is None or isinstance(value, str) for value in row.values())


def found(bands: list[dict], **more) -> dict:
    groups = {"died": 6, "off_oxygen": 2, "not_recorded": 12}
    cohort = {
        "others": 40,
        "partly_dated": 0,
        "patients": groups,
        "triple": {"died": 6, "off_oxygen": 1, "not_recorded": 8},
    }
    return {
        "bands": {"ferritin": bands},
        "cohort": cohort,
        "outcome": None,
        "as_of": None,
        "step_days": 7,
        "fewest": 5,
    } | more


def said(bands: list[dict], more: dict | None = None, **chosen) -> str:
    return "\n".join(
        cohort_words.sentences(found(bands, **more or {}), view(bands, **chosen), {"ferritin": "Ferritin"}, {})
    )


class TestSentences:
    def test_who_and_what_they_are_not(self):
        text = said([day(0)])
        assert (
            "20 of 40 other patients, aligned on the start of triple therapy (15), else of combination therapy (5)"
            in text
        )
        assert "this patient is left out" in text and "Not a reference range" in text and "6 died" in text

    def test_an_outcome_group(self):
        assert "6 of 40 other patients whose death is recorded" in said([day(0)], {"outcome": "died"})
        assert "not known to have survived" in said([day(0)], {"outcome": "not_recorded"})

    @pytest.mark.parametrize("outcome", cohort_bands.OUTCOMES)
    def test_every_outcome_group_has_words(self, outcome):
        assert cohort_words.GROUPS[outcome]

    def test_a_refused_day(self):
        bands = [day(0), refused(28, 3), refused(35, 4)]  # the as-of day is day 29
        assert (
            "The cohort has 4 patients with Ferritin at days 29 to 35 of therapy: fewer than five are not shown."
            in said(bands)
        )

    def test_without_a_start_of_therapy(self):
        assert said([day(0)], baseline=None).startswith("No cohort is drawn: therapy has not started by 1 Mar 2024")

    def test_an_analyte_refused_altogether(self):
        assert "Ferritin: no cohort, its results are words." in said([refused(None, None, "its results are words")])

    def test_a_scale_of_percent(self):
        assert "no cohort on a scale of percent" in said([day(0)], scales={"ferritin": "peak"})

    def test_bounds_and_series(self):
        assert "is a bound" in said([day(0, open=[90], p90_high=None)]) and "is a bound" not in said([day(0)])
        assert "only results with assay X" in said([day(0, series="assay X")])


@pytest.fixture
def cohort_store(tmp_path, monkeypatch) -> None:
    """Six patients on triple therapy from 10 January 2024, with ferritin on day 0 and the day before."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    people = [f"p{number}" for number in range(1, 7)]
    courses = [("prednisone", "oral", 40), ("tacrolimus", "oral", 4)]
    lines = [
        f"{who},{drug},{route},{dose},mg,day,2024-01-10,2024-06-30" for who in people for drug, route, dose in courses
    ]
    lines += [f"{who},cyclophosphamide,iv,500,mg,dose,2024-01-10," for who in people]
    (inbox / "administrations.csv").write_text(
        "patient_id,drug,route,dose,dose_unit,per,start,stop\n" + "\n".join(lines) + "\n"
    )
    results = [f"{who},ferritin,{number}00,ng/mL,2024-01-10" for number, who in enumerate(people, start=1)]
    (inbox / "labs.csv").write_text("patient_id,analyte,value,unit,at\n" + "\n".join(results) + "\n")
    load(Store(tmp_path / "store"), [inbox])
    monkeypatch.setitem(os.environ, "MDA5_STORE", str(tmp_path / "store"))


class TestFromTheStore:
    def test_from_files_to_the_figure(self, cohort_store):
        asked = data.cohort_bands(["ferritin"], None, "p6")
        at = next(row for row in asked["bands"]["ferritin"] if row["day"] == 0)
        assert (at["n"], at["p50_low"], asked["cohort"]["triple"]["not_recorded"]) == (5, 300, 5)
        tables = data.patient_page("p6")
        drawn = page_figure(
            tables, date(2024, 2, 1), baseline=date(2024, 1, 10), bands=asked["bands"], shown=["ferritin"]
        )
        (median,) = [
            trace for trace in drawn["data"] if trace["name"].startswith("cohort median") and trace["mode"] == "lines"
        ]
        assert median["x"][0] == "2024-01-10" and median["y"][0] == 300

    def test_an_outcome_nobody_has_recorded_is_refused(self, cohort_store):
        asked = data.cohort_bands(["ferritin"], "died", "p6")
        assert {(row["n"], row["refused"]) for row in asked["bands"]["ferritin"]} == {(0, "fewer than 5 patients")}


class TestOnThePage:
    def test_off_until_the_address_asks_for_it(self, cohort_store):
        assert "Cohort:" not in captions(opened("patient", patient="p6"))

    def test_the_address_asks_for_a_group(self, cohort_store):
        assert "5 of 5 other patients" in captions(opened("patient", patient="p6", bands="all"))
        died = captions(opened("patient", patient="p6", bands="died"))
        assert (
            "0 of 5 other patients whose death is recorded" in died
            and "Fewer than 5 patients: nothing is drawn." in died
        )


def captions(app) -> str:
    assert not app.exception and not app.error
    return "\n".join(html.unescape(text.value) for text in app.caption)
