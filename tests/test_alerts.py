"""The life cycle of alerts. First the definitions as a table of cases, then the seven checks by name, then the laws."""

from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import alert_rules, dictionary, entries
from pipelines.alerts import alerts, frozen
from pipelines.catalog import catalog
from pipelines.load import load, rebuild
from pipelines.store.database import SnapshotReader, Store
from tests.alert_stores import HandMade, day

M, N, U = "met", "not_met", "not_evaluable"
SETTLE = alert_rules.number("settle_days")


@pytest.fixture
def store() -> HandMade:
    return HandMade()


def only(found: list[dict]) -> dict:
    assert len(found) == 1, found
    return found[0]


# answers: (day, status, grade, evidence, margin). expected: None, no alert lives; else since, status_now, flaps, severity.
LIFE = {
    "met today": ([(5, M, 2)], 5, (5, M, 0, "warning")),
    "not yet": ([(5, M, 2)], 4, None),
    "never met": ([(1, N, 0)], 5, None),
    "never told": ([(1, U)], 5, None),
    "urgent from its grade on": ([(5, M, 3)], 5, (5, M, 0, "urgent")),
    "one grade below is a warning": ([(5, M, 2)], 9, (5, M, 0, "warning")),
    "graver within a run is the same alert": ([(5, M, 2), (6, M, 3)], 6, (5, M, 0, "urgent")),
    "milder within a run is the same alert": ([(5, M, 3), (6, M, 2)], 6, (5, M, 0, "warning")),
    "ceased, settle day 6": ([(1, M, 2), (10, N, 1)], 16, (1, N, 1, "warning")),
    "ceased, settle day 7: over": ([(1, M, 2), (10, N, 1)], 17, None),
    "back on day 6 is the same run": ([(1, M, 2), (10, N, 1), (16, M, 2)], 16, (1, M, 1, "warning")),
    "back on day 7 is another run": ([(1, M, 2), (10, N, 1), (17, M, 2)], 17, (17, M, 0, "warning")),
    "not met with two grades is one stretch": ([(1, M, 2), (10, N, 1), (13, N, 0)], 17, None),
    "what cannot be told ends nothing": ([(1, M, 2), (2, U)], 200, (1, U, 0, "warning")),
    "cannot be told, then met: no flap": ([(1, M, 2), (2, U), (50, M, 2)], 60, (1, M, 0, "warning")),
    "cannot be told begins the count anew": ([(1, M, 2), (2, N, 1), (6, U), (9, N, 1)], 15, (1, N, 1, "warning")),
    "and then it is over": ([(1, M, 2), (2, N, 1), (6, U), (9, N, 1)], 16, None),
    "not met, cannot be told, not met ceased once": (
        [(1, M, 2), (2, N, 1), (4, U), (5, N, 1)],
        6,
        (1, N, 1, "warning"),
    ),
}


@pytest.mark.parametrize(("answers", "as_of", "expected"), LIFE.values(), ids=LIFE)
def test_the_life_of_an_alert(store, answers, as_of, expected):
    store.spells(*answers)
    store.record(as_of)
    found = store.alerts(as_of)
    if expected is None:
        assert found == []
        return
    alert = only(found)
    since, status, flaps, severity = expected
    assert (alert["since"], alert["status_now"], alert["flaps"], alert["severity"]) == (
        day(since),
        status,
        flaps,
        severity,
    )
    assert alert["state"] == "open" and alert["because"] is None


def test_an_alert_says_what_has_become_of_its_answer(store):
    store.spells((1, M, 3, [7], 0.1), (4, M, 2, [8], 0.3), (5, U))
    store.record(6)
    alert = only(store.alerts(6))
    assert alert["status_words"] == f"cannot be told since {day(5)}; would settle it: neutrophil count"
    assert alert["evidence"] == ["8"] and alert["was_urgent"]
    assert alert["finding"].startswith("Neutrophils 0.9 x 10^9/L")


@pytest.mark.parametrize(
    ("criterion", "grade", "urgent"),
    [
        ("urgent_transfer", None, True),
        ("refractory_possible", 1, True),
        ("neutropenia", 3, True),
        ("neutropenia", 2, False),
        ("neutropenia", None, False),
        ("high_ferritin", 9, False),  # a warning of any grade
        ("risk_factors", 9, False),  # raises no alert
    ],
)
def test_a_flag_is_urgent_as_its_alert_is(criterion, grade, urgent):
    assert alert_rules.is_urgent(criterion, grade) is urgent


# The alert is acknowledged on day 1 until day 8: met, grade 2, record 7, margin 0.5. answers: what follows.
FROM = (1, M, 2, [7], 0.5)
COVERED = {
    "the same evidence": ([], "evidence", 2, None),
    "until the day itself": ([], "evidence", 8, None),
    "the day after": ([], "evidence", 9, "ran out on 2024-03-08"),
    "a new record": ([(3, M, 2, [8], 0.5)], "evidence", 3, "new evidence: Neutrophils"),
    "one record fewer": ([(3, M, 2, [], 0.5)], "evidence", 3, None),
    "the same record and a new one": ([(3, M, 2, [7, 8], 0.5)], "evidence", 3, "new evidence"),
    "a grade higher on the same record": (
        [(3, M, 3, [7], 0.5)],
        "evidence",
        3,
        "of a higher grade than acknowledged (2)",
    ),
    "a new record no worse": ([(3, M, 2, [8], 0.5)], "unless_worse", 3, None),
    "a new record worse by a step": ([(3, M, 2, [8], 0.51)], "unless_worse", 3, "new evidence"),
    "a new record of a lower grade": ([(3, M, 1, [8], 0.9)], "unless_worse", 3, None),
    "a new record of a higher grade": ([(3, M, 3, [8], 0.1)], "unless_worse", 3, "of a higher grade"),
    "a new record of unknown margin": ([(3, M, 2, [8], None)], "unless_worse", 3, "new evidence"),
    "a new record of unknown grade": ([(3, M, None, [8], 0.5)], "unless_worse", 3, "new evidence"),
    "worse for a while, milder now": (
        [(3, M, 3, [8], 0.1), (4, M, 2, [9], 0.5)],
        "unless_worse",
        4,
        "of a higher grade",
    ),
    "worse for a while by a step of the same grade": (
        [(3, M, 2, [8], 0.51), (4, M, 2, [9], 0.4)],
        "unless_worse",
        4,
        "it was worse since",
    ),
    "worse for a while, then of a lower grade": (
        [(3, M, 2, [8], 0.51), (4, M, 1, [9], 0.1)],
        "unless_worse",
        4,
        "it was worse since",
    ),
    "of unknown margin for a while": (
        [(3, M, 2, [8], None), (4, M, 2, [9], 0.5)],
        "unless_worse",
        4,
        "it was worse since",
    ),
    "no worse on two days": ([(3, M, 1, [8], 0.9), (4, M, 2, [9], 0.5)], "unless_worse", 4, None),
    "it ceased": ([(3, N, 1)], "evidence", 4, None),
    "it cannot be told": ([(3, U)], "evidence", 4, None),
    "it ceased, and returned on a new record": ([(3, N, 1), (4, M, 2, [8], 0.5)], "evidence", 5, "new evidence"),
    "it returned on a new record and ceased": (
        [(3, N, 1), (4, M, 2, [8], 0.5), (5, N, 1)],
        "evidence",
        6,
        "new evidence",
    ),
}


@pytest.mark.parametrize(("answers", "code", "as_of", "because"), COVERED.values(), ids=COVERED)
def test_what_an_acknowledgement_covers(store, answers, code, as_of, because):
    for _ in range(9):  # so that records 7, 8 and 9 exist
        store.record(1)
    store.spells(FROM)
    store.acknowledge(only(store.alerts(1)), 1, 8, code)
    store.con.execute("DELETE FROM result.spell")
    store.spells(FROM, *answers)
    store.record(as_of)
    alert = only(store.alerts(as_of))
    assert alert["acknowledgement"]["author"] == "Dr A"
    if because is None:
        assert (alert["state"], alert["because"]) == ("acknowledged", None)
    else:
        assert alert["state"] == "reopened" and because in alert["because"]


def test_on_the_day_of_a_death_that_has_a_time_no_alert_lives(store):
    store.spells((1, M, 2))
    store.record(1)
    store.record(5, kind="outcome", code="death", at_high=datetime(2024, 3, 5, 14, 30), at_timed=True)
    assert len(store.alerts(4)) == 1 and store.alerts(5) == []


def test_a_run_after_the_acknowledged_one_is_a_new_alert(store):
    store.spells(FROM, (2, N, 1), (9, M, 2, [7], 0.5))
    store.record(9)
    store.acknowledge(only(store.alerts(1)), 1, 60, "unless_worse")
    assert only(store.alerts(9))["state"] == "open"


def test_an_acknowledgement_is_none_of_an_earlier_day(store):
    store.spells(FROM)
    store.record(5)
    store.acknowledge(only(store.alerts(5)), 5, 60)
    assert [only(store.alerts(on))["state"] for on in (4, 5)] == ["open", "acknowledged"]


def test_the_newest_acknowledgement_counts_and_a_withdrawn_one_does_not(store):
    store.spells(FROM)
    store.record(9)
    alert = only(store.alerts(1))
    store.acknowledge(alert, 1, 60)
    newer = store.acknowledge(alert, 1, 8, entered_at=datetime(2024, 12, 2))
    assert only(store.alerts(9))["state"] == "reopened"
    store.con.execute("UPDATE record.entry SET withdrawn = TRUE WHERE entry_id = ?", [newer])
    assert only(store.alerts(9))["state"] == "acknowledged"


@pytest.mark.parametrize(
    "frozen",
    [
        {"evidence": "7"}, {"evidence": [str(2**70)]}, {"evidence": None}, {"severity": "none"}, {"as_of": "yesterday"},
        {"margin": "inf"}, {"grade": "9" * 40},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_read_covers_nothing(store, frozen):
    store.spells(FROM)
    store.record(2)
    store.acknowledge(only(store.alerts(1)), 1, 60, frozen=frozen)
    assert only(store.alerts(2))["state"] == "open"


class TestTheSevenChecks:
    def test_two_conditions_at_once_are_both_shown(self, store):
        store.spells((1, M, 3))
        store.spells((2, M), criterion="active_infection")
        store.spells((2, M, 2), patient="q")
        for patient in "pq":
            store.record(3, patient)
        found = [(alert["patient_id"], alert["criterion"], alert["severity"]) for alert in store.alerts(3)]
        assert found == [
            ("p", "active_infection", "urgent"), ("p", "neutropenia", "urgent"), ("q", "neutropenia", "warning"),
        ]  # fmt: skip

    def test_repeated_evaluation_makes_nothing_new(self, store):
        store.spells(FROM)
        store.record(2)
        store.acknowledge(only(store.alerts(2)), 2, 20)
        assert store.alerts(2) == store.alerts(2)
        assert only(store.alerts(2))["state"] == "acknowledged"

    def test_escalation_from_warning_to_urgent_reopens(self, store):
        store.spells(FROM, (3, M, 3, [7], 0.1))
        store.record(3)
        store.acknowledge(only(store.alerts(2)), 2, 20)
        alert = only(store.alerts(3))
        assert (alert["state"], alert["severity"]) == ("reopened", "urgent")
        assert "urgent, and acknowledged as a warning" in alert["because"]

    @pytest.mark.parametrize(("code", "evidence"), [("evidence", [7]), ("unless_worse", [8])])
    def test_an_acknowledged_urgent_alert_covers_the_later_warning(self, store, code, evidence):
        store.spells((1, M, 3, [7], 0.1), (3, M, 2, evidence, 0.4))
        store.record(3)
        store.acknowledge(only(store.alerts(2)), 2, 20, code)
        alert = only(store.alerts(3))
        assert (alert["state"], alert["severity"]) == ("acknowledged", "warning")

    def test_five_flaps_are_one_alert(self, store):
        answers = [answer for on in range(1, 21, 4) for answer in ((on, M, 2, [on], 0.5), (on + 2, N, 1))]
        store.spells(*answers)
        store.record(20)
        alert = only(store.alerts(20))
        assert (alert["flaps"], alert["since"], alert["status_now"]) == (5, day(1), N)

    def test_an_acknowledged_alert_that_flaps_reopens_as_one(self, store):
        answers = [answer for on in range(1, 21, 4) for answer in ((on, M, 2, [on], 0.5), (on + 2, N, 1))]
        store.spells(*answers)
        store.record(20)
        store.acknowledge(only(store.alerts(1)), 1, 60)
        assert [only(store.alerts(on))["state"] for on in (2, 4, 5, 8, 20)] == [
            "acknowledged", "acknowledged", "reopened", "reopened", "reopened",
        ]  # fmt: skip

    def test_silence_goes_in_one_direction_only(self, store):
        """An acknowledgement covers no other rule, item or patient, nor silence; and what is worse re-opens it."""
        store.spells(FROM)
        store.spells((1, M), criterion="active_infection")
        store.spells((1, M, 2, [7], 0.5), item="other")
        store.spells((1, M, 2, [7], 0.5), patient="q")
        store.record(1, "q")
        store.record(1)
        asked = [one for one in store.alerts(1) if one["criterion"] == "neutropenia" and not one["item"]]
        store.acknowledge(next(one for one in asked if one["patient_id"] == "p"), 1, 400)
        store.record(120, "r")
        states = {
            (one["patient_id"], one["criterion"], one["item"]): one["state"] for one in store.alerts(120, stale=True)
        }
        assert states.pop(("p", "neutropenia", None)) == "acknowledged"
        assert len(states) == 5 and set(states.values()) == {"open"}, states

    def test_a_two_sided_rule_is_never_told_to_be_no_worse(self, store, monkeypatch):
        rules = alert_rules.alert_rules()
        assert rules["cni_level_out_of_range"].two_sided and not rules["cni_level_out_of_range"].unless_worse
        two_sided = rules | {"neutropenia": alert_rules.AlertRule("neutropenia", urgent_from_grade=3, two_sided=True)}
        monkeypatch.setattr(alert_rules, "alert_rules", lambda: two_sided)
        store.spells(FROM, (3, M, 2, [8], 0.1))
        store.record(3)
        store.acknowledge(only(store.alerts(2)), 2, 20, "unless_worse")
        assert only(store.alerts(3))["state"] == "reopened"


# A patient last recorded on day 1 of March 2024. therapy: the day it began. expected: since, or None.
STALE = {
    "day 90 of silence": ({}, 91, None),
    "day 91 of silence": ({}, 92, 92),
    "in the early months day 14": ({"therapy": day(1)}, 15, None),
    "in the early months day 15": ({"therapy": day(1)}, 16, 16),
    "last seen on day 180 of therapy": ({"therapy": date(2023, 9, 3)}, 16, 16),
    "last seen on day 181 of therapy": ({"therapy": date(2023, 9, 2)}, 16, None),
    "the early months do not end an alert by passing": ({"therapy": date(2023, 9, 3)}, 60, 16),
}


class TestStaleData:
    @pytest.mark.parametrize(("said", "as_of", "since"), STALE.values(), ids=STALE)
    def test_silence_longer_than_the_interval_is_an_alert(self, store, said, as_of, since):
        store.record(1)
        store.record(as_of, "other")
        if "therapy" in said:
            store.con.execute(
                "INSERT INTO concept.therapy_clock VALUES ('p', 'combination', $on, $on, NULL)", {"on": said["therapy"]}
            )
        found = store.alerts(as_of, ["p"], stale=True)
        if since is None:
            assert found == []
        else:
            alert = only(found)
            assert (alert["criterion"], alert["since"], alert["severity"]) == ("stale_data", day(since), "warning")
            assert f"No record since {day(1)}, {as_of - 1} days" in alert["finding"]
            assert "Last arrival of a record: 2024-12-01" in alert["finding"]

    @pytest.mark.parametrize(("level", "severity"), [(3, "warning"), (4, "urgent")])
    def test_after_high_flow_it_is_urgent(self, store, level, severity):
        last = store.record(1)
        store.record(200, "other")
        store.con.execute(
            "INSERT INTO concept.oxygen_support VALUES ('p', $on, NULL, $level, 'hfnc')", {"on": day(1), "level": level}
        )
        alert = only(store.alerts(200, ["p"], stale=True))
        assert (alert["severity"], alert["evidence"]) == (severity, [str(last)])

    def test_it_is_measured_on_arrival_too(self, store):
        """Old records of another patient arrive, so that the as-of day does not move on, but the arrivals do."""
        store.record(10, received=datetime(2024, 6, 1))
        store.record(9, "other", received=datetime(2024, 8, 30))
        assert store.alerts(10, stale=True) == []
        store.record(8, "other", received=datetime(2024, 8, 31))
        alert = only(store.alerts(10, stale=True))
        assert alert["patient_id"] == "p" and "91 days before the latest of this store" in alert["finding"]

    def test_what_is_typed_in_is_no_sign_of_life(self, store):
        store.record(1)
        store.record(200, "p", file_id=2, kind="referral", code="discussed")
        store.record(200, "other")
        assert only(store.alerts(200, stale=True))["criterion"] == "stale_data"

    def test_it_is_acknowledged_like_any_other_and_ends_with_a_record(self, store):
        store.record(1)
        store.record(110, "other")
        store.acknowledge(only(store.alerts(100, stale=True)), 100, 105)
        assert [only(store.alerts(on, ["p"], stale=True))["state"] for on in (105, 106)] == ["acknowledged", "reopened"]
        store.record(107)
        assert store.alerts(107, ["p"], stale=True) == []

    def test_of_the_dead_there_are_no_alerts(self, store):
        store.spells(FROM)
        store.record(1)
        store.record(200, "other")
        store.record(3, kind="outcome", code="death")
        assert store.alerts(2, ["p"]) != []
        assert store.alerts(3, ["p"]) == [] and store.alerts(200, ["p"], stale=True) == []


class TestWhichCriteriaAlert:
    def test_every_criterion_is_there_once_and_no_other(self):
        assert set(alert_rules.alert_rules()) == set(catalog().criteria)

    def test_every_number_is_a_project_default_and_says_why(self):
        for name, block in dictionary.alerts()["number"].items():
            assert block["tag"] == "project default" and block["why"] and block["unit"], name

    def test_what_is_said_to_be_covered_is_covered_by_one_that_alerts(self):
        rules = alert_rules.alert_rules()
        for rule in rules.values():
            if rule.silent and "covered by" in rule.silent:
                cover = rule.silent.split("covered by ")[1].split(",")[0]
                assert not rules[cover].silent, rule
                assert rule.criterion in catalog().criteria[cover].reads | catalog().criteria[cover].looked_up, rule

    @pytest.mark.parametrize(
        "block",
        [
            {},
            {"severity": "grave"},
            {"severity": "urgent", "silent": "x"},
            {"severity": "warning", "two_sided": True, "unless_worse": True},
        ],
    )
    def test_a_block_that_says_nothing_or_two_things_is_refused(self, block, monkeypatch):
        monkeypatch.setattr(dictionary, "alerts", lambda: {"rule": {"x": block}})
        with pytest.raises(ValueError, match="x"):
            alert_rules._alert_rules.__wrapped__()


statuses = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from([M, N, U]), st.integers(1, 4), st.integers(1, 3)),
    min_size=1,
    max_size=8,
)


def answers_of(steps) -> list[tuple]:
    on, answers = 1, []
    for days, status, grade, record in steps:
        answers.append((on, status, None if status == U else grade, [record], 0.5))
        on += days
    return answers


class TestLaws:
    shared = HandMade()

    def of(self, steps) -> HandMade:
        store = self.shared
        for table in ("result.spell", "record.entry", "record.observation"):
            store.con.execute(f"DELETE FROM {table}")
        store.spells(*answers_of(steps))
        return store

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(statuses, st.integers(0, 20))
    def test_what_is_met_and_not_covered_is_open(self, steps, after):
        """An alert is never lost, and there is never more than one."""
        store = self.of(steps)
        as_of = answers_of(steps)[-1][0] + after
        store.record(as_of)
        found = store.alerts(as_of)
        assert len(found) <= 1
        last = steps[-1][1]
        if last == M:
            assert found[0]["state"] == "open" and found[0]["status_now"] == M
        if last == N and after >= SETTLE:
            assert found == []
        if found:
            assert found[0]["since"] <= day(as_of) and found[0]["flaps"] <= len(steps)

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(statuses, statuses, st.sampled_from(["evidence", "unless_worse"]))
    def test_what_is_acknowledged_is_never_worse_than_was_acknowledged(self, before, after, code):
        store = self.of([*before, *after])
        answers = answers_of([*before, *after])
        acknowledged_on, as_of = answers[len(before)][0] - 1, answers[-1][0]
        acknowledged_on = max(acknowledged_on, answers[len(before) - 1][0])
        store.record(as_of)
        first = store.alerts(acknowledged_on)
        if not first:
            return
        store.acknowledge(first[0], acknowledged_on, as_of + 1, code)
        for alert in store.alerts(as_of):
            if alert["state"] == "acknowledged":
                met = [
                    one for one in answers if one[1] == M and one[0] > acknowledged_on and day(one[0]) >= alert["since"]
                ]
                assert all(one[2] <= first[0]["grade"] for one in met)
                if code == "evidence":
                    assert set(alert["evidence"]) <= set(first[0]["evidence"])


LABS = "patient_id,analyte,value,unit,at\n"
RECEIVED = datetime(2024, 6, 1, 12)


class TestThroughTheStore:
    """The same by the road that everything takes: files, judged, published, opened again."""

    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory):
        """A store judged by two rules: neutrophils of grade 2 on 1 March, acknowledged until 20 March."""
        from tests import some_rules

        folder = tmp_path_factory.mktemp("alerts")
        with some_rules.in_use(some_rules.only("neutropenia", "lymphopenia")):
            cls.load(folder, LABS + "a,neutrophils,1.2,10*9/L,2024-03-01\nb,lymphocytes,0.1,10*9/L,2024-03-02\n")
            alert = next(one for one in cls.alerts(folder, date(2024, 3, 2)) if one["patient_id"] == "a")
            row = {name: alert[name] for name in ("patient_id", "criterion", "item")}
            row |= {"kind": "acknowledgement", "why": "known", "until": date(2024, 3, 20), "code": "evidence"}
            row |= {"frozen": frozen(alert, 1, date(2024, 3, 2))}
            cls.load(folder, entries.entry_file([row], "Dr A", RECEIVED))
            yield folder

    @staticmethod
    def load(folder, text: str):
        path = folder / f"{len(list(folder.iterdir()))}.csv"
        path.write_text(text)
        report = load(Store(folder / "store"), [path], received_at=RECEIVED)
        assert not report.files[0].refused and not report.files[0].rejected
        return report

    @staticmethod
    def alerts(folder, as_of: date) -> list[dict]:
        with SnapshotReader(folder / "store").cursor() as cursor:  # a reader of its own: nothing is remembered
            return alerts(cursor, as_of)

    def states(self, folder, as_of: date) -> dict[str, str]:
        return {one["patient_id"]: one["state"] for one in self.alerts(folder, as_of)}

    def test_an_acknowledgement_lives_through_a_restart_a_second_load_and_a_rebuild(self, folder):
        expected = {"a": "acknowledged", "b": "open"}
        assert self.states(folder, date(2024, 3, 2)) == expected
        before = self.alerts(folder, date(2024, 3, 2))
        self.load(folder, LABS + "a,neutrophils,1.2,10*9/L,2024-03-01\nb,lymphocytes,0.1,10*9/L,2024-03-02\n")
        rebuild(Store(folder / "store"))
        after = self.alerts(folder, date(2024, 3, 2))
        assert self.states(folder, date(2024, 3, 2)) == expected
        assert [one["evidence"] for one in after] == [one["evidence"] for one in before]

    def test_what_was_worse_within_one_grade_keeps_it_reopened_until_it_is_acknowledged_again(self, tmp_path):
        """One spell of grade 2 holds all of it, and keeps only the margin of the last day."""
        from tests import some_rules

        def neutrophils(*results: str) -> dict:
            self.load(tmp_path, LABS + "".join(f"a,neutrophils,{one}\n" for one in results))
            return self.alerts(tmp_path, date(2024, 3, 31))[0]

        def acknowledge(alert: dict, on: date) -> None:
            row = {name: alert[name] for name in ("patient_id", "criterion", "item")}
            row |= {"kind": "acknowledgement", "why": "known", "until": date(2024, 6, 1), "code": "unless_worse"}
            self.load(tmp_path, entries.entry_file([row | {"frozen": frozen(alert, 1, on)}], "Dr A", RECEIVED))

        with some_rules.in_use(some_rules.only("neutropenia")):
            acknowledge(neutrophils("1.2,10*9/L,2024-03-01"), date(2024, 3, 1))
            assert neutrophils("1.3,10*9/L,2024-03-03", "1.2,10*9/L,2024-03-04")["state"] == "acknowledged"
            assert (
                neutrophils("1.1,10*9/L,2024-03-05")["because"] == "new evidence: Neutrophils 1.1 10*9/L of 2024-03-05"
            )
            alert = neutrophils("1.4,10*9/L,2024-03-06")
            assert (alert["grade"], alert["state"]) == (2, "reopened")
            assert alert["because"].startswith(
                "it was worse since, or cannot be told to have been no worse; new evidence"
            )
            assert self.alerts(tmp_path, date(2024, 3, 4))[0]["state"] == "acknowledged"  # nothing worse had happened
            acknowledge(alert, date(2024, 3, 6))
            assert neutrophils("1.45,10*9/L,2024-03-07")["state"] == "acknowledged"

    def test_new_evidence_reopens_it_and_says_which_and_the_past_stays_as_it_was(self, folder):
        self.load(folder, LABS + "a,neutrophils,1.1,10*9/L,2024-03-05\n")
        alert = next(one for one in self.alerts(folder, date(2024, 3, 5)) if one["patient_id"] == "a")
        assert (alert["state"], alert["since"]) == ("reopened", date(2024, 3, 1))
        assert alert["because"] == "new evidence: Neutrophils 1.1 10*9/L of 2024-03-05"
        past = next(one for one in self.alerts(folder, date(2024, 3, 4)) if one["patient_id"] == "a")
        assert past["state"] == "acknowledged" and past["finding"].startswith("Neutrophils 1.2")
