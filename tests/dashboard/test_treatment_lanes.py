"""Treatment lanes as data: classes that open into drugs, what is ongoing, dose as height, given and ordered and missed."""

import itertools
import re
from dataclasses import replace
from datetime import date, datetime
from html import unescape

import pytest

from dashboard import data, style
from dashboard.charts import glucocorticoid, infection, marks, treatment
from dashboard.charts.page import page_figure
from dashboard.charts.panel import DAY_MS, View
from dashboard.table import twin
from tests.dashboard.hand_made import administered, course, equivalent, event, page, pulse

AS_OF = date(2024, 6, 30)
WINDOW = (date(2024, 1, 1), date(2024, 6, 30))
VIEW = View(*WINDOW, AS_OF)


def figure(*courses: dict, window=WINDOW, as_of=AS_OF, **more) -> dict:
    tables = page(treatment_course=list(courses), **more.pop("tables", {}))
    return page_figure(tables, as_of, window=window, shown=["treatment"], **more)


def named(drawn: dict, name: str, kind: str = "bar") -> list[dict]:
    return [trace for trace in drawn["data"] if trace["name"] == name and trace["type"] == kind]


def lanes(drawn: dict) -> list[str]:
    return [unescape(re.sub(r"<[^>]*>", "", text)) for text in drawn["layout"]["yaxis"]["ticktext"]]


def drawn_days(bars: dict) -> list[tuple[str, str]]:
    """First day and the day after the last of each bar."""
    days = [round(length / DAY_MS) for length in bars["x"]]
    ends = [
        date.fromordinal(date.fromisoformat(base).toordinal() + n) for base, n in zip(bars["base"], days, strict=True)
    ]
    return list(zip(bars["base"], [end.isoformat() for end in ends], strict=True))


class TestOngoing:
    """Ways in which others draw a drug that goes on, each wrong."""

    ONGOING = course("tacrolimus", "cni", "2024-02-01", None, 3.0, last_confirmed=date(2024, 4, 10))

    def test_it_is_not_dropped(self):
        assert named(figure(self.ONGOING), "Tacrolimus")
        assert named(figure(self.ONGOING | {"last_confirmed": None}), "Tacrolimus")

    def test_it_is_not_a_dot(self):
        start, end = drawn_days(named(figure(self.ONGOING), "Tacrolimus")[0])[0]
        assert (start, end) == ("2024-02-01", "2024-04-11")
        assert not named(figure(self.ONGOING), "Tacrolimus", "scatter")

    def test_it_is_not_one_mark_at_its_start(self):
        days = drawn_days(named(figure(self.ONGOING), "Tacrolimus")[0])
        assert days[-1][1] == "2024-07-01" and all(end == start for (_, end), (start, _) in itertools.pairwise(days))

    @pytest.mark.parametrize(
        "window",
        [
            (date(2024, 3, 1), date(2024, 3, 10)),
            (date(2024, 4, 15), date(2024, 4, 20)),
            (date(2026, 1, 1), date(2026, 1, 9)),
        ],
    )  # before its last confirmation, while it fades, and long after
    def test_it_is_not_lost_in_a_window_inside_it(self, window):
        bars = named(figure(self.ONGOING, window=window, as_of=date(2026, 2, 1)), "Tacrolimus")[0]
        days = drawn_days(bars)
        assert days[0][0] == window[0].isoformat() and days[-1][1] > window[1].isoformat()
        assert "3" in bars["text"][0]

    def test_a_stopped_drug_is_whole_in_a_window_inside_it(self):
        stopped = course("tacrolimus", "cni", "2024-01-05", "2024-06-01", 3.0)
        days = drawn_days(named(figure(stopped, window=(date(2024, 3, 1), date(2024, 3, 10))), "Tacrolimus")[0])
        assert days == [("2024-03-01", "2024-03-11")]

    def test_now_is_not_its_stop(self):
        drawn = figure(self.ONGOING, window=(WINDOW[0], date(2024, 7, 20)))
        bars = named(drawn, "Tacrolimus")[0]
        assert drawn_days(bars)[-1][1] > AS_OF.isoformat()  # it runs on past the as-of line
        assert all("ongoing, no stop recorded, last confirmed 10 Apr 2024" in text for text in bars["hovertext"])
        assert "until" not in bars["hovertext"][0]

    def test_after_its_last_confirmation_it_fades_and_never_grows_again(self):
        opacities = [opacity for _, _, opacity in marks.ongoing(date(2024, 2, 1), None, date(2024, 4, 10))]
        assert opacities[0] == 1 and opacities == sorted(opacities, reverse=True) and 0 < opacities[-1] < 0.2
        fills = named(figure(self.ONGOING), "Tacrolimus")[0]["marker"]["color"]
        shades = [float(fill.rstrip(")").rsplit(",", 1)[1]) for fill in fills]
        assert shades == sorted(shades, reverse=True) and shades[0] > shades[1] and shades[-1] < shades[0] / 3

    def test_no_stop_and_not_ongoing_is_another_thing(self):
        record = administered("tacrolimus", "2024-02-01")
        one_day = course("tacrolimus", "cni", "2024-02-01", "2024-02-02", 3.0, evidence=[record["record_id"]])
        said = named(figure(one_day, tables={"administration": [record]}), "Tacrolimus")[0]["hovertext"][0]
        assert "no stop recorded and not ongoing" in said and "confirmed" not in said

    def test_a_day_with_a_recorded_stop_is_just_that_day(self):
        record = administered("tacrolimus", "2024-02-01", "2024-02-01")
        one_day = course("tacrolimus", "cni", "2024-02-01", "2024-02-02", 3.0, evidence=[record["record_id"]])
        said = named(figure(one_day, tables={"administration": [record]}), "Tacrolimus")[0]["hovertext"][0]
        assert "no stop" not in said and "1 Feb 2024" in said and "meds.csv line 2" in said

    def test_an_end_by_a_later_record_is_said(self):
        ended = course("tacrolimus", "cni", "2024-02-01", "2024-03-01", 3.0, no_stop=True)
        assert "until 29 Feb 2024 (no stop recorded: a later record ends it)" in treatment.hover(ended)


class TestClasses:
    TACROLIMUS = course("tacrolimus", "cni", "2024-01-05", "2024-03-01", 3.0)
    CICLOSPORIN = course("ciclosporin", "cni", "2024-03-01", "2024-06-01", 200.0)

    def test_a_class_is_one_lane_that_names_its_drugs(self):
        drawn = figure(self.TACROLIMUS, self.CICLOSPORIN)
        assert lanes(drawn) == ["CNI: tacrolimus, ciclosporin"]
        middles = {round(y + width / 2, 3) for name in ("Tacrolimus", "Ciclosporin") for bars in named(drawn, name)
                   for y, width in zip(bars["y"], bars["width"], strict=True)}  # fmt: skip
        assert len(middles) == 1  # both stand on one floor
        assert named(drawn, "Tacrolimus")[0]["text"] == ["Tacrolimus 3 mg"]
        assert named(drawn, "Ciclosporin")[0]["text"] == ["Ciclosporin 200 mg"]

    def test_a_dose_is_never_read_as_another_drugs(self):
        """In a bar too short for its drug's name only the first drug of the label may have a bare dose."""
        days = ("2024-01-05", "2024-02-01", "2024-03-01", "2024-03-06", "2024-03-11")
        names = ("prednisolone", "prednisolone", "methylprednisolone", "prednisolone")
        spans = zip(names, itertools.pairwise(days), strict=True)
        drawn = figure(*(course(drug, "glucocorticoid", start, end, 80.0) for drug, (start, end) in spans))
        assert lanes(drawn)[0].startswith("GC: prednisolone")
        assert named(drawn, "Methylprednisolone")[0]["text"] == [""]
        short = figure(
            course("prednisolone", "glucocorticoid", "2024-01-05", "2024-01-12", 80.0),
            course("prednisolone", "glucocorticoid", "2024-01-12", "2024-03-01", 70.0),
            course("methylprednisolone", "glucocorticoid", "2024-03-01", "2024-03-25", 64.0),
            course("prednisolone", "glucocorticoid", "2024-03-25", "2024-04-01", 60.0),
        )
        assert named(short, "Prednisolone")[0]["text"] == ["80", "Prednisolone 70 mg", ""]
        assert named(short, "Methylprednisolone")[0]["text"] == ["Methylp… 64 mg"]

    def test_an_opened_class_has_a_lane_per_drug(self):
        drawn = figure(self.TACROLIMUS, self.CICLOSPORIN, opened=frozenset({"cni"}))
        assert lanes(drawn) == ["CNI Ciclosporin", "CNI Tacrolimus"]
        assert named(drawn, "Tacrolimus")[0]["text"] == ["3 mg"]

    def test_a_class_with_one_drug_is_its_lane(self):
        assert (
            lanes(figure(self.TACROLIMUS))
            == lanes(figure(self.TACROLIMUS, opened=frozenset({"cni"})))
            == ["CNI Tacrolimus"]
        )

    def test_drugs_that_overlap_never_cover_each_other(self):
        both = figure(self.TACROLIMUS, course("ciclosporin", "cni", "2024-02-01", None, 200.0))
        spans = []
        for name in ("Tacrolimus", "Ciclosporin"):
            bars = named(both, name)[0]
            spans.append((min(bars["y"]) - max(bars["width"]) / 2, max(bars["y"]) + max(bars["width"]) / 2))
        assert spans[0][1] <= spans[1][0] or spans[1][1] <= spans[0][0]
        assert both["layout"]["height"] > figure(self.TACROLIMUS, self.CICLOSPORIN)["layout"]["height"]

    def test_a_label_is_cut_to_the_margin_and_says_how_many_more(self):
        drugs = ("prednisolone", "methylprednisolone", "dexamethasone")
        label = lanes(
            figure(
                *(
                    course(drug, "glucocorticoid", f"2024-0{n}-01", f"2024-0{n}-20", 10.0)
                    for n, drug in enumerate(drugs, 1)
                )
            )
        )[0]
        assert label.startswith("GC: prednisolone") and label.endswith(("+1", "+2")) and len(label) <= 34

    def test_procedures_are_no_class(self):
        events = [event("procedure", code, "2024-02-01") for code in ("plasma_exchange", "bronchoscopy")]
        assert len(lanes(figure(tables={"event": events}))) == 2

    def test_the_page_is_told_the_classes_it_can_open(self):
        events = [event("procedure", "plasma_exchange", "2024-02-01")]
        rows = treatment.rows(
            page(
                treatment_course=[
                    self.TACROLIMUS,
                    self.CICLOSPORIN,
                    course("azathioprine", "azathioprine", "2024-02-01"),
                ],
                event=events,
            )
        )
        assert treatment.classes(rows) == [("cni", "CNI", 2), ("azathioprine", "Azathioprine", 1)]

    def test_doses_of_several_drugs_in_a_lane_are_named_and_counted_apart(self):
        rows = [
            pulse("rituximab", "x", "2024-01-05", 500.0),
            pulse("rituximab", "x", "2024-01-25", 500.0),
            pulse("basiliximab", "x", "2024-05-05", 20.0),
        ]
        said = [text for trace in figure(*rows)["data"] if trace["name"] == "labels" for text in trace["text"]]
        assert sorted(said) == ["2", "Basiliximab 1", "Rituximab 1"]


class TestDose:
    def test_a_taper_is_seen_as_height_on_the_floor_of_the_lane(self):
        taper = [
            course("prednisolone", "glucocorticoid", f"2024-0{n}-01", f"2024-0{n + 1}-01", dose)
            for n, dose in enumerate((60.0, 30.0, 15.0), 1)
        ]
        bars = named(figure(*taper), "Prednisolone")[0]
        assert [width / bars["width"][0] for width in bars["width"]] == pytest.approx([1, 0.5, 0.25], abs=0.001)
        assert len({round(y + width / 2, 3) for y, width in zip(bars["y"], bars["width"], strict=True)}) == 1

    def test_the_smallest_dose_is_seen(self):
        rows = [
            course("prednisolone", "glucocorticoid", "2024-01-01", "2024-02-01", 1000.0),
            course("prednisolone", "glucocorticoid", "2024-02-01", "2024-03-01", 1.0),
        ]
        bars = named(figure(*rows), "Prednisolone")[0]
        assert bars["width"][1] >= 0.2 * bars["width"][0]

    def test_a_pulse_stands_above_and_does_not_flatten_the_taper(self):
        rows = [course("methylprednisolone", "glucocorticoid", "2024-01-01", "2024-01-04", 1000.0, pulse=True),
                course("methylprednisolone", "glucocorticoid", "2024-01-04", "2024-02-01", 64.0),
                course("methylprednisolone", "glucocorticoid", "2024-02-01", "2024-03-01", 32.0)]  # fmt: skip
        highest, first, second = named(figure(*rows), "Methylprednisolone")[0]["width"]
        assert highest > first == pytest.approx(2 * second, abs=0.001)

    def test_an_unknown_dose_is_full_height_dotted_and_asked(self):
        rows = [
            course("tacrolimus", "cni", "2024-01-05", "2024-03-01", 3.0),
            course("tacrolimus", "cni", "2024-03-01", "2024-04-01", None),
        ]
        bars = named(figure(*rows), "Tacrolimus")[0]
        assert (
            bars["width"][1] == bars["width"][0]
            and bars["marker"]["pattern"]["shape"] == ["", "."]
            and bars["text"][1] == "?"
        )
        assert "dose unknown" in bars["hovertext"][1]


class TestGivenOrderedMissed:
    def test_an_order_stays_visible_over_what_was_given(self):
        days = ("2024-02-01", "2024-03-01")
        bars = named(
            figure(course("tacrolimus", "cni", *days, 3.0, action="ordered"), course("tacrolimus", "cni", *days, 3.0)),
            "Tacrolimus",
        )[0]
        assert bars["marker"]["line"]["width"] == [0, 1.4]  # drawn last, so on top
        assert bars["marker"]["line"]["color"][1] == style.INK and bars["marker"]["color"][1].endswith(",0)")

    def test_a_missed_dose_is_a_cross_on_its_lane(self):
        missed = administered("tacrolimus", "2024-02-10", action="not_given", line=7)
        drawn = figure(
            course("tacrolimus", "cni", "2024-02-01", "2024-03-01", 3.0), tables={"administration": [missed]}
        )
        cross = named(drawn, "Tacrolimus, not given", "scatter")[0]
        assert cross["x"] == ["2024-02-10"] and cross["marker"]["symbol"] == ["x-thin"]
        assert cross["hovertext"] == ["Tacrolimus · not given · 10 Feb 2024 · meds.csv line 7"]
        assert lanes(drawn) == ["CNI Tacrolimus"]

    def test_missed_days_have_a_cross_at_both_ends_and_count_as_no_dose(self):
        missed = administered("rituximab", "2024-02-10", "2024-02-12", action="not_given")
        drawn = figure(pulse("rituximab", "rituximab", "2024-03-01", 500.0), tables={"administration": [missed]})
        assert named(drawn, "Rituximab, not given", "scatter")[0]["x"] == ["2024-02-10", "2024-02-12"]
        assert "10 Feb 2024 to 12 Feb 2024" in named(drawn, "Rituximab, not given", "scatter")[0]["hovertext"][0]

    def test_a_missed_anti_infective_stands_in_the_infection_panel(self):
        missed = administered("ganciclovir", "2024-02-10", action="not_given")
        tables = page(administration=[missed])
        assert not treatment.rows(tables) and [row["action"] for row in infection.rows(tables)] == ["not_given"]

    def test_what_was_given_is_never_drawn_twice(self):
        record = administered("tacrolimus", "2024-02-01", "2024-02-10")
        assert treatment.rows(page(administration=[record])) == []


class TestEvidence:
    def test_the_courses_of_a_chosen_flag_are_framed_and_its_doses_ringed(self):
        long, dose = (
            course("tacrolimus", "cni", "2024-02-01", "2024-03-01", 3.0),
            pulse("rituximab", "rituximab", "2024-03-05", 500.0),
        )
        other = course("tacrolimus", "cni", "2024-03-01", "2024-04-01", 2.0)
        drawn = figure(long, dose, other, ringed=[*long["evidence"], *dose["evidence"]])
        assert named(drawn, "evidence", "scatter")[0]["x"] == ["2024-03-05"]
        frame = named(drawn, "evidence frame", "scatter")[0]
        assert frame["x"] == ["2024-02-01", "2024-03-01", "2024-03-01", "2024-02-01", "2024-02-01", None]

    def test_a_dose_before_the_window_is_not_ringed_at_its_edge(self):
        dose = pulse("rituximab", "rituximab", "2023-03-05", 500.0)
        assert named(figure(dose, ringed=dose["evidence"]), "evidence", "scatter") == []


class TestTable:
    def test_a_course_says_dose_days_and_source(self):
        record = administered("tacrolimus", "2024-02-01", "2024-02-29", line=9)
        row = course("tacrolimus", "cni", "2024-02-01", "2024-03-01", 3.0, evidence=[record["record_id"]], route="oral")
        panel = treatment.panel(treatment.rows(page(treatment_course=[row], administration=[record])), VIEW)
        assert panel.table == [
            {"date": "2024-02-01", "until": "2024-03-01", "what": "Tacrolimus", "value": "3", "unit": "mg/day",
             "ends": "until 29 Feb 2024", "ends_known": "2024-02-29", "remark": "oral", "source": "meds.csv line 9"}
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("as_of", "told"),
        [
            (date(2024, 2, 28), "oral, no end recorded up to 28 Feb 2024"),
            (date(2024, 2, 29), "oral, until 29 Feb 2024"),
        ],
    )
    def test_an_end_is_told_from_the_day_it_was_known(self, as_of, told):
        row = course("tacrolimus", "cni", "2024-02-01", "2024-03-01", 3.0, route="oral")
        panel = treatment.panel(treatment.rows(page(treatment_course=[row])), VIEW)
        assert [row["remark"] for row in twin([panel], replace(VIEW, as_of=as_of))] == [told]

    def test_ordered_missed_and_ongoing_are_said(self):
        rows = [course("tacrolimus", "cni", "2023-01-01", None, 3.0, action="ordered")]
        missed = [administered("tacrolimus", "2024-02-10", action="not_given")]
        panel = treatment.panel(treatment.rows(page(treatment_course=rows, administration=missed)), VIEW)
        told = {row["date"]: row for row in twin([panel], VIEW)}
        assert (
            "ordered, nothing recorded as given, ongoing, no stop recorded" in told["2023-01-01"]["remark"]
        )  # it covers the window
        assert told["2024-02-10"]["remark"] == "not given" and told["2024-02-10"]["value"] == ""

    def test_a_missed_dose_of_one_day_is_in_no_later_window(self):
        missed = [administered("tacrolimus", "2023-02-10", action="not_given")]
        assert twin([treatment.panel(treatment.rows(page(administration=missed)), VIEW)], VIEW) == []

    def test_prednisone_equivalent_and_infections_have_a_table(self):
        rows = [equivalent("2024-02-01", "2024-02-10", 50.0, dose_unknown=True)]
        told = glucocorticoid.panel(glucocorticoid.rows(page(prednisone_equivalent=rows)), VIEW).table[0]
        assert (told["value"], told["unit"]) == ("at least 50", "mg/day") and "until 9 Feb 2024" in told["ends"]
        tables = page(
            treatment_course=[course("ganciclovir", "antiviral", "2024-02-01", "2024-02-15", 430.0)],
            infection_episode=[{"organism": "cmv", "site": "blood", "from_date": date(2024, 2, 1), "to_date": None,
                                "open_until": date(2024, 3, 1), "end_organ": False, "evidence": ["7"]}],
        )  # fmt: skip
        assert [row["what"] for row in infection.panel(infection.rows(tables), VIEW).table] == [
            "infection episode",
            "Ganciclovir",
        ]


def test_every_course_of_the_real_case_names_its_source(shown_store):
    tables = data.patient_page("yonsei-2021")
    courses = treatment.rows(tables) + treatment.courses(tables, treatment.INFECTION_CLASSES.__contains__)
    assert len(courses) > 20 and all(re.search(r"\.csv line \d+", row["source"]) for row in courses)


def test_the_records_of_drugs_are_those_that_stood(shown_store):
    """Nothing had been received before the store was made."""
    assert data.patient_page("yonsei-2021")["administration"]
    assert data.patient_page("yonsei-2021", data.known(received_at=datetime(2000, 1, 1)))["administration"] == []
