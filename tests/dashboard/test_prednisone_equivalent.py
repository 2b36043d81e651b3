"""The area of prednisone equivalent: filled as far as a dose is known to have been taken, open after it, and never falling at the edge of
the window."""

from datetime import date

from dashboard.charts import glucocorticoid
from dashboard.charts.panel import View
from tests.dashboard.hand_made import administered, course, equivalent, page

WINDOW = (date(2024, 1, 1), date(2024, 6, 30))
VIEW = View(*WINDOW, WINDOW[1])
EDGE = "2024-07-01"


def taken(from_date: str, to_date: str | None, mg: float, confirmed: str | None = None, **more) -> tuple[dict, dict]:
    """A course of prednisolone and its interval of the concept."""
    own = course("prednisolone", "glucocorticoid", from_date, to_date, mg,
                 last_confirmed=date.fromisoformat(confirmed) if confirmed else None, **more)  # fmt: skip
    return own, equivalent(from_date, to_date, mg, evidence=own["evidence"])


def drawn(courses: list[dict], intervals: list[dict], view: View = VIEW, records: list[dict] = ()):
    tables = page(treatment_course=courses, prednisone_equivalent=intervals, administration=list(records))
    return glucocorticoid.panel(glucocorticoid.rows(tables), view)


def corners(panel, **line) -> list[tuple]:
    """The corners of the lines that are filled, dashed or neither."""
    wanted = {"fill": False, "dash": False} | line
    return [
        (x, y)
        for trace in panel.traces
        if trace["mode"] == "lines"
        and ("fill" in trace) == wanted["fill"]
        and ("dash" in trace["line"]) == wanted["dash"]
        for x, y in zip(trace["x"], trace["y"], strict=True)
    ]


class TestOngoing:
    def test_it_is_filled_to_its_last_confirmation_and_dashed_to_the_edge(self):
        own, interval = taken("2024-02-01", None, 20.0, "2024-04-10")
        panel = drawn([own], [interval])
        assert corners(panel, fill=True) == [
            ("2024-02-01", 0),
            ("2024-02-01", 20),
            ("2024-04-11", 20),
            ("2024-04-11", 0),
        ]
        assert corners(panel) == [("2024-02-01", 0), ("2024-02-01", 20), ("2024-04-11", 20)]  # no drop: it did not stop
        assert corners(panel, dash=True) == [("2024-04-11", 20), (EDGE, 20)]

    def test_never_confirmed_it_is_known_for_its_first_day(self):
        own, interval = taken("2024-02-01", None, 20.0)
        assert corners(drawn([own], [interval]), dash=True) == [("2024-02-02", 20), (EDGE, 20)]

    def test_long_after_its_confirmation_there_is_no_fill_and_the_dose_is_said(self):
        own, interval = taken("2023-02-01", None, 20.0, "2023-04-10")
        panel = drawn([own], [interval])
        assert corners(panel, fill=True) == corners(panel) == []
        assert corners(panel, dash=True) == [("2024-01-01", 20), (EDGE, 20)]
        assert [text for trace in panel.traces if trace["name"] == "labels" for text in trace["text"]] == ["20"]

    def test_a_sum_is_as_sure_as_its_least_confirmed_drug(self):
        """A pulse on top of an unconfirmed daily dose does not confirm it."""
        own, before = taken("2024-02-01", None, 20.0, "2024-02-10")
        pulse = course("methylprednisolone", "glucocorticoid", "2024-03-01", "2024-03-04", 500.0)
        both = equivalent("2024-03-01", "2024-03-04", 645.0, evidence=[*own["evidence"], *pulse["evidence"]])
        after = equivalent("2024-03-04", None, 20.0, evidence=own["evidence"])
        panel = drawn([own, pulse], [before | {"to_date": date(2024, 3, 1)}, both, after])
        assert corners(panel, fill=True)[-1] == ("2024-02-11", 0)
        assert corners(panel, dash=True) == [
            ("2024-02-11", 20), ("2024-03-01", 20), ("2024-03-01", 645), ("2024-03-04", 645), ("2024-03-04", 20), (EDGE, 20)
        ]  # fmt: skip

    def test_when_it_was_confirmed_is_said(self):
        own, interval = taken("2024-02-01", None, 20.0, "2024-04-10")
        panel = drawn([own], [interval])
        said = next(trace["hovertext"][0] for trace in panel.traces if trace["mode"] == "markers")
        for text in (said, panel.table[0]["ends"]):
            assert "ongoing, no stop recorded, last confirmed 10 Apr 2024" in text

    def test_orders_and_other_classes_confirm_nothing(self):
        own, interval = taken("2024-02-01", None, 20.0, "2024-02-10")
        order = own | {"action": "ordered", "last_confirmed": date(2024, 1, 1)}
        other = own | {"drug_class": "cni", "last_confirmed": date(2024, 1, 1)}
        assert corners(drawn([order, other, own], [interval]), dash=True)[0] == ("2024-02-11", 20)


class TestEdges:
    def test_a_dose_with_an_end_falls_on_it(self):
        own, interval = taken("2024-02-01", "2024-03-01", 20.0)
        panel = drawn([own], [interval])
        assert corners(panel)[-1] == ("2024-03-01", 0) and corners(panel, dash=True) == []

    def test_the_window_neither_starts_nor_stops_a_dose(self):
        own, interval = taken("2023-02-01", "2025-03-01", 20.0)
        assert corners(drawn([own], [interval])) == [("2024-01-01", 20), (EDGE, 20)]

    def test_between_two_courses_nothing_is_drawn(self):
        first, second = taken("2024-02-01", "2024-03-01", 20.0), taken("2024-04-01", "2024-05-01", 10.0)
        panel = drawn([first[0], second[0]], [first[1], second[1]])
        assert corners(panel)[3:6] == [("2024-03-01", 0), (None, None), ("2024-04-01", 0)]


def test_its_table_names_the_source():
    record = administered("prednisolone", "2024-02-01", "2024-02-29", line=9)
    own, interval = taken("2024-02-01", "2024-03-01", 20.0, evidence=[record["record_id"]])
    assert drawn([own], [interval], records=[record]).table[0]["source"] == "meds.csv line 9"
