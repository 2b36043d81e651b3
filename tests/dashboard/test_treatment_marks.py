"""Marks of treatment lanes told apart without colour: an end nobody recorded, a dose nobody could read, each kind of procedure; and what is
drawn when many stand close together."""

import json
import time
import timeit
from datetime import date, timedelta

import pytest

from dashboard.charts import infection, treatment
from dashboard.charts.page import page_figure
from dashboard.charts.panel import DAY_MS, View
from dashboard.charts.treatment_bars import UNKNOWN
from tests.dashboard.hand_made import administered, course, event, page, pulse

WINDOW = (date(2024, 1, 1), date(2024, 6, 30))
VIEW = View(*WINDOW, WINDOW[1])


def figure(*courses: dict, window=WINDOW, ringed=(), **tables) -> list[dict]:
    tables = page(treatment_course=list(courses), **tables)
    return page_figure(tables, window[1], ringed, window=window, shown=["treatment"])["data"]


def named(traces: list[dict], name: str) -> list[dict]:
    return [trace for trace in traces if trace["name"] == name]


def words(traces: list[dict]) -> list[str]:
    return [text for trace in named(traces, "labels") for text in trace["text"]]


def days(drug: str, first: str, count: int, dose: float | None = 3.0, stops: bool = True, **more) -> list[tuple]:
    """So many one-day courses on end, each with its record, which names its last day where it `stops`."""
    start, found = date.fromisoformat(first), []
    for number in range(count):
        day = start + timedelta(days=number)
        record = administered(drug, day.isoformat(), day.isoformat() if stops else None, line=2 + number)
        found.append(
            (course(drug, "cni", day.isoformat(), (day + timedelta(days=1)).isoformat(), dose,
                    evidence=[record["record_id"]], **more), record)
        )  # fmt: skip
    return found


def drawn_days(found: list[tuple], **more) -> list[dict]:
    return figure(*(row for row, _ in found), administration=[record for _, record in found], **more)


class TestEnds:
    NAME = "Tacrolimus, stop not recorded"

    def test_one_that_nobody_recorded_has_a_mark_and_a_question(self):
        traces = drawn_days(days("tacrolimus", "2024-02-01", 1, stops=False))
        (end,) = named(traces, self.NAME)
        assert end["x"] == ["2024-02-02"] and end["marker"]["symbol"] == ["triangle-right-open"]
        assert "no stop recorded and not ongoing" in end["hovertext"][0] and words(traces) == ["stop?"]

    def test_a_recorded_stop_has_none(self):
        traces = drawn_days(days("tacrolimus", "2024-02-01", 1))
        assert named(traces, self.NAME) == [] and words(traces) == []

    def test_a_dose_on_the_next_day_leaves_no_question(self):
        """Of days recorded one by one only the last may be the end."""
        assert named(drawn_days(days("tacrolimus", "2024-02-01", 5, stops=False)), self.NAME)[0]["x"] == ["2024-02-06"]
        first = days("tacrolimus", "2024-02-01", 1, stops=False)[0]
        then = course("tacrolimus", "cni", "2024-02-02", None, 5.0, last_confirmed=date(2024, 3, 1))
        assert named(figure(first[0], then, administration=[first[1]]), self.NAME) == []

    def test_another_drug_does_not_answer_it(self):
        first = days("tacrolimus", "2024-02-01", 1, stops=False)[0]
        other = course("ciclosporin", "cni", "2024-02-02", "2024-05-01", 100.0)
        traces = figure(first[0], other, administration=[first[1]])
        assert named(traces, self.NAME)[0]["x"] == ["2024-02-02"] and "stop?" not in words(traces)  # its bar is there

    def test_an_end_outside_the_window_is_not_drawn(self):
        assert named(drawn_days(days("tacrolimus", "2023-02-01", 1, stops=False)), self.NAME) == []


class TestHatching:
    def test_an_unknown_dose_looks_unlike_an_episode_with_no_end(self):
        episode = {"organism": "cmv", "site": "blood", "from_date": date(2024, 2, 1), "to_date": None,
                   "open_until": date(2024, 3, 1), "end_organ": False, "evidence": ["7"]}  # fmt: skip
        unknown = course("ganciclovir", "antiviral", "2024-02-01", "2024-03-01")
        rows = infection.rows(page(treatment_course=[unknown], infection_episode=[episode]))
        bars = [trace for trace in infection.panel(rows, VIEW).traces if trace["type"] == "bar"]
        shapes = {trace["name"]: trace["marker"]["pattern"]["shape"] for trace in bars}
        assert shapes["Ganciclovir"] == [UNKNOWN] and shapes["infection episode"] == ["/"] != [UNKNOWN]


class TestProcedures:
    def sessions(self, code: str, *on: str) -> list[dict]:
        return [event("procedure", code, day) for day in on]

    def test_each_has_a_symbol_that_no_dose_has(self):
        codes = ("plasma_exchange", "polymyxin_hemoperfusion", "bronchoscopy", "ecmo", "something_else")
        traces = figure(
            pulse("rituximab", "rituximab", "2024-02-05", 500.0),
            event=[one for code in codes for one in self.sessions(code, "2024-02-01")],
        )
        symbols = [trace["marker"]["symbol"][0] for trace in traces if trace.get("hovertext")]
        assert len(symbols) == len(set(symbols)) == 6

    def test_sessions_that_touch_are_counted_under_a_bracket(self):
        on = ("2024-02-17", "2024-02-19", "2024-02-22", "2024-02-24", "2024-02-26", "2024-02-29")
        traces = figure(event=self.sessions("plasma_exchange", *on))
        (bracket,) = named(traces, "bracket")
        assert (bracket["x"][0], bracket["x"][3]) == ("2024-02-17", "2024-02-29")
        assert words(traces) == ["6 sessions 17 to 29 Feb"]
        assert (
            max(named(traces, "plasma exchange")[0]["marker"]["size"]) * 1.1 < 2 * 660 / 181
        )  # narrower than two days

    def test_those_apart_keep_their_numbers(self):
        on = ("2024-02-17", "2024-02-18", "2024-02-19", "2024-02-20", "2024-05-01")
        traces = figure(event=self.sessions("plasma_exchange", *on))
        assert sorted(words(traces)) == ["4 sessions 17 to 20 Feb", "5"]
        assert named(figure(event=self.sessions("plasma_exchange", *on[-2:])), "bracket") == []

    def test_months_are_named_where_they_differ_and_doses_are_no_sessions(self):
        doses = [pulse("ivig", "ivig", day, 20.0) for day in ("2024-01-30", "2024-01-31", "2024-02-01")]
        assert words(figure(*doses)) == ["3 doses 30 Jan to 1 Feb"]

    def test_what_comes_after_the_as_of_day_is_not_counted_with_what_came_before(self):
        events = self.sessions("plasma_exchange", *(f"2024-02-{day}" for day in range(17, 25)))
        drawn = page_figure(page(event=events), date(2024, 2, 20), window=WINDOW, shown=["treatment"])["data"]
        assert named(drawn, "bracket")[0]["x"] == [
            *("2024-02-17", "2024-02-17", "2024-02-20", "2024-02-20", None),
            *("2024-02-21", "2024-02-21", "2024-02-24", "2024-02-24", None),
        ]

    def test_an_order_is_no_session(self):
        doses = [pulse("ivig", "ivig", f"2024-02-0{day}", 20.0, action="ordered") for day in (1, 2, 3)]
        assert named(figure(*doses), "bracket") == []


class TestDaysRecordedOneByOne:
    def test_they_are_one_bar_that_says_so(self):
        found = days("tacrolimus", "2024-02-01", 12)
        (bars,) = named(drawn_days(found), "Tacrolimus")
        assert (bars["base"], bars["x"], bars["text"]) == (["2024-02-01"], [12 * DAY_MS], ["3 mg"])
        assert "until 12 Feb 2024, 12 days recorded one by one · meds.csv line 2 and 11 more" in bars["hovertext"][0]

    @pytest.mark.parametrize(
        "other", [{"dose_per_day": 5.0}, {"route": "iv"}, {"action": "ordered"}, {"notes": ["overlap in source"]}]
    )
    def test_what_differs_stands_apart(self, other):
        found = days("tacrolimus", "2024-02-01", 4)
        found[2] = (found[2][0] | other, found[2][1])
        (bars,) = named(drawn_days(found), "Tacrolimus")
        assert sorted(zip(bars["base"], bars["x"], strict=True)) == [
            ("2024-02-01", 2 * DAY_MS), ("2024-02-03", DAY_MS), ("2024-02-04", DAY_MS)
        ]  # fmt: skip

    def test_a_day_left_out_stays_a_gap(self):
        found = days("tacrolimus", "2024-02-01", 4)
        del found[1]
        (bars,) = named(drawn_days(found), "Tacrolimus")
        assert list(zip(bars["base"], bars["x"], strict=True)) == [("2024-02-01", DAY_MS), ("2024-02-03", 2 * DAY_MS)]

    def test_evidence_and_table_keep_each_day(self):
        found = days("tacrolimus", "2024-02-01", 12)
        rows = treatment.rows(page(treatment_course=[row for row, _ in found], administration=[r for _, r in found]))
        assert len(treatment.panel(rows, VIEW).table) == 12
        (frame,) = named(drawn_days(found, ringed=found[3][0]["evidence"]), "evidence frame")
        assert frame["x"][:2] == ["2024-02-04", "2024-02-05"]


class TestFrames:
    def frames(self, *courses: dict) -> list[tuple[float, float]]:
        """Top and foot of each frame, in order down the axis."""
        (frame,) = named(figure(*courses, ringed=[one for row in courses for one in row["evidence"]]), "evidence frame")
        ys = [y for y in frame["y"] if y is not None]
        return sorted((min(ys[n : n + 5]), max(ys[n : n + 5])) for n in range(0, len(ys), 5))

    def test_those_of_neighbouring_tracks_do_not_touch(self):
        first, second = self.frames(
            course("tacrolimus", "cni", "2024-02-01", None, 3.0),
            course("ciclosporin", "cni", "2024-03-01", None, 200.0),
        )
        assert first[1] < second[0]

    def test_a_dose_on_the_next_track_is_in_no_frame(self):
        dose = pulse("methylprednisolone", "glucocorticoid", "2024-02-05", 500.0)
        frames = self.frames(course("prednisolone", "glucocorticoid", "2024-02-01", None, 20.0), dose)
        rows = treatment.rows(page(treatment_course=[course("prednisolone", "glucocorticoid", "2024-02-01"), dose]))
        (point,) = treatment.panel(rows, VIEW).points
        assert all(
            not top <= point[2] <= foot and min(abs(point[2] - top), abs(point[2] - foot)) > 0.36
            for top, foot in frames
        )

    def test_alone_in_its_lane_a_course_has_the_whole_frame(self):
        ((top, foot),) = self.frames(course("tacrolimus", "cni", "2024-02-01", None, 3.0))
        assert foot - top == pytest.approx(0.8)


class TestMany:
    def alternating(self, count: int = 2000) -> tuple[dict, date]:
        """A patient whose dose changes every day: nothing can be joined."""
        found = days("prednisolone", "2018-06-01", count, route="oral")
        rows = [row | {"dose_per_day": 5.0 + number % 7} for number, (row, _) in enumerate(found)]
        return page(treatment_course=rows, administration=[record for _, record in found]), rows[-1]["from_date"]

    def test_what_all_bars_share_is_sent_once_and_still_read(self):
        tables, last = self.alternating(200)
        (bars,) = named(page_figure(tables, last, shown=["treatment"])["data"], "Prednisolone")
        assert (
            bars["hovertemplate"] == "Prednisolone · oral · %{hovertext} · meds.csv line %{customdata}<extra></extra>"
        )
        assert (bars["hovertext"][8], bars["customdata"][8]) == ("6 mg/day · 9 Jun 2018", "10")

    def test_no_text_of_data_is_read_as_a_template(self):
        tables, last = self.alternating(200)
        for record in tables["administration"]:
            record["file"] = "%{x}.csv"
        (bars,) = named(page_figure(tables, last, shown=["treatment"])["data"], "Prednisolone")
        assert "%{x}" not in bars["hovertemplate"] and "%{x}.csv line 10" in bars["hovertext"][8]

    def test_two_thousand_courses_are_light(self):
        tables, last = self.alternating()
        drawn = page_figure(tables, last, shown=["treatment"])
        assert len(json.dumps(drawn, ensure_ascii=False, separators=(",", ":")).encode()) < 150_000  # as it is sent
        taken = min(
            timeit.repeat(
                lambda: page_figure(tables, last, shown=["treatment"]), number=1, repeat=5, timer=time.process_time
            )
        )
        assert taken < 0.06  # half of that where nothing else runs

    def test_two_thousand_days_of_one_dose_are_one_bar(self):
        tables, last = self.alternating()
        for row in tables["treatment_course"]:
            row["dose_per_day"] = 10.0
        drawn = page_figure(tables, last, shown=["treatment"])
        assert len(json.dumps(drawn)) < 10_000
