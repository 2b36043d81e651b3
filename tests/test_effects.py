"""Did it work? The expected effect of a decision, judged from the records: the cases first."""

from datetime import date, datetime
from pathlib import Path

import pytest

from pipelines import effects
from pipelines.catalog import catalog
from pipelines.load import load
from pipelines.store.database import SnapshotReader, Store
from tests import some_rules

RULES = some_rules.only("urgent_transfer")
SAMPLE = Path(__file__).parents[1] / "sample_data" / "yonsei_2021" / "oxygen.csv"
MADE, CHECK, LATER = date(2024, 6, 1), date(2024, 6, 8), date(2024, 6, 20)
HFNC, MASK, ROOM, UNKNOWN = "HFNC,,0.5", "NRB,15,", "room air,,", ",,0.4"
SPELL = (date(2024, 6, 3), date(2024, 6, 4))

# name: (expected, records as (day, support), as of, outcome, since, between, words of the reason)
CASES = {
    "reached": ("not_met", [(30, HFNC), (3, ROOM)], LATER, "reached", date(2024, 6, 3), None, "not met since 2024-06-03"),
    "on the check day": ("not_met", [(30, HFNC), (8, ROOM)], LATER, "reached", date(2024, 6, 8), None, "since"),
    "the day after": ("not_met", [(30, HFNC), (4, HFNC), (9, ROOM)], LATER, "not_reached", None, None, "met on 2024-06-04"),
    "the day after alone": ("not_met", [(30, HFNC), (9, ROOM)], LATER, "cannot_be_told", None, None, "nothing that the rule reads"),
    "one step below": ("not_met", [(30, HFNC), (5, MASK)], LATER, "reached", date(2024, 6, 5), None, "since"),
    "still there": ("not_met", [(30, HFNC), (5, HFNC)], LATER, "not_reached", None, None, "met on 2024-06-05"),
    "unknown": ("not_met", [(30, HFNC), (5, UNKNOWN)], LATER, "cannot_be_told", None, None, "missing: oxygen support"),
    "nothing since": ("not_met", [(30, HFNC)], LATER, "cannot_be_told", None, None, "nothing that the rule reads"),
    "expected answer, nothing since": ("not_met", [(30, ROOM)], LATER, "cannot_be_told", None, None, "no evidence of an effect"),
    "of the same day": ("not_met", [(30, HFNC), (1, ROOM)], LATER, "cannot_be_told", None, None, "of the day of the decision itself"),
    "no longer": ("not_met", [(30, HFNC), (3, ROOM), (4, ROOM), (7, HFNC)], LATER, "not_reached", None, SPELL, "met"),
    "already": ("not_met", [(30, ROOM), (5, ROOM)], LATER, "reached", date(2024, 5, 30), None, "already on the day of the decision"),
    "not due": ("not_met", [(30, HFNC), (3, ROOM)], date(2024, 6, 7), "not_due", date(2024, 6, 3), None, "2024-06-08. Now: not met"),
    "due today": ("not_met", [(30, HFNC), (3, ROOM)], CHECK, "reached", date(2024, 6, 3), None, "since"),
    "expected to be met": ("met", [(30, ROOM), (3, HFNC)], LATER, "reached", date(2024, 6, 3), None, "met since"),
    "expected to be met, is not": ("met", [(30, HFNC), (3, ROOM)], LATER, "not_reached", None, None, "not met on 2024-06-03"),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def some_of_the_rules():
    with some_rules.in_use(RULES):
        yield


@pytest.fixture(scope="module")
def cursor(tmp_path_factory: pytest.TempPathFactory):
    """One store with a patient for each case, one with another record alone, one of a month, and the real case."""
    folder = tmp_path_factory.mktemp("effects")
    rows = ["patient_id,at,device,flow_l_min,fio2,spo2"]
    for name, case in CASES.items():
        for day, support in case[1]:
            rows.append(f"{name.replace(',', '')},2024-{'05' if day == 30 else '06'}-{day:02},{support},")
    rows += ["no answer,2024-06-05,,,,97", f"month,2024-05-30,{HFNC},", f"month,2024-06,{ROOM},"]
    (folder / "oxygen.csv").write_text("\n".join(rows) + "\n")
    store = Store(folder / "store")
    report = load(store, [folder / "oxygen.csv", SAMPLE], received_at=datetime(2024, 7, 1))
    assert not any(file.rejected for file in report.files)
    with SnapshotReader(store.folder).cursor() as opened:
        yield opened


def decision(patient_id: str, expected: str = "not_met", **said) -> dict:
    """A decision as `entries.standing` gives it, as far as effects read it."""
    row = {
        "entry_id": patient_id,
        "patient_id": patient_id.replace(",", ""),
        "day": MADE,
        "criterion": "urgent_transfer",
        "item": None,
        "code": expected,
        "until": CHECK,
        "frozen": {},
    }
    return row | said


@pytest.fixture(scope="module")
def judged(cursor) -> dict[str, effects.Effect]:
    """All cases, those of one day in one pass."""
    found = {}
    for as_of in {case[2] for case in CASES.values()}:
        of_day = [decision(name, case[0]) for name, case in CASES.items() if case[2] == as_of]
        found |= effects.judged(cursor, of_day, as_of)
    return found


@pytest.mark.parametrize("name", CASES)
def test_outcome(judged, name):
    _, _, as_of, outcome, since, between, words = CASES[name]
    effect = judged[name]
    assert (effect.outcome, effect.since, effect.between) == (outcome, since, between)
    assert words in effect.because
    assert effect.as_of == min(CHECK, as_of)
    assert effect.answer["on_date"] <= effect.as_of
    if outcome == "reached":
        assert effect.answer["records_after"]


def test_a_patient_without_an_answer_cannot_be_told(cursor):
    effect = effects.judged(cursor, [decision("no answer")], LATER)["no answer"]
    assert effect.outcome == "cannot_be_told" and "missing: oxygen support" in effect.because
    other = effects.judged(cursor, [decision("reached", item="lung")], LATER)["reached"]
    assert (other.outcome, other.answer, other.because) == (
        "cannot_be_told",
        None,
        "The patient has no such answer by then.",
    )


def test_a_decision_without_an_expected_effect_has_none(cursor):
    assert effects.judged(cursor, [decision("reached", criterion=None, code=None, until=None)], LATER) == {}


def test_of_a_rule_that_is_gone_nothing_can_be_told(cursor):
    effect = effects.judged(cursor, [decision("reached", criterion="gone")], LATER)["reached"]
    assert (effect.outcome, effect.because) == ("cannot_be_told", "There is no such rule any more.")


def test_the_real_case_off_high_flow_by_14_september(cursor):
    real = decision("yonsei-2021", day=date(2021, 9, 3), until=date(2021, 9, 14))
    effect = effects.judged(cursor, [real], date(2021, 9, 17))["yonsei-2021"]
    assert (effect.outcome, effect.since, effect.between) == ("reached", date(2021, 9, 7), None)
    assert effects.judged(cursor, [real], date(2021, 9, 6))["yonsei-2021"].outcome == "not_due"


@pytest.mark.parametrize(
    ("frozen", "changed"),
    [
        ({}, None),
        ({"rules": ["x"], "answers": {"a": 1}}, None),
        ({"rules": {"urgent_transfer": "x"}}, None),
        ({"rules": {"urgent_transfer": {"version": 1, "content_hash": "old"}}}, True),
        ("now", False),
    ],
)
def test_whether_the_rule_is_another_since(cursor, frozen, changed):
    if frozen == "now":
        frozen = {"rules": {"urgent_transfer": {"content_hash": catalog().content_hashes()["urgent_transfer"]}}}
    assert effects.judged(cursor, [decision("reached", frozen=frozen)], LATER)["reached"].rules_changed is changed


# first and last possible day of the record, of a decision of 1 June that is checked on 8 June -> outcome, words of the reason
SPANS = [
    ((2, 3), "reached", "since"),
    ((2, 8), "reached", "since"),
    ((1, 8), "cannot_be_told", "2024-06-01 to 2024-06-08, does not say whether it is after the decision"),
    ((1, 1), "cannot_be_told", "of the day of the decision itself"),
    ((2, 9), "cannot_be_told", "nothing that the rule reads"),
]


@pytest.mark.parametrize(("span", "outcome", "words"), SPANS)
def test_a_partial_date_is_after_the_decision_where_its_first_possible_day_is(span, outcome, words):
    last = date(2024, 6, min(span[1], 8))
    answer = {"item": None, "on_date": last, "until_date": None, "status": "not_met", "missing": [], "evidence": ["1"]}
    days = {"1": (tuple(date(2024, 6, day) for day in span),)}
    effect = effects._effect(decision("p"), [answer], days, LATER)
    assert effect.outcome == outcome and words in effect.because


@pytest.mark.parametrize(("made", "outcome"), [(date(2024, 5, 31), "reached"), (date(2024, 6, 10), "cannot_be_told")])
def test_a_record_of_a_month_is_after_a_decision_before_it_and_not_of_one_within_it(cursor, made, outcome):
    effect = effects.judged(cursor, [decision("month", day=made, until=date(2024, 7, 10))], date(2024, 7, 10))["month"]
    assert (effect.outcome, effect.answer["status"]) == (outcome, "not_met")


AFTER = {"1": ((date(2024, 6, 5), date(2024, 6, 5)),)}

# expected, what stands of each item (and whether on a record after the decision) -> outcome, the item that decides
ITEMS = [
    ("not_met", {"a": "not_met", "b": "not_met"}, "reached", "a"),
    ("not_met", {"a": "not_met", "b": "met"}, "not_reached", "b"),
    ("not_met", {"a": "not_met", "b": "not_evaluable"}, "cannot_be_told", "b"),
    ("not_met", {"a": "not_evaluable", "b": "met"}, "not_reached", "b"),
    ("not_met", {"a": "not_met", "b": "old not_met"}, "cannot_be_told", "b"),
    ("not_met", {"a": "not_met", "b": "old met"}, "cannot_be_told", "b"),
    ("met", {"a": "not_met", "b": "met"}, "reached", "b"),
    ("met", {"a": "not_met", "b": "not_met"}, "not_reached", "a"),
    ("met", {"a": "not_met", "b": "not_evaluable"}, "cannot_be_told", "b"),
    ("met", {"a": "old met", "b": "not_met"}, "cannot_be_told", "a"),
]


@pytest.mark.parametrize(("expected", "items", "outcome", "deciding"), ITEMS)
def test_of_several_items_every_one_has_to_be_not_met_and_any_is_enough_for_met(expected, items, outcome, deciding):
    history = [
        {"item": item, "on_date": date(2024, 6, 5), "until_date": None, "status": said.removeprefix("old "), "missing": ["x"],
         "evidence": ["2"] if said.startswith("old") else ["1"]}
        for item, said in items.items()
    ]  # fmt: skip
    days = AFTER | {"2": ((date(2024, 5, 30), date(2024, 5, 30)),)}
    effect = effects._effect(decision("p", expected), history, days, LATER)
    assert (effect.outcome, effect.answer["item"], len(effect.answers)) == (outcome, deciding, 2)
    one = effects._effect(decision("p", expected, item="a"), history, days, LATER)
    assert [answer["item"] for answer in one.answers] == ["a"]
