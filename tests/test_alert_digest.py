"""The digest before a meeting, and the alarm budget."""

from datetime import datetime

import pytest
from markdown_it import MarkdownIt

from pipelines.alert_budget import budget
from pipelines.alert_digest import digest
from tests.alert_stores import HandMade, day

HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) | # `a`"


@pytest.fixture(scope="module")
def store() -> HandMade:
    """p: urgent since day 5; q: a warning, acknowledged until day 12, hostile by name; r: cannot be told; s: ceased."""
    store = HandMade()
    store.spells((5, "met", 3, [1], 0.1))
    store.spells((1, "met", 2, [2], 0.1), patient=HOSTILE)
    store.spells((1, "not_evaluable"), patient="r")
    store.spells((1, "met", 2), (8, "not_met", 1), patient="s")
    for patient in ("p", HOSTILE, "r", "s"):
        store.record(1, patient)
        store.record(10, patient)
    alert = next(one for one in store.alerts(10) if one["patient_id"] == HOSTILE)
    store.acknowledge(alert, 10, 12, why=HOSTILE, author="Dr A")
    return store


def digested(store: HandMade, as_of: int = 10, since: int | None = None) -> str:
    with store.con.cursor() as cursor:
        return digest(cursor, day(as_of), since and day(since))


class TestDigest:
    def test_what_waits_stands_first_the_urgent_on_top(self, store):
        text = digested(store)
        opened, covered = text.index("## Open"), text.index("## Acknowledged")
        assert opened < text.index("### p") < text.index("### s") < covered
        assert "▲▲ URGENT: Neutropenia of CTCAE grade 2 or more**, since 2024-03-05" in text
        assert "Now: ceased on 2024-03-08" in text
        assert "2 alerts of 2 patients, 1 of them urgent, not acknowledged; 1 acknowledged." in text

    def test_what_is_acknowledged_says_by_whom_and_until_when(self, store):
        covered = digested(store).split("## Acknowledged")[1]
        assert "until 2024-03-12 by Dr A (typed)" in covered
        assert "## Acknowledgements that run out before 2024-03-17\n\n* 2024-03-12" in covered

    def test_an_acknowledgement_that_has_run_out_says_so(self, store):
        assert "Re-opened: the acknowledgement ran out on 2024-03-12" in digested(store, 13)

    def test_what_runs_out_on_the_seventh_day_is_not_yet_named(self, store):
        assert "run out before 2024-03-12\n\nNone." in _asked_of_day_5(store)

    def test_what_began_since_the_last_meeting_is_marked(self, store):
        assert "* ✱ **▲▲ URGENT" in digested(store, since=4)
        assert "✱ **" not in digested(store, since=5)

    def test_what_cannot_be_told_of_an_urgent_rule_names_what_would_settle_it(self, store):
        assert "neutrophil count: 1 (r)" in digested(store).split("## Urgent rules that cannot be told")[1]

    def test_text_from_data_does_nothing(self, store):
        shown = MarkdownIt("commonmark").render(digested(store))
        assert "<script>" not in shown and "<a " not in shown and "<code>" not in shown
        assert "&lt;script&gt;" in shown


def _asked_of_day_5(store: HandMade) -> str:
    """The same acknowledgement as if it had been given on day 5."""
    with store.con.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("UPDATE record.entry SET frozen = replace(frozen, '2024-03-10', '2024-03-05')")
        text = digest(cursor, day(5))
        cursor.execute("ROLLBACK")
    return text


class TestBudget:
    def budget(self, store: HandMade, as_of: int) -> dict:
        with store.con.cursor() as cursor:
            return budget(cursor, day(as_of))

    def test_alerts_are_counted_on_the_day_they_begin_per_week_of_observation(self, store):
        found = self.budget(store, 10)
        total = found["total"]
        assert found["patients"] == 4 and found["weeks"] == pytest.approx(40 / 7)
        assert (total["began"], total["began_urgent"], total["began_later"]) == (3, 1, 0)
        assert total["per_week"] == pytest.approx(3 / (40 / 7))
        assert (total["due"], total["share"]) == (0, None)

    def test_acted_on_are_alerts_whose_days_are_over(self, store):
        """Day 1 and 14 days: over on day 16. One of the two of day 1 was acknowledged on day 10."""
        assert [self.budget(store, on)["total"]["due"] for on in (15, 16, 19, 20)] == [0, 2, 2, 3]
        total = self.budget(store, 20)["total"]
        assert (total["acted"], total["share"]) == (1, pytest.approx(1 / 3))
        assert (total["due_urgent"], total["acted_urgent"]) == (1, 0)

    @pytest.mark.parametrize(("on", "acted"), [(15, 1), (16, 0)])
    def test_a_decision_that_names_the_criterion_counts_within_its_days(self, on, acted):
        store = HandMade()
        store.spells((1, "met", 2))
        store.record(1)
        alert = {
            "patient_id": "p",
            "criterion": "neutropenia",
            "item": None,
            "severity": "warning",
            "grade": 2,
            "margin": None,
        }
        assert self.budget(store, 30)["acts"] == 0
        store.acknowledge(
            alert | {"evidence": [], "finding": ""},
            1,
            60,
            "not_met",
            kind="decision",
            day=day(on),
            entered_at=datetime(2024, 12, 2),
        )
        assert self.budget(store, 30)["total"]["acted"] == acted

    def test_what_began_after_the_last_record_is_in_no_rate(self):
        store = HandMade()
        store.spells((9, "met", 2))
        store.record(1)
        total = self.budget(store, 30)["total"]
        assert (total["began"], total["began_later"], total["per_week"]) == (0, 1, 0)

    def test_of_nobody_there_is_no_rate(self):
        found = self.budget(HandMade(), 1)
        assert (found["weeks"], found["total"]["per_week"], found["criteria"]) == (0, None, [])
