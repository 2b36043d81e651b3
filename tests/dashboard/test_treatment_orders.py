"""What was ordered beside what was given: said and drawn so that neither hides the other."""

from datetime import date

from dashboard.charts import treatment
from dashboard.charts.page import page_figure
from dashboard.charts.panel import View
from tests.dashboard.hand_made import course, page, pulse

WINDOW = (date(2024, 1, 1), date(2024, 6, 30))
VIEW = View(*WINDOW, WINDOW[1])
DAYS = ("2024-02-01", "2024-03-01")


def said(*courses: dict) -> list[str]:
    """What table and hover box say of each course that was ordered."""
    rows = treatment.rows(page(treatment_course=list(courses)))
    ordered = [row for row in rows if row["action"] == "ordered"]
    return [f"{treatment.table_row(row)['remark']} / {treatment.hover(row)}" for row in ordered]


class TestWords:
    def test_an_order_on_days_with_a_given_dose_is_just_an_order(self):
        orders = (
            course("tacrolimus", "cni", *DAYS, 3.0, action="ordered"),
            pulse("rituximab", "rituximab", "2024-02-05", 500.0, action="ordered"),
        )
        given = (
            course("tacrolimus", "cni", "2024-02-29", None, 3.0),
            pulse("rituximab", "rituximab", "2024-02-05", 500.0),
        )
        for text in said(*orders, *given):
            assert text.count("ordered") == 2 and "given" not in text

    def test_that_nothing_was_given_is_said_only_of_what_is_recorded(self):
        order = course("tacrolimus", "cni", *DAYS, 3.0, action="ordered")
        elsewhere = course("tacrolimus", "cni", "2024-03-01", None, 3.0), course("ciclosporin", "cni", *DAYS, 100.0)
        filled = course("tacrolimus", "cni", "2024-02-10", "2024-02-12", 3.0, gap=True)  # a gap is no record
        (text,) = said(order, *elsewhere, filled)
        assert text.count("ordered, nothing recorded as given") == 2 and "not given" not in text


class TestMarks:
    def drawn(self, *courses: dict) -> dict:
        figure = page_figure(page(treatment_course=list(courses)), WINDOW[1], window=WINDOW, shown=["treatment"])
        return next(trace for trace in figure["data"] if trace["name"] == "Rituximab")

    def test_an_ordered_dose_stands_open_round_the_given_one(self):
        days = (("2024-02-05", "ordered"), ("2024-02-05", "given"))
        marker = self.drawn(*(pulse("rituximab", "rituximab", day, 500.0, action=action) for day, action in days))[
            "marker"
        ]
        assert dict(zip(marker["symbol"], marker["size"], strict=True)) == {"diamond": 11, "diamond-open": 16}

    def test_doses_that_were_given_have_one_size(self):
        assert self.drawn(pulse("rituximab", "rituximab", "2024-02-05", 500.0))["marker"]["size"] == 11
