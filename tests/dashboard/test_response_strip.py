"""The response strip as data: which results are in a window, what is said of them, and what is drawn."""

import json
import time
from datetime import date, timedelta

import pytest

from dashboard import response, style
from tests.dashboard.hand_made import above, course, event, oxygen, page, pulse, result

AS_OF = date(2024, 12, 31)
DAY0 = date(2024, 6, 1)


def on(day: int) -> str:
    return (DAY0 + timedelta(days=day)).isoformat()


def tacrolimus(day: int = 0) -> dict:
    return course("tacrolimus", "cni", on(day), None, 3.0)


def ferritin(day: int, value: float, **more) -> dict:
    return result("ferritin", on(day), value, **{"unit": "ng/mL"} | more)


def titre(day: int, value: float, assay: str | None = "mbl_elisa", unit: str = "{index}", **more) -> dict:
    return result("anti_mda5", on(day), value, **{"assay": assay, "unit": unit, "sample_timing": None} | more)


def fvc(day: int, value: float, **more) -> dict:
    return result("fvc_percent", on(day), value, unit="%", **more)


def ratio(day: int, sf: float, **more) -> dict:
    return oxygen(on(day), 1, 3.0, 0.32, sf=sf, spo2=95.0, **more)


def strip(*results: dict, oxygens: tuple = (), events: tuple = (), courses: tuple = (), held: tuple = ()) -> dict:
    """A page with tacrolimus from day 0 and these records."""
    made = page(
        observation=list(results),
        oxygen_support=list(oxygens),
        event=list(events),
        treatment_course=[tacrolimus(), *courses],
    )
    return made | {"held": list(held)}


def changes(rows: dict, measure: str, as_of: date = AS_OF, chosen: list[str] | None = None) -> list[str]:
    """What is said of a measure in each column."""
    return [row["value"] for row in response.table(rows, as_of, chosen) if row["what"] == f"{measure}: change"]


def days(rows: dict, measure: str, as_of: date = AS_OF) -> list[int]:
    return [int(row["day"]) for row in response.table(rows, as_of) if row["what"] == measure]


def traces(drawn: dict, name: str, mode: str) -> list[dict]:
    return [trace for trace in drawn["data"] if trace["name"] == name and trace["mode"].startswith(mode)]


def notes(drawn: dict, name: str) -> list[str]:
    return [note["text"] for note in drawn["layout"]["annotations"] if note["name"] == name]


def words(text: str) -> str:
    return " ".join(text.replace("<br>", " ").replace("<b>", "").replace("</b>", "").split())


class TestWindow:
    def test_from_day_minus_7_to_day_28(self):
        rows = strip(*[ferritin(day, 100.0) for day in (-8, -7, 0, 28, 29)])
        assert days(rows, "Ferritin") == [-7, 0, 28]

    def test_nothing_after_the_as_of_day(self):
        rows = strip(
            *[ferritin(day, 100.0 + day) for day in (-1, 5, 12, 13)], oxygens=(ratio(12, 300.0), ratio(13, 200.0))
        )
        at_12 = DAY0 + timedelta(12)
        assert days(rows, "Ferritin", at_12) == [-1, 5, 12] and days(rows, "SpO₂/FiO₂", at_12) == [12]
        drawn = response.figure(rows, at_12)
        assert max(x for trace in drawn["data"] for x in trace["x"]) <= 12

    def test_a_later_record_changes_nothing_that_was_drawn(self):
        at_12 = DAY0 + timedelta(12)
        rows = strip(ferritin(-1, 900.0), ferritin(5, 500.0), titre(3, 80.0))
        later = strip(
            *rows["observation"], ferritin(20, 1e5), *[titre(day, 10.0, "esoterix_elisa") for day in (14, 15, 16)],
            events=(event("procedure", "plasma_exchange", on(13)),), courses=(pulse("rituximab", "rituximab", on(14), 1000.0),),
        )  # fmt: skip
        later["treatment_course"][0] = rows["treatment_course"][0]
        assert json.dumps(response.figure(rows, at_12)) == json.dumps(response.figure(later, at_12))

    def test_what_is_not_reached_is_said_and_greyed(self):
        drawn = response.figure(strip(ferritin(-1, 900.0), ferritin(5, 500.0)), DAY0 + timedelta(12))
        assert "Day 28 not reached: as of day 12." in words(notes(drawn, "head")[0])
        veils = [shape for shape in drawn["layout"]["shapes"] if shape["name"] == "not reached"]
        assert [shape["x0"] for shape in veils] == [12.5]
        full = response.figure(strip(ferritin(5, 500.0)), DAY0 + timedelta(28))
        assert "not reached" not in json.dumps([notes(full, "head"), full["layout"]["shapes"]])


class TestChange:
    def test_from_the_last_before_to_the_last_after(self):
        rows = strip(ferritin(-5, 2500.0), ferritin(-1, 2100.0), ferritin(10, 900.0), ferritin(26, 640.0))
        assert changes(rows, "Ferritin") == ["2100 → 640 ng/mL (−70 %), day −1 to 26"]

    def test_a_result_of_day_0_is_before(self):
        assert changes(strip(ferritin(0, 100.0), ferritin(9, 150.0)), "Ferritin") == [
            "100 → 150 ng/mL (+50 %), day 0 to 9"
        ]

    def test_a_limit_gives_no_percentage(self):
        rows = strip(above("ferritin", on(-1), 1650.0, unit="ng/mL"), ferritin(26, 640.0))
        assert changes(rows, "Ferritin") == [">1650 → 640 ng/mL (not computed: a limit of the test), day −1 to 26"]

    @pytest.mark.parametrize(
        ("more", "why"),
        [({"status": "preliminary"}, "preliminary"), ({"partial": "2024-06-01 to 2024-06-30"}, "date not exact")],
    )
    def test_what_is_not_sure_gives_none(self, more, why):
        assert (
            f"(not computed: {why})" in changes(strip(ferritin(-1, 900.0), ferritin(26, 640.0, **more)), "Ferritin")[0]
        )

    def test_without_one_before(self):
        assert changes(strip(ferritin(3, 640.0)), "Ferritin") == ["640 ng/mL, day 3; none in the 7 days before"]
        two = changes(strip(ferritin(3, 640.0), ferritin(9, 320.0)), "Ferritin")
        assert two == ["640 → 320 ng/mL (−50 %), day 3 to 9; none in the 7 days before"]

    def test_fvc_changes_in_points(self):
        assert changes(strip(fvc(-3, 60.0), fvc(25, 54.0)), "FVC") == ["60 → 54 % predicted (−6 points), day −3 to 25"]

    def test_rest_is_not_compared_with_exertion(self):
        rows = strip(oxygens=(ratio(-1, 200.0, activity="rest"), ratio(9, 300.0, activity="exertion")))
        assert "(not computed: rest against exertion)" in changes(rows, "SpO₂/FiO₂")[0]

    def test_an_estimated_fio2_is_said(self):
        rows = strip(oxygens=(ratio(-1, 200.0), ratio(9, 300.0, fio2_source="estimated")))
        assert changes(rows, "SpO₂/FiO₂") == ["200 → 300 (+50 %), day −1 to 9; FiO₂ estimated"]


class TestMissing:
    def test_the_next_one_is_named_with_its_day(self):
        rows = strip(ferritin(-2, 900.0), ferritin(45, 640.0))
        said = "not measured within 28 days; before: 900 ng/mL, day −2"
        assert changes(rows, "Ferritin") == [f"{said}; next on day 45, 16 Jul 2024"]
        assert changes(rows, "Ferritin", DAY0 + timedelta(44)) == [said]

    def test_before_day_28_it_is_only_not_yet(self):
        assert changes(strip(ferritin(-2, 900.0)), "Ferritin", DAY0 + timedelta(9))[0].startswith(
            "not measured up to day 9"
        )

    def test_never_measured_and_held_are_told_apart(self):
        rows = strip(held=({"analyte": "crp"},))
        assert changes(rows, "CRP") == ["no result accepted: 1 held"]
        assert changes(rows, "Ferritin") == ["never measured up to 31 Dec 2024"]


class TestSeries:
    def test_assays_of_a_titre_are_never_mixed(self):
        rows = strip(titre(-1, 90.0), titre(20, 45.0), titre(-2, 900.0, "esoterix_elisa", "[arb'U]"))
        said = "90 → 45 index (−50 %), day −1 to 20; 1 of another assay or unit left out"
        assert changes(rows, "Anti-MDA5") == [said] and days(rows, "Anti-MDA5") == [-1, 20]

    def test_nor_units_of_one_assay_nor_laboratories_without_one(self):
        assert days(strip(titre(-1, 90.0), titre(9, 80.0), titre(20, 45.0, unit="U/mL")), "Anti-MDA5") == [-1, 9]
        blank = [titre(day, 9.0, None, laboratory=name) for day, name in ((-1, "A"), (9, "A"), (20, "B"))]
        assert days(strip(*blank), "Anti-MDA5") == [-1, 9]

    def test_the_most_frequent_of_the_windows_is_drawn_not_of_the_record(self):
        elsewhere = [titre(day, 5.0, "esoterix_elisa", "[arb'U]") for day in range(60, 70)]
        assert days(strip(titre(3, 90.0), *elsewhere), "Anti-MDA5") == [3]

    def test_the_assay_drawn_is_named(self):
        drawn = response.figure(strip(titre(3, 90.0)), AS_OF)
        assert any("MESACUP" in words(text) for text in notes(drawn, "title"))

    def test_reference_sets_of_fvc_are_not_compared(self):
        rows = strip(fvc(-1, 60.0, reference_set="GLI 2012"), fvc(5, 58.0, reference_set="GLI 2012"), fvc(20, 70.0))
        assert days(rows, "FVC") == [-1, 5] and "1 of another reference set" in changes(rows, "FVC")[0]


class TestExchange:
    def hatched(self, rows: dict, as_of: date = AS_OF) -> list[tuple[float, float]]:
        drawn = response.figure(rows, as_of, [f"{on(0)}.tacrolimus"])
        return [(min(trace["x"]), max(trace["x"])) for trace in drawn["data"] if trace["name"] == "after exchange"]

    def test_from_the_session_to_seven_days_after_it_in_what_it_lowers(self):
        rows = strip(
            ferritin(-1, 900.0),
            titre(-1, 90.0),
            oxygens=(ratio(-1, 200.0),),
            events=(event("procedure", "plasma_exchange", on(3)),),
        )
        assert self.hatched(rows) == [(2.6, 10.4)] * 2
        assert self.hatched(rows, DAY0 + timedelta(2)) == []
        assert self.hatched(rows, DAY0 + timedelta(5)) == [(2.6, 5.4)] * 2

    @pytest.mark.parametrize(("day", "said"), [(10, True), (11, False)])
    def test_a_last_value_inside_it_is_no_response(self, day, said):
        rows = strip(ferritin(-1, 900.0), ferritin(day, 400.0), events=(event("procedure", "plasma_exchange", on(3)),))
        told = changes(rows, "Ferritin", chosen=[f"{on(0)}.tacrolimus"])[0]
        assert told.endswith("after exchange, which lowers it") is said


class TestOthers:
    def head(self, day: int) -> tuple[str, list[str]]:
        rows = strip(ferritin(-1, 900.0), courses=(pulse("rituximab", "rituximab", on(day), 1000.0),))
        drawn = response.figure(rows, AS_OF, [f"{on(0)}.tacrolimus"])
        return words(notes(drawn, "head")[0]), notes(drawn, "other start")

    def test_on_day_5(self):
        said, lines = self.head(5)
        assert (
            "1 other therapy started within 28 days: rituximab, infusion 1 (day 5): what changed cannot be told apart."
            in said
        )
        assert lines == ["+ rituximab, infusion 1, day 5"]

    def test_on_day_0_and_29(self):
        assert "(same day)" in self.head(0)[0]
        assert "No other therapy started within 28 days." in self.head(29)[0] and self.head(29)[1] == []


class TestFigure:
    def test_before_is_hollow_and_grey_and_after_filled(self):
        drawn = response.figure(strip(ferritin(-1, 900.0), ferritin(0, 800.0), ferritin(9, 700.0)), AS_OF)
        mark = traces(drawn, "Ferritin", "markers")[0]["marker"]
        assert mark["color"] == ["#FFFFFF", "#FFFFFF", style.VERMILION]
        assert mark["line"]["color"] == [style.GREY, style.GREY, style.VERMILION]
        assert traces(drawn, "Ferritin", "lines")[0]["x"] == [0, 9]

    def test_a_limit_is_an_arrow_outside_the_line(self):
        drawn = response.figure(
            strip(ferritin(-1, 900.0), above("ferritin", on(9), 1650.0, unit="ng/mL"), ferritin(20, 700.0)), AS_OF
        )
        assert traces(drawn, "Ferritin", "lines")[0]["x"] == [-1, 20]
        mark = traces(drawn, "Ferritin", "markers")[0]
        assert mark["marker"]["symbol"][1] == "triangle-up" and mark["text"][1] == "&gt;1650"

    def test_columns_share_one_scale_along_a_row(self):
        rows = strip(
            ferritin(-1, 900.0), ferritin(60, 9000.0), courses=(pulse("rituximab", "rituximab", on(58), 1000.0),)
        )
        drawn = response.figure(rows, AS_OF)
        found = traces(drawn, "Ferritin", "markers")
        assert {trace["yaxis"] for trace in found} == {"y"} and [trace["xaxis"] for trace in found] == ["x", "x2"]
        assert drawn["layout"]["yaxis"]["range"][1] > 9000

    def test_the_newest_four_oldest_first_on_a_phone_two(self):
        rows = strip(
            courses=tuple(pulse("cyclophosphamide", "cyclophosphamide", on(28 * n), 750.0) for n in range(1, 6))
        )
        wide, narrow = (response.figure(rows, AS_OF, narrow=narrow)["layout"] for narrow in (False, True))
        assert wide["meta"]["starts"] == [f"{on(28 * n)}.cyclophosphamide.pulse" for n in (2, 3, 4, 5)]
        assert narrow["meta"]["starts"] == wide["meta"]["starts"][2:] and wide["meta"]["offered"] == 6

    def test_chosen_ones_in_bands_of_what_fits(self):
        rows = strip(
            ferritin(50, 9.0),
            courses=tuple(pulse("cyclophosphamide", "cyclophosphamide", on(5 * n), 750.0) for n in range(1, 12)),
        )
        ids = [start["id"] for start in response.starts(rows, AS_OF)]
        drawn = response.figure(rows, AS_OF, [*ids, "2024-06-01.<b>", "nonsense"])
        assert len(drawn["layout"]["meta"]["starts"]) == response.MOST
        axes = [axis["domain"] for name, axis in drawn["layout"].items() if name.startswith("xaxis")]
        assert all(0 <= low < high <= 1 for low, high in axes)

    def test_a_start_after_the_as_of_day_cannot_be_chosen(self):
        drawn = response.figure(strip(courses=(tacrolimus(50),)), DAY0 + timedelta(3), [f"{on(50)}.tacrolimus"])
        assert drawn["layout"]["meta"]["starts"] == [f"{on(0)}.tacrolimus"]

    def test_without_a_start_it_says_so(self):
        drawn = response.figure(page(), AS_OF)
        assert notes(drawn, "empty") == ["No therapy start recorded up to 31 Dec 2024."]
        assert response.table(page(), AS_OF) == [] and "No therapy start" in response.alt(page(), AS_OF)

    def test_text_alone_still_has_a_trace_which_streamlit_needs(self):
        drawn = response.figure(strip(), AS_OF)
        assert len(drawn["data"]) == 1 and drawn["data"][0]["opacity"] == 0 and response.figure(page(), AS_OF)["data"]

    def test_hostile_text_is_shown_as_written(self):
        bad = "<img src=x>"
        rows = strip(
            titre(3, 90.0, bad, bad, laboratory=bad, file=bad),
            courses=(pulse("rituximab", "rituximab", on(2), 9.0, dose_unit=bad),),
        )
        assert "<img" not in json.dumps(response.figure(rows, AS_OF))

    def test_every_value_drawn_is_in_the_table_with_unit_and_source(self):
        rows = strip(ferritin(-1, 900.0), ferritin(9, 700.0), titre(3, 90.0), fvc(5, 60.0), oxygens=(ratio(4, 300.0),))
        drawn, twin = (
            response.figure(rows, AS_OF),
            response.table(rows, AS_OF, sources={rows["treatment_course"][0]["evidence"][0]: "drugs.csv:4"}),
        )
        points = sum(len(trace["x"]) for trace in drawn["data"] if trace["mode"] == "markers+text")
        values = [row for row in twin if row["day"] is not None and row["what"] != "Tacrolimus"]
        assert len(values) == points == 5 and all(row["source"] for row in values)
        assert {row["unit"] for row in values} == {"ng/mL", "index", "% predicted", None}
        assert twin[0]["source"] == "drugs.csv:4" and twin[0]["value"] == "3 mg/day"
        assert all(value is None or isinstance(value, str) for row in twin for value in row.values())


def test_two_thousand_records_take_no_time():
    """Measured 8 ms; the bound is wide for a busy machine."""
    results = [ferritin(day % 300, 100.0 + day) for day in range(700)] + [titre(day % 300, 90.0) for day in range(300)]
    rows = strip(*results, oxygens=tuple(ratio(day % 300, 200.0) for day in range(1000)))
    rows["treatment_course"] += [pulse("cyclophosphamide", "cyclophosphamide", on(14 * n), 750.0) for n in range(1, 20)]
    response.figure(rows, AS_OF)
    taken = []
    for _ in range(5):
        before = time.perf_counter()
        drawn = response.figure(rows, AS_OF)
        taken.append(time.perf_counter() - before)
    assert min(taken) < 0.06 and len(json.dumps(drawn)) < 400_000
