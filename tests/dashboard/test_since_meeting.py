"""What changed since the last meeting and what record would settle most: each definition at its boundaries."""

from datetime import date, timedelta

import pytest

from dashboard import flag_cards, header, strip
from tests.dashboard.hand_made import judged, page

DAY = date(2024, 3, 1)


class TestSinceTheMeeting:
    SINCE = date(2024, 2, 10)

    def run(self, *spells: tuple[str, str | None, str]) -> dict:
        return page(judgement=[judged("a", "transplant", *spell) for spell in spells])

    def counted(self, tables: dict, as_of: date = DAY) -> tuple[int, int, int]:
        found = strip.newly_met, strip.no_longer_met, strip.met_between
        return tuple(len(one(tables, as_of, self.SINCE)) for one in found)

    @pytest.mark.parametrize(
        ("spells", "counts"),
        [
            ([("2024-02-10", None, "met")], (0, 0, 0)),  # met on the day of the meeting
            ([("2024-02-11", None, "met")], (1, 0, 0)),
            ([("2024-02-01", "2024-02-15", "met"), ("2024-02-15", None, "met")], (0, 0, 0)),  # judged again, unbroken
            (
                [
                    ("2024-02-01", "2024-02-12", "met"),
                    ("2024-02-12", "2024-02-15", "not_met"),
                    ("2024-02-15", None, "met"),
                ],
                (1, 0, 0),
            ),
            ([("2024-02-01", "2024-02-15", "met"), ("2024-02-15", None, "not_met")], (0, 1, 0)),
            ([("2024-02-01", "2024-02-15", "met"), ("2024-02-15", None, "not_evaluable")], (0, 1, 0)),
            ([("2024-02-01", "2024-02-10", "met"), ("2024-02-10", None, "not_met")], (0, 0, 0)),  # ceased on its day
            ([("2024-02-12", "2024-02-15", "met"), ("2024-02-15", None, "not_met")], (0, 0, 1)),
            ([("2024-03-02", None, "met")], (0, 0, 0)),  # later than the as-of day
        ],
    )
    def test_newly_met_no_longer_met_and_met_between(self, spells, counts):
        assert self.counted(self.run(*spells)) == counts

    def test_what_became_unknown_is_told_from_what_ceased(self):
        tables = self.run(("2024-02-01", "2024-02-15", "met"), ("2024-02-15", None, "not_evaluable"))
        assert [row["now"] for row in strip.no_longer_met(tables, DAY, self.SINCE)] == ["not_evaluable"]
        said = header.sentence(tables, DAY, header.LastMeeting(self.SINCE, assumed=False))
        assert "no longer met: **1** (a&#44; now unknown)" in said

    def test_items_are_flags_of_their_own(self):
        rows = [
            judged("a", "transplant", "2024-02-01", None, "met", "one"),
            judged("a", "transplant", "2024-02-20", None, "met", "two"),
        ]
        assert [row["item"] for row in strip.newly_met(page(judgement=rows), DAY, self.SINCE)] == ["two"]

    def test_they_come_in_the_order_of_groups(self):
        rows = [
            judged("a", "monitoring", "2024-02-20", None, "met"),
            judged("b", "refractory", "2024-02-20", None, "met"),
        ]
        assert [row["criterion"] for row in strip.newly_met(page(judgement=rows), DAY, self.SINCE)] == ["b", "a"]

    def test_the_items_of_one_criterion_are_named_together(self):
        rows = [
            judged("b", "refractory", "2024-02-20", None, "met"),
            judged("a", "monitoring", "2024-02-20", None, "met", "blood_count"),
            judged("a", "monitoring", "2024-02-20", None, "met", "ldh"),
        ]
        assert flag_cards.names(rows) == "b; a: blood count, ldh"

    def test_the_line_says_that_the_meeting_is_assumed(self):
        for assumed in (True, False):
            said = header.sentence(page(), DAY, header.LastMeeting(self.SINCE, assumed))
            assert "10 Feb 2024" in said and ("assumed" in said) == assumed


class TestSettling:
    def unknown(self, criterion: str, *missing: str, item: str | None = None) -> dict:
        return judged(criterion, "transplant", "2024-01-01", None, "not_evaluable", item, missing=list(missing))

    def found(self, *rows: dict):
        return strip.settling(page(judgement=list(rows)), DAY)

    def test_a_criterion_that_misses_more_is_asking_but_not_settled(self):
        rows = self.unknown("a", "ferritin"), self.unknown("b", "ferritin", "CRP"), self.unknown("c", "CRP", "IgG")
        assert self.found(*rows) == ("ferritin", 1, 2)

    def test_what_settles_goes_before_what_is_asked_for(self):
        rows = self.unknown("a", "IgG"), self.unknown("b", "CRP", "LDH"), self.unknown("c", "CRP", "LDH")
        assert self.found(*rows) == ("IgG", 1, 1)

    def test_a_criterion_of_several_items_counts_once_and_only_if_all_are_settled(self):
        one, two = self.unknown("a", "CRP", item="1"), self.unknown("a", "CRP", item="2")
        assert self.found(one, two) == ("CRP", 1, 1)
        assert self.found(one, two, self.unknown("a", "IgG", item="3")) == ("CRP", 0, 1)

    def test_therapy_that_has_not_begun_is_no_missing_test(self):
        rows = [self.unknown(name, "combination therapy") for name in "abc"]
        assert self.found(*rows) is None and self.found(*rows, self.unknown("d", "CRP")) == ("CRP", 1, 1)

    def test_only_what_stands_open_on_the_day_counts(self):
        closed = self.unknown("a", "CRP") | {"until_date": DAY}
        later = self.unknown("b", "CRP") | {"on_date": DAY + timedelta(days=1)}
        assert self.found(closed, later) is None

    def test_the_line_says_both_counts_where_they_differ(self):
        def said(*rows: dict) -> str:
            return header.sentence(page(judgement=list(rows)), DAY, header.LastMeeting(DAY, assumed=False))

        asked = self.unknown("b", "ferritin", "CRP")
        assert "**Cannot be told 1**: a record of **ferritin** would settle 1 criterion" in said(
            self.unknown("a", "ferritin")
        )
        assert "would settle 1 criterion (asked for by 2)" in said(self.unknown("a", "ferritin"), asked)
        assert "none by one record alone; CRP is asked for by 1 criterion" in said(asked)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (("event", "respiratory", "present", None, "stay"), "stay: respiratory, present"),
        (("event", "dyspnoea", "worse", None, "symptom"), "symptom: dyspnoea, worse"),
        (("observation", "ferritin", "1500", "ng/mL", None), "Ferritin 1500 ng/mL"),
    ],
)
def test_a_record_of_the_evidence_in_words(record, said):
    assert flag_cards.words_of(dict(zip(("kind", "what", "value", "unit", "assay"), record, strict=True))) == said


def test_what_does_not_wait_for_a_meeting_is_named_first():
    met = ("2024-02-20", None, "met")
    rows = [judged("any_oxygen", "refractory", *met), judged("urgent_transfer", "transplant", *met)]
    named = [row["criterion"] for row in strip.newly_met(page(judgement=rows), DAY, date(2024, 2, 10))]
    assert named == ["urgent_transfer", "any_oxygen"]
