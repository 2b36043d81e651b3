"""What counts as a therapy start, a pulse and an exchange, and which others stand beside it."""

from datetime import date, timedelta

import pytest

from dashboard import response
from tests.dashboard.hand_made import course, event, page, pulse

AS_OF = date(2024, 12, 31)
DAY0 = date(2024, 6, 1)


def on(day: int) -> str:
    """The ISO date so many days after day 0."""
    return (DAY0 + timedelta(days=day)).isoformat()


def tacrolimus(day: int, until: int | None = None, **more) -> dict:
    return course("tacrolimus", "cni", on(day), None if until is None else on(until), 3.0, **more)


def cyclophosphamide(day: int, **more) -> dict:
    return pulse("cyclophosphamide", "cyclophosphamide", on(day), 750.0, **more)


def methylprednisolone(day: int, until: int, dose: float, **more) -> dict:
    return course("methylprednisolone", "glucocorticoid", on(day), on(until), dose, **more)


def session(day: int, code: str = "plasma_exchange", **more) -> dict:
    return event("procedure", code, on(day), **more)


def told(as_of: date = AS_OF, events: tuple = (), *courses: dict) -> list[tuple[str, str, int]]:
    """(kind, name, day) of each start, oldest first."""
    found = response.starts(page(treatment_course=list(courses), event=list(events)), as_of)
    return [(start["kind"], start["name"], (start["day"] - DAY0).days) for start in reversed(found)]


START0 = ("start", "Tacrolimus", 0)
SPEC = {
    "the first course of a drug": ([tacrolimus(0)], [START0]),
    "given again after 90 days without it": ([tacrolimus(0, 10), tacrolimus(100)], [START0]),
    "given again after 91 days without it": (
        [tacrolimus(0, 10), tacrolimus(101)],
        [START0, ("start", "Tacrolimus", 101)],
    ),
    "after an ongoing course": ([tacrolimus(0, None), tacrolimus(200)], [START0]),
    "a change of dose": ([tacrolimus(0, 10), tacrolimus(10, dose_per_day=5.0)], [START0]),
    "days of a gap": ([tacrolimus(-3, 0, gap=True), tacrolimus(0)], [START0]),
    "an order": ([tacrolimus(0, action="ordered")], []),
    "an order before it was given": ([tacrolimus(0, action="ordered"), tacrolimus(4)], [("start", "Tacrolimus", 4)]),
    "on the skin": ([tacrolimus(0, systemic=False)], []),
    "another drug of its class": (
        [tacrolimus(0, 10), course("ciclosporin", "cni", on(10), None, 150.0)],
        [START0, ("start", "Ciclosporin", 10)],
    ),
    "one glucocorticoid after another": (
        [methylprednisolone(0, 10, 40.0), course("prednisolone", "glucocorticoid", on(12), None, 50.0)],
        [("start", "Methylprednisolone", 0)],
    ),
    "how long a dose acts counts: leflunomide 28 days": (
        [
            course("leflunomide", "leflunomide", on(0), on(1), 20.0),
            course("leflunomide", "leflunomide", on(118), None, 20.0),
        ],
        [("start", "Leflunomide", 0)],
    ),
    "one day longer without leflunomide": (
        [
            course("leflunomide", "leflunomide", on(0), on(1), 20.0),
            course("leflunomide", "leflunomide", on(119), None, 20.0),
        ],
        [("start", "Leflunomide", 0), ("start", "Leflunomide", 119)],
    ),
    "pulses with 3 days between them": (
        [cyclophosphamide(0), cyclophosphamide(4)],
        [("pulse", "Cyclophosphamide, pulse 1", 0)],
    ),
    "pulses with 4 days between them": (
        [cyclophosphamide(0), cyclophosphamide(5)],
        [("pulse", "Cyclophosphamide, pulse 1", 0), ("pulse", "Cyclophosphamide, pulse 2", 5)],
    ),
    "a pulse ordered": (
        [cyclophosphamide(0, action="ordered"), cyclophosphamide(20)],
        [("pulse", "Cyclophosphamide, pulse 1", 20)],
    ),
    "oral cyclophosphamide": (
        [course("cyclophosphamide", "cyclophosphamide", on(0), None, 50.0, route="oral")],
        [("start", "Cyclophosphamide", 0)],
    ),
    "a glucocorticoid pulse during daily doses": (
        [methylprednisolone(0, 40, 40.0), methylprednisolone(20, 23, 1000.0, pulse=True)],
        [("start", "Methylprednisolone", 0), ("pulse", "Methylprednisolone, pulse 1", 20)],
    ),
    "daily doses after a glucocorticoid pulse": (
        [methylprednisolone(0, 3, 1000.0, pulse=True), course("prednisolone", "glucocorticoid", on(3), None, 50.0)],
        [("pulse", "Methylprednisolone, pulse 1", 0)],
    ),
    "two days of immunoglobulin": (
        [pulse("ivig", "ivig", on(0), 30.0), pulse("ivig", "ivig", on(1), 30.0)],
        [("pulse", "Intravenous immunoglobulin, infusion 1", 0)],
    ),
    "rituximab twice": (
        [pulse("rituximab", "rituximab", on(0), 1000.0), pulse("rituximab", "rituximab", on(14), 1000.0)],
        [("pulse", "Rituximab, infusion 1", 0), ("pulse", "Rituximab, infusion 2", 14)],
    ),
    "an antibiotic": ([course("meropenem", "antibacterial", on(0), on(7))], []),
    "prevention of Pneumocystis": ([course("tmp_smx", "pjp_prophylaxis", on(0), None)], []),
}


@pytest.mark.parametrize(("courses", "expected"), SPEC.values(), ids=list(SPEC))
def test_starts(courses, expected):
    assert told(AS_OF, (), *courses) == expected


class TestExchange:
    def test_sessions_seven_days_apart_are_one_block(self):
        assert told(AS_OF, (session(0), session(7), session(14))) == [("exchange", "Plasma exchange", 0)]

    def test_sessions_eight_days_apart_are_two(self):
        found = [("exchange", "Plasma exchange", 0), ("exchange", "Plasma exchange", 8)]
        assert told(AS_OF, (session(0), session(8))) == found

    def test_a_session_recorded_as_absent_is_none(self):
        assert told(AS_OF, (session(0, value="absent"),)) == []

    def test_other_procedures_are_no_therapy(self):
        assert told(AS_OF, (session(0, "bronchoscopy"), session(0, "ecmo"))) == []

    def test_the_block_says_how_many_sessions_up_to_the_as_of_day(self):
        events = [session(0), session(2), session(4)]
        early, late = (response.starts(page(event=events), DAY0 + timedelta(days))[0] for days in (3, 30))
        assert (early["dose"], late["dose"]) == ("2 sessions to 3 Jun 2024", "3 sessions to 5 Jun 2024")
        assert early["evidence"] == sorted(row["record_id"] for row in events[:2]) and early["id"] == late["id"]


class TestDose:
    def dose(self, *courses: dict, as_of: date = AS_OF) -> str:
        return response.starts(page(treatment_course=list(courses)), as_of)[-1]["dose"]

    def test_it_has_its_unit(self):
        assert self.dose(tacrolimus(0)) == "3 mg/day" and self.dose(cyclophosphamide(0)) == "750 mg"

    def test_unknown_and_partly_unread_are_said(self):
        assert self.dose(tacrolimus(0, dose_per_day=None)) == "dose unknown"
        assert self.dose(tacrolimus(0, dose_unread=True)) == "at least 3 mg/day"

    def test_pulse_days_after_the_as_of_day_do_not_count(self):
        given = methylprednisolone(0, 3, 1000.0, pulse=True)
        assert self.dose(given) == "3 days: 1000 mg/day"
        assert self.dose(given, as_of=DAY0 + timedelta(1)) == "2 days: 1000 mg/day"


class TestOthers:
    def beside(self, *courses: dict, events: tuple = (), as_of: date = AS_OF) -> tuple[list, list]:
        """(name, day) of the others and of those before the start of tacrolimus on day 0."""
        found = response.starts(page(treatment_course=[tacrolimus(0), *courses], event=list(events)), as_of)
        start = next(start for start in found if start["name"] == "Tacrolimus")
        return tuple([(other["name"], other["day"]) for other in start[key]] for key in ("others", "before"))

    @pytest.mark.parametrize(("day", "counts"), [(0, True), (1, True), (28, True), (29, False)])
    def test_the_window_ends_with_day_28(self, day, counts):
        others, before = self.beside(cyclophosphamide(day))
        assert others == [("Cyclophosphamide, pulse 1", day)] * counts and before == []

    @pytest.mark.parametrize(("day", "counts"), [(-1, True), (-28, True), (-29, False)])
    def test_the_days_before_begin_with_day_minus_28(self, day, counts):
        others, before = self.beside(events=(session(day),))
        assert others == [] and before == [("Plasma exchange", day)] * counts

    def test_on_the_same_day_each_has_the_other(self):
        found = response.starts(page(treatment_course=[tacrolimus(0), cyclophosphamide(0)]), AS_OF)
        assert [[other["name"] for other in start["others"]] for start in found] == [
            ["Cyclophosphamide, pulse 1"],
            ["Tacrolimus"],
        ]

    def test_what_starts_after_the_as_of_day_is_not_known_yet(self):
        later = cyclophosphamide(10)
        assert self.beside(later, as_of=DAY0 + timedelta(9))[0] == []
        assert self.beside(later, as_of=DAY0 + timedelta(10))[0] == [("Cyclophosphamide, pulse 1", 10)]

    def test_treatment_of_an_infection_counts_and_prevention_does_not(self):
        treated = course("tmp_smx", "pjp_prophylaxis", on(3), None, purpose="treatment")
        prevented = course("letermovir", "antiviral", on(4), None, purpose="prophylaxis")
        assert self.beside(treated, prevented)[0] == [("Trimethoprim-sulfamethoxazole", 3)]


def test_newest_first_and_never_after_the_as_of_day():
    rows = page(treatment_course=[tacrolimus(0), cyclophosphamide(5), cyclophosphamide(30)], event=[session(40)])
    days = [(start["day"] - DAY0).days for start in response.starts(rows, DAY0 + timedelta(30))]
    assert days == [30, 5, 0]


def test_ids_are_unique_and_name_their_records():
    given = [
        tacrolimus(0),
        cyclophosphamide(0),
        methylprednisolone(0, 3, 1000.0, pulse=True),
        methylprednisolone(0, 9, 40.0),
    ]
    found = response.starts(page(treatment_course=given, event=[session(0)]), AS_OF)
    assert len({start["id"] for start in found}) == len(found) == 5
    assert all(start["evidence"] for start in found)


def test_the_definition_says_its_numbers():
    assert all(
        part in response.definition()
        for part in ("more than 90 days", "up to 3 days", "at most 7 days", "project defaults")
    )
