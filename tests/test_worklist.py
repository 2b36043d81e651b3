"""The worklist's groups, order, filters and rows on small tables made by hand: what puts a patient where, and what one step less does."""

import json
from datetime import date, datetime, timedelta
from itertools import count
from random import Random

import duckdb
import pytest

from dashboard import strip, worklist_words
from pipelines import alerts, worklist
from pipelines.worklist import Asked
from pipelines.worklist_groups import GROUPS, SENTENCE, TITLES
from tests.ingesting import empty_store

DAY = date(2024, 3, 31)
GAS, CMV, SILENT = "refractory_gas_exchange", "cmv_rising", "risk_factors"


def days(number: int) -> date:
    """So many days before the as-of day."""
    return DAY - timedelta(days=number)


TEN_DAYS_BEFORE = days(10)
FACTS = count(1000)  # the last records of patients


@pytest.fixture
def con():
    store = empty_store()
    store.execute("SET threads = 1")  # of so few rows
    for file_id in (1, 2, 3):
        store.execute(
            "INSERT INTO source.file VALUES (?, 'f.csv', '', 'csv/labs', ?, [])", [file_id, datetime(2024, 4, file_id)]
        )
    yield store
    store.close()


def patient(con, patient_id: str = "p", last: date | None = DAY, site: str = "A", corrected: str = "0") -> str:
    con.execute("INSERT INTO record.patient VALUES (?, 'female', 1970, ?, 1, 1)", [patient_id, site])
    con.execute(
        "INSERT INTO result.patient_state VALUES (?, ?, ?, ?, 1, '1', ?)",
        [patient_id, last, last, datetime(2024, 4, 1), corrected],
    )
    if last:
        result(con, fact=next(FACTS), receipt=1, on=last, patient_id=patient_id)
    return patient_id


def answer(
    con, criterion: str = GAS, status: str = "met", since: date = TEN_DAYS_BEFORE, until: date | None = None,
    item: str | None = None, grade: int | None = None, missing: tuple[str, ...] = (), patient_id: str = "p",
) -> None:  # fmt: skip
    con.execute(
        "INSERT INTO result.spell VALUES (?, ?, ?, ?, ?, ?, ?, ?, [], ?, [], [], NULL)",
        [criterion, patient_id, item, since, since, until, status, grade, list(missing)],
    )


def entry(con, kind: str, entry_id: str = "e", patient_id: str = "p", receipt: int = 2, **said: object) -> None:
    """One version; the moment it was entered follows the receipt."""
    row = {"version_id": con.execute("SELECT count(*) FROM record.entry").fetchone()[0], "entry_id": entry_id}
    row |= {"kind": kind, "patient_id": patient_id, "author": "Dr A", "author_known": "typed", "withdrawn": False}
    row |= {"entered_at": datetime(2024, 4, receipt), "day": DAY, "file_id": receipt, "line": 2} | said
    names = ", ".join(row)
    con.execute(f"INSERT INTO record.entry ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))


def review(con, met: tuple[str, ...] = (), corrected: str = "0", **said: object) -> None:
    frozen = json.dumps({"snapshot": 1, "state": "1", "corrected": corrected, "met": met, "unknown": []})
    entry(con, "review", **{"entry_id": "r", "frozen": frozen} | said)


def decision(con, **said: object) -> None:
    entry(con, "decision", **{"entry_id": "d", "text": "Refer", "owner": "Dr B", "frozen": "{}"} | said)


def died(con, on: date = TEN_DAYS_BEFORE, status: str = "final") -> None:
    values = {
        "record_id": 9, "fact_id": 9, "patient_id": "p", "kind": "outcome", "code": "death", "at_low": on, "at_high": on, "at_timed": False,
        "date_assumed": False, "status": status, "known_from": on, "known_assumed": True, "received_at": DAY, "file_id": 1, "line": 9,
    }  # fmt: skip
    con.execute(
        f"INSERT INTO record.event ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", list(values.values())
    )


def result(
    con, fact: int, receipt: int, status: str = "final", closed: bool = False, on: date = DAY, patient_id: str = "p"
) -> None:
    """A version of a laboratory result."""
    until = datetime(2024, 4, receipt + 1) if closed else None
    values = {
        "record_id": fact * 10 + receipt, "fact_id": fact, "set_id": 1, "patient_id": patient_id, "kind": "labs", "analyte": "ferritin",
        "value": 500, "low": 500, "high": 500, "low_open": False, "high_open": False, "unit": "ng/mL", "unit_assumed": False,
        "original_value": "500", "at_low": on, "at_high": on, "at_timed": False, "status": status, "known_from": on, "known_assumed": True,
        "known_until": until, "received_at": datetime(2024, 4, receipt), "received_until": until, "file_id": receipt, "line": fact,
    }  # fmt: skip
    con.execute(
        f"INSERT INTO record.observation ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
        list(values.values()),
    )


def group(con, as_of: date = DAY) -> str:
    counts = worklist.worklist(con, as_of, Asked(whole=True)).counts
    return next(name for name, number in counts.items() if number)


def row(con, as_of: date = DAY) -> dict:
    return worklist.worklist(con, as_of, Asked(whole=True)).rows[0]


class TestNeedsADecisionNow:
    @pytest.mark.parametrize(
        ("since", "until", "status", "found"),
        [
            (DAY, None, "met", "decide"),
            (days(-1), None, "met", "unknown"),  # not judged yet on the day
            (days(9), DAY, "met", "unknown"),  # ceased on the day
            (days(9), days(-1), "met", "decide"),
            (days(9), None, "not_met", "stable"),
            (days(9), None, "not_evaluable", "unknown"),
        ],
    )
    def test_an_urgent_alert_is_open(self, con, since, until, status, found):
        patient(con)
        answer(con, "urgent_transfer", status, since, until)
        assert group(con) == found

    @pytest.mark.parametrize(
        ("until", "due_on", "found"),
        [
            (DAY, None, "decide"),
            (days(-1), None, "stable"),
            (None, DAY, "decide"),
            (None, days(-1), "stable"),
            (days(-30), days(1), "decide"),
            (None, None, "stable"),
        ],
    )
    def test_a_decision_has_come_to_its_check_or_due_day(self, con, until, due_on, found):
        patient(con)
        answer(con, status="not_met")
        decision(con, until=until, due_on=due_on)
        assert group(con) == found

    @pytest.mark.parametrize(
        ("code", "about", "withdrawn", "found"),
        [
            ("done", "d", False, "stable"),
            ("dropped", "d", False, "stable"),
            ("not_done", "d", False, "decide"),
            ("done", "another", False, "decide"),
            ("done", "d", True, "decide"),
        ],
    )
    def test_a_due_day_ends_when_something_says_that_it_is_done_or_dropped(self, con, code, about, withdrawn, found):
        patient(con)
        answer(con, status="not_met")
        decision(con, due_on=days(3))
        entry(con, "progress", "g", about=about, code=code)
        if withdrawn:
            entry(con, "progress", "g", about=about, code=code, receipt=3, withdrawn=True)
        assert group(con) == found

    @pytest.mark.parametrize(
        ("codes", "due_on", "until", "found"),
        [
            (("done",), days(9), days(3), "check"),  # done, and still to be checked
            (("dropped",), days(9), days(3), None),
            (("done", "not_done"), days(3), None, "due"),  # open again
            (("dropped", "done"), days(9), days(3), "check"),
            (("done", "dropped"), days(9), days(3), None),
            ((), days(3), days(3), "due"),
        ],
    )
    def test_of_what_was_said_the_newest_entry_counts(self, con, codes, due_on, until, found):
        patient(con)
        answer(con, status="not_met")
        decision(con, due_on=due_on, until=until)
        for number, code in enumerate(codes):  # the one entered last is of the earliest day
            entry(con, "progress", f"g{number}", about="d", code=code, receipt=number + 1, day=days(number))
        assert [one["what"] for one in row(con)["due"]] == ([found] if found else [])
        assert group(con) == ("decide" if found else "stable")

    @pytest.mark.parametrize(
        ("kind", "code", "day", "found"),
        [
            ("agenda", "seen", days(3), "stable"),
            ("agenda", "seen", days(4), "decide"),  # the day before the check day
            ("agenda", "planned", days(3), "decide"),
            ("agenda", "skipped", days(3), "decide"),
            ("agenda", "seen", days(-1), "decide"),  # has not happened
            ("review", None, days(3), "stable"),
            ("review", None, days(4), "decide"),
        ],
    )
    def test_who_looks_at_the_patient_from_the_check_day_on_settles_the_check(self, con, kind, code, day, found):
        patient(con)
        answer(con, status="not_met")
        decision(con, until=days(3))
        frozen = '{"corrected": "0", "met": []}' if kind == "review" else None
        entry(con, kind, "looked", code=code, day=day, frozen=frozen)
        assert group(con) == found

    def test_a_withdrawn_decision_asks_nothing(self, con):
        patient(con)
        answer(con, status="not_met")
        decision(con, due_on=DAY)
        decision(con, due_on=DAY, receipt=3, withdrawn=True)
        assert group(con) == "stable"

    def test_the_row_names_every_alert_and_decision(self, con):
        patient(con)
        answer(con, "urgent_transfer", since=days(4))
        answer(con, "ecmo_consideration", since=days(2))
        decision(con, due_on=DAY)
        found = row(con)
        assert [alert["criterion"] for alert in found["alerts"]] == ["ecmo_consideration", "urgent_transfer"]
        assert [one["text"] for one in found["due"]] == ["Refer"]


class TestNewlyMetOrChanged:
    @pytest.mark.parametrize(
        ("held", "found"),
        [
            (None, "new"),
            ((), "new"),
            (("refractory_gas_exchange~triple:2",), "stable"),
            (("refractory_gas_exchange~triple:1",), "new"),  # of another grade
            (("refractory_gas_exchange~triple:",), "new"),
            (("refractory_gas_exchange~combination:2",), "new"),  # of another item
            (("cmv_rising:2",), "new"),
        ],
    )
    def test_a_flag_that_the_last_review_does_not_hold(self, con, held, found):
        patient(con)
        answer(con, item="triple", grade=2)
        if held is not None:
            review(con, held)
        assert group(con) == found
        assert [flag["fresh"] for flag in row(con)["met"]] == [found == "new"]

    @pytest.mark.parametrize(
        ("spells", "found"),
        [  # days before, until, status, grade; the review is of 10 days before
            ([(12, None, "met", 2)], "stable"),
            ([(20, 8, "met", 2), (8, 3, "not_met", 1), (3, None, "met", 2)], "new"),  # ceased and returned
            ([(20, 8, "met", 2), (8, 3, "not_evaluable", None), (3, None, "met", 2)], "new"),
            (
                [(20, 8, "met", 2), (8, 3, "met", 3), (3, None, "met", 2)],
                "stable",
            ),  # met all the time, of whatever grade
            ([(20, 9, "not_met", 1), (9, None, "met", 2)], "new"),
            ([(20, 10, "not_met", 1), (10, None, "met", 2)], "stable"),  # met from the day of the review on
            ([(20, 10, "not_met", 1), (10, 5, "met", 3), (5, None, "met", 2)], "stable"),
            ([(20, 9, "not_met", 1), (9, 5, "met", 3), (5, None, "met", 2)], "new"),
        ],
    )
    def test_a_flag_that_ceased_and_returned_since_is_new(self, con, spells, found):
        patient(con)
        for since, until, status, grade in spells:
            answer(con, status=status, since=days(since), until=until and days(until), item="triple", grade=grade)
        review(con, ("refractory_gas_exchange~triple:2",), day=days(10))
        assert group(con) == found
        assert [flag["fresh"] for flag in row(con)["met"]] == [found == "new"]

    def test_one_that_raises_no_alert_is_not_new(self, con):
        patient(con)
        answer(con, SILENT, grade=2)
        answer(con, status="not_met")
        assert group(con) == "stable"

    @pytest.mark.parametrize(("corrected", "found"), [("0", "stable"), ("77", "new")])
    def test_a_record_corrected_or_withdrawn_since(self, con, corrected, found):
        patient(con, corrected=corrected)
        answer(con)
        review(con, ("refractory_gas_exchange:",))
        assert (group(con), row(con)["changed"]) == (found, found == "new")

    def test_new_records_that_change_no_answer_are_counted_only(self, con):
        patient(con)
        answer(con)
        review(con, ("refractory_gas_exchange:",), receipt=1)
        result(con, fact=1, receipt=1)
        result(con, fact=2, receipt=2)
        result(con, fact=3, receipt=2, status="cancelled")  # it came and says nothing
        found = row(con)
        assert (found["group"], found["new"], found["corrected_records"]) == ("stable", 1, 0)

    def test_corrected_and_withdrawn_records_are_counted_apart_from_new_ones(self, con):
        patient(con, corrected="21")
        answer(con)
        review(con, ("refractory_gas_exchange:",), receipt=1)
        result(con, fact=1, receipt=1, closed=True)
        result(con, fact=1, receipt=2, status="corrected")
        result(con, fact=2, receipt=1, closed=True)
        result(con, fact=2, receipt=3, status="entered_in_error")
        result(con, fact=3, receipt=3)
        assert (row(con)["new"], row(con)["corrected_records"]) == (1, 2)

    def test_the_last_review_counts_and_undoing_it_brings_back_the_one_before(self, con):
        patient(con)
        answer(con)
        review(con, (), entry_id="first", receipt=1)
        review(con, ("refractory_gas_exchange:",), entry_id="second", receipt=2)
        assert (group(con), row(con)["review"]["entry_id"]) == ("stable", "second")
        review(con, ("refractory_gas_exchange:",), entry_id="second", receipt=3, withdrawn=True)
        assert (group(con), row(con)["review"]["entry_id"]) == ("new", "first")

    def test_a_review_of_a_later_day_has_not_happened(self, con):
        patient(con)
        answer(con)
        review(con, ("refractory_gas_exchange:",), day=days(-1))
        assert group(con) == "new" and row(con)["review"] is None

    @pytest.mark.parametrize("frozen", ["{}", '{"met": 5, "corrected": [1]}', '{"met": {"a": 1}, "receipt": "x"}'])
    def test_a_review_that_says_not_what_was_seen_saw_nothing(self, con, frozen):
        patient(con)
        answer(con)
        review(con, frozen=frozen)
        assert group(con) == "new" and row(con)["met"][0]["fresh"]

    def test_what_a_review_freezes_makes_the_same_row_stable(self, con):
        patient(con, corrected="5")
        answer(con, item="triple", grade=2)
        answer(con, SILENT, grade=1)
        answer(con, CMV, "not_met")
        frozen = row(con)["frozen"]
        assert frozen["met"] == ["refractory_gas_exchange~triple:2", "risk_factors:1"]
        review(con, frozen=json.dumps(frozen))
        assert group(con) == "stable"

    def test_what_ceased_since_is_told(self, con):
        patient(con)
        answer(con)
        answer(con, CMV, "not_met")
        review(con, ("refractory_gas_exchange:", "cmv_rising:2"))
        assert (group(con), row(con)["lost"]) == ("stable", ["cmv_rising"])


class TestCannotBeTold:
    def test_an_alerting_condition_that_cannot_be_told(self, con):
        patient(con)
        answer(con, status="not_evaluable", missing=("ferritin",))
        assert (group(con), row(con)["unknown"]) == ("unknown", 1)

    def test_one_that_raises_no_alert_does_not_count(self, con):
        patient(con)
        answer(con, SILENT, "not_evaluable", missing=("ferritin",))
        answer(con, status="not_met")
        assert group(con) == "stable"

    def test_a_reviewed_flag_beside_it_does_not_hide_it(self, con):
        patient(con)
        answer(con)
        answer(con, CMV, "not_evaluable", missing=("CMV PCR",))
        review(con, ("refractory_gas_exchange:",))
        assert group(con) == "unknown"

    def test_a_patient_whom_no_rule_has_judged_is_not_stable(self, con):
        patient(con)
        assert (group(con), row(con)["judged"]) == ("unknown", False)

    def test_what_would_settle_most_is_what_the_patient_page_says(self, con):
        patient(con)
        missing = {
            ("refractory_gas_exchange", "triple"): ("ferritin",),
            ("refractory_gas_exchange", "combination"): ("ferritin", "therapy start"),
            ("refractory_imaging", None): ("imaging", "ferritin"),
            ("beta_d_glucan_positive", None): ("imaging",),
            ("cmv_rising", None): ("CMV PCR",),
            ("cmv_reactivation", None): ("CMV PCR",),
            ("lymphopenia", None): ("therapy start",),
        }
        answers = []
        for (criterion, item), things in missing.items():
            answer(con, criterion, "not_evaluable", item=item, missing=things)
            answers.append({"criterion": criterion, "item": item, "status": "not_evaluable", "missing": things})
        most = strip.missing_things(answers)[0]
        assert row(con)["settling"] == most._asdict() == {"thing": "CMV PCR", "settles": 2, "asked_by": 2}


class TestNoRecentDataAndDeath:
    @pytest.mark.parametrize(("last", "found"), [(days(90), "new"), (days(91), "quiet"), (None, "quiet")])
    def test_no_record_for_ninety_days(self, con, last, found):
        patient(con, last=last)
        answer(con)
        assert group(con) == found

    def test_it_follows_the_alert_of_silence_which_comes_early_in_therapy(self, con):
        con.execute("CREATE SCHEMA concept")
        con.execute(
            """CREATE TABLE concept.therapy_clock AS SELECT 'p' AS patient_id, 'combination' AS clock, $1 AS day0, $1 AS applies_from""",
            [days(60)],
        )
        patient(con, last=days(15))
        answer(con)
        review(con, ("refractory_gas_exchange:",))
        assert group(con) == "quiet"
        assert worklist_words.why(row(con)) == "no record for 15 days, the next was expected within 14 days"
        assert group(con, days(1)) != "quiet"

    def test_what_is_typed_in_is_no_sign_of_life(self, con):
        patient(con, last=days(100))
        answer(con, "urgent_transfer", "not_met")
        con.execute("UPDATE source.file SET format = 'csv/entries' WHERE file_id = 2")
        result(con, fact=1, receipt=2)
        assert (group(con), row(con)["silent_days"]) == ("quiet", 100)

    def test_an_urgent_alert_stays_on_top_and_says_how_old_the_record_is(self, con):
        patient(con, last=days(200))
        answer(con, "urgent_transfer")
        assert (group(con), row(con)["silent_days"]) == ("decide", 200)

    def test_as_of_an_earlier_day_the_last_record_is_the_last_by_then(self, con):
        patient(con, last=DAY)
        answer(con, since=days(300))
        result(con, fact=1, receipt=1, on=days(300))
        assert group(con, days(210)) == "new" and group(con, days(209)) == "quiet"

    @pytest.mark.parametrize(
        ("on", "status", "found"),
        [(DAY, "final", "died"), (days(-1), "final", "decide"), (DAY, "entered_in_error", "decide")],
    )
    def test_a_death_comes_before_everything(self, con, on, status, found):
        patient(con)
        answer(con, "urgent_transfer")
        died(con, on, status)
        assert group(con) == found

    def test_the_dead_are_folded_unless_asked_for(self, con):
        patient(con)
        patient(con, "q")
        died(con)
        listed = {
            asked: worklist.worklist(con, DAY, asked).ids for asked in (Asked(), Asked(group="died"), Asked(text="P"))
        }
        assert list(listed.values()) == [["q"], ["p"], ["p"]]
        assert worklist.worklist(con, DAY, Asked()).counts["died"] == 1
        assert worklist.order(con, DAY) == ["q", "p"]
        assert [one["patient_id"] for one in worklist.everything(con, DAY, Asked())] == ["q", "p"]


class TestOrder:
    def test_the_groups_stand_in_the_order_of_the_sentence(self, con):
        for patient_id, last in (
            ("died", DAY),
            ("quiet", days(91)),
            ("stable", DAY),
            ("unknown", DAY),
            ("new", DAY),
            ("decide", DAY),
        ):
            patient(con, patient_id, last)
        con.execute("UPDATE record.patient SET patient_id = 'p' WHERE patient_id = 'died'")
        con.execute("UPDATE result.patient_state SET patient_id = 'p' WHERE patient_id = 'died'")
        con.execute("UPDATE record.observation SET patient_id = 'p' WHERE patient_id = 'died'")
        died(con)
        answer(con, "urgent_transfer", patient_id="decide")
        answer(con, patient_id="new")
        answer(con, status="not_evaluable", patient_id="unknown")
        answer(con, status="not_met", patient_id="stable")
        assert worklist.order(con, DAY) == ["decide", "new", "unknown", "stable", "quiet", "p"]
        places = [SENTENCE.index(TITLES[name][1:]) for name in GROUPS]
        assert places == sorted(places)

    def test_in_the_first_the_alert_that_opened_last_in_the_others_the_newest_flag_then_record_then_id(self, con):
        for patient_id, last in (("a", DAY), ("b", DAY), ("c", DAY), ("d", days(1)), ("e", DAY), ("f", DAY)):
            patient(con, patient_id, last)
        answer(con, "urgent_transfer", since=days(9), patient_id="a")
        answer(con, GAS, since=days(1), patient_id="a")  # a newer flag, but no alert that opened
        decision(con, due_on=days(5), patient_id="b")
        for patient_id, since in (("c", days(8)), ("d", days(3)), ("e", days(3)), ("f", days(3))):
            answer(con, since=since, patient_id=patient_id)
        assert worklist.order(con, DAY) == ["b", "a", "e", "f", "d", "c"]


class TestFilters:
    @pytest.fixture
    def several(self, con):
        patient(con, "Alpha", days(8), "A")
        patient(con, "beta%", DAY, "B")
        patient(con, "gamma", DAY, "B")
        answer(con, GAS, since=days(8), patient_id="Alpha")
        answer(con, CMV, since=days(7), patient_id="beta%")
        answer(con, status="not_met", patient_id="gamma")
        con.execute("CREATE SCHEMA concept")
        con.execute(
            """
            CREATE TABLE concept.immunosuppression (patient_id VARCHAR, from_date DATE, to_date DATE, agents VARCHAR[]);
            INSERT INTO concept.immunosuppression VALUES ('Alpha', '2024-03-01', '2024-03-31', ['cni']),
                ('beta%', '2024-03-01', '2024-04-01', ['cni', 'cni', 'glucocorticoid']),
                ('gamma', '2024-03-31', NULL, ['glucocorticoid'])"""
        )
        return con

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            (Asked(), ["beta%", "Alpha", "gamma"]),
            (Asked(text=" aLP "), ["Alpha"]),
            (Asked(text="%"), ["beta%"]),
            (Asked(text="_"), []),
            (Asked(site="B"), ["beta%", "gamma"]),
            (Asked(group="stable"), ["gamma"]),
            (Asked(flags="infection"), ["beta%"]),
            (Asked(flags="refractory"), ["Alpha"]),
            (Asked(agent="cni"), ["beta%"]),  # on the day of its end an agent acts no more
            (Asked(agent="glucocorticoid"), ["beta%", "gamma"]),
            (Asked(recorded=7), ["beta%", "gamma"]),
            (Asked(recorded=8), ["beta%", "Alpha", "gamma"]),
            (Asked(newly=7), ["beta%"]),
            (Asked(newly=8), ["beta%", "Alpha"]),
            (Asked(site="B", newly=30), ["beta%"]),
            (Asked(site="'; DROP TABLE listed; --"), []),
        ],
    )
    def test_each(self, several, asked, found):
        assert worklist.worklist(several, DAY, asked).ids == found

    def test_the_groups_are_counted_without_the_filter_of_the_group(self, several):
        counts = worklist.worklist(several, DAY, Asked(site="B", group="stable")).counts
        assert (counts["new"], counts["stable"]) == (1, 1)

    def test_what_can_be_asked_for(self, several):
        choices = worklist.choices(several, DAY)
        assert (choices.sites, choices.agents) == (("A", "B"), ("cni", "glucocorticoid"))

    def test_a_page_beyond_the_last_is_the_last(self, several, monkeypatch):
        monkeypatch.setattr(worklist, "ON_A_PAGE", 2)
        found = worklist.worklist(several, DAY, Asked(page=9))
        assert (found.page, found.pages, found.first) == (2, 2, 2)
        assert [one["patient_id"] for one in found.rows] == ["gamma"]


class TestNothing:
    def test_an_empty_store(self, con):
        found = worklist.worklist(con, None, Asked())
        assert (found.ids, found.rows, found.pages, found.page) == ([], [], 0, 1)

    def test_patients_without_a_dated_record(self, con):
        patient(con, last=None)
        found = worklist.worklist(con, None, Asked())
        assert (found.as_of, found.counts["quiet"], found.rows[0]["silent_days"]) == (None, 1, None)

    def test_a_store_of_an_earlier_schema_says_what_to_do(self):
        with duckdb.connect() as con, pytest.raises(worklist.Refusal, match="earlier version"):
            worklist.worklist(con, DAY, Asked())


class TestUrgentAlertsOfEveryone:
    def test_they_are_those_that_all_alerts_have(self, con):
        """On random histories: urgent, graded, ceased for less and for longer than an alert takes to settle, never met."""
        chance, statuses = Random(7), ("met", "not_met", "not_evaluable")
        for number in range(40):
            name = patient(con, f"p{number}")
            for criterion, item in (
                ("urgent_transfer", None),
                ("lymphopenia", None),
                ("refractory_possible", "triple"),
                (CMV, None),
            ):
                since = days(60)
                while since <= DAY:
                    until = since + timedelta(days=chance.choice((1, 3, 6, 7, 8, 20)))
                    ends = until if until <= DAY or chance.random() < 0.1 else None
                    answer(
                        con,
                        criterion,
                        chance.choice(statuses),
                        since,
                        ends,
                        item,
                        chance.choice((None, 1, 2, 3, 4)),
                        patient_id=name,
                    )
                    since = until
        found = []
        for urgent_only in (False, True):
            alerts.create_alerts(con, DAY, urgent_only=urgent_only)
            found.append(
                con.execute(
                    """SELECT patient_id, criterion, item, rank, highest_rank, grade, since, flaps, status_now, status_since, state
                    FROM alert WHERE rank = 2 ORDER BY patient_id, criterion, item"""
                ).fetchall()
            )
        assert found[0] == found[1] and len(found[0]) > 20
