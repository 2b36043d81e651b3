"""The infection board on rows made by hand: who is on it, in which order, and what is said of each."""

from datetime import date, datetime

import duckdb
import pytest

from pipelines import infection_board
from pipelines.catalog import catalog
from tests.ingesting import SCHEMA

DAY = date(2024, 6, 30)
CONCEPTS = {
    "immunosuppression": "patient_id VARCHAR, from_date DATE, to_date DATE, agents VARCHAR[], drugs VARCHAR[], agent_count BIGINT, "
    "mg_per_day DECIMAL(19,6), dose_unknown BOOLEAN, confirmed_on DATE, evidence BIGINT[]",
    "prednisone_equivalent": "patient_id VARCHAR, from_date DATE, to_date DATE, mg_per_day DECIMAL(19,6), dose_unknown BOOLEAN, "
    "evidence BIGINT[]",
    "prophylaxis": "patient_id VARCHAR, kind VARCHAR, drug VARCHAR, from_date DATE, to_date DATE, certain BOOLEAN, treatment BOOLEAN, "
    "last_confirmed DATE, evidence BIGINT[]",
    "infection_episode": "patient_id VARCHAR, organism VARCHAR, site VARCHAR, proof VARCHAR, end_organ BOOLEAN, since DATE, "
    "recorded_on DATE, from_date DATE, open_until DATE, to_date DATE, ended BOOLEAN, evidence BIGINT[]",
}


class Scratch:
    """A store in memory, filled row by row."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        self.con.execute(SCHEMA)
        self.con.execute("CREATE SCHEMA concept")
        for name, columns in CONCEPTS.items():
            self.con.execute(f"CREATE TABLE concept.{name} ({columns})")
        self.con.execute("INSERT INTO source.file VALUES (1, 'labs.csv', '', 'csv', TIMESTAMP '2024-07-01', [])")
        self.records = 0

    def put(self, table: str, **row) -> int:
        names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
        self.con.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))
        if "patient_id" in row and table != "record.patient":
            self.con.execute("INSERT OR IGNORE INTO record.patient (patient_id) VALUES (?)", [row["patient_id"]])
        return row.get("record_id", 0)

    def record(self, table: str, patient_id: str, at: str, **row) -> int:
        self.records += 1
        low, high = (at.split("/") * 2)[:2]
        always = {"record_id": self.records, "fact_id": self.records, "patient_id": patient_id, "status": "final",
                  "known_from": datetime(2024, 1, 1), "known_assumed": True, "received_at": datetime(2024, 7, 1),
                  "at_low": low, "at_high": high, "at_timed": False, "file_id": 1, "line": self.records + 1}  # fmt: skip
        return self.put(f"record.{table}", **always | row)

    def result(self, analyte: str, at: str, value: float | None, patient_id: str = "p", **row) -> int:
        numbers = {"value": value, "low": value, "low_open": False, "high": value, "high_open": False}
        always = {"set_id": 0, "kind": "labs", "analyte": analyte, "unit_assumed": False, "original_value": str(value)}
        return self.record("observation", patient_id, at, **always | numbers | row)

    def acting(self, patient_id: str, *agents: str, start: str = "2024-01-01", stop: str | None = None, **row) -> None:
        always = {"mg_per_day": 0, "dose_unknown": False, "confirmed_on": None, "evidence": []}
        self.put("concept.immunosuppression", patient_id=patient_id, from_date=start, to_date=stop, agents=list(agents),
                 drugs=list(agents), agent_count=len(set(agents)), **always | row)  # fmt: skip

    def cover(self, start: str, stop: str | None = None, drug: str = "atovaquone", certain: bool = True, **row) -> None:
        always = {"kind": "pjp", "treatment": False, "last_confirmed": None, "evidence": []}
        self.put("concept.prophylaxis", patient_id="p", drug=drug, from_date=start, to_date=stop, certain=certain,
                 **always | row)  # fmt: skip

    def infection(self, patient_id: str, start: str, open_until: str, stop: str | None = None, **row) -> None:
        always = {"organism": "cmv", "site": "lung", "proof": None, "end_organ": None, "ended": False, "evidence": []}
        self.put("concept.infection_episode", patient_id=patient_id, since=start, recorded_on=start, from_date=start,
                 open_until=open_until, to_date=stop, **always | row)  # fmt: skip

    def answer(self, patient_id: str, criterion: str, since: str, status: str = "met", **row) -> None:
        facts = {"exchange_after_ivig": ["2024-06-20", "3", "2024-06-17"], "overdue_tests": ["Test", "2024-06-01", "x"]}
        always = {"item": None, "last_judged": since, "until_date": None, "grade": None, "evidence": [], "missing": [],
                  "facts": facts.get(criterion, [None] * 9), "notes": []}  # fmt: skip
        made = always | row
        made["facts"] = (made["facts"] + [None] * 9)[: len(catalog().criteria[criterion].facts)]
        self.put("result.spell", patient_id=patient_id, criterion=criterion, from_date=since, status=status, **made)

    def board(self, day: date = DAY) -> list[dict]:
        return infection_board.board(self.con, day)

    def listed(self, day: date = DAY) -> list[str]:
        return [row["patient_id"] for row in self.board(day)]

    def details(self, day: date = DAY) -> dict:
        return infection_board.details(self.con, day, ["p"])["p"]


@pytest.fixture
def store():
    scratch = Scratch()
    yield scratch
    scratch.con.close()


class TestWhoIsOnIt:
    def test_nothing_recorded(self, store):
        assert store.board() == [] and infection_board.died(store.con, DAY) == 0
        store.put("record.patient", patient_id="p")
        assert store.board() == []

    @pytest.mark.parametrize(
        ("stop", "listed"), [("2024-06-30", False), ("2024-07-01", True), (None, True)]
    )  # the day a stretch reaches to is outside it
    def test_a_drug_acts_through_its_last_day(self, store, stop, listed):
        store.acting("p", "cni", stop=stop)
        assert store.listed() == ["p"] * listed

    def test_one_whose_drug_starts_tomorrow_is_not_on_it(self, store):
        store.acting("p", "cni", start="2024-07-01")
        assert store.listed() == []

    def test_a_glucocorticoid_of_unknown_dose_counts_and_a_gap_without_dose_does_not(self, store):
        given = {"from_date": "2024-06-01", "to_date": None, "evidence": []}
        store.put("concept.prednisone_equivalent", patient_id="unread", mg_per_day=0, dose_unknown=True, **given)
        store.put("concept.prednisone_equivalent", patient_id="gap", mg_per_day=0, dose_unknown=False, **given)
        assert store.listed() == ["unread"]

    def test_a_flag_met_or_an_infection_open_or_perhaps_open_is_enough(self, store):
        store.answer("flag", "hypogammaglobulinaemia", "2024-06-01", grade=2)
        store.answer("untold", "hypogammaglobulinaemia", "2024-06-01", "not_evaluable")
        store.answer("overdue", "overdue_tests", "2024-06-01", item="igg")
        store.answer("other", "high_ferritin", "2024-06-01")
        store.answer("exchange", "exchange_after_ivig", "2024-06-20")
        store.infection("open", "2024-06-10", "2024-07-09")
        store.infection("perhaps", "2024-01-10", "2024-02-08")
        store.infection("over", "2024-01-10", "2024-02-08", "2024-03-01", ended=True)
        assert set(store.listed()) == {"flag", "exchange", "open", "perhaps"}
        assert {row["patient_id"]: row["open_infection"] for row in store.board()}["perhaps"] is False

    def test_an_answer_that_has_ceased_does_not_count(self, store):
        store.answer("p", "lymphopenia", "2024-06-01", grade=3, until_date="2024-06-30")
        assert store.listed() == [] and store.listed(date(2024, 6, 29)) == ["p"]

    def test_who_died_is_left_out_and_counted(self, store):
        for patient_id, at in (("dead", "2024-06-30"), ("later", "2024-07-01"), ("some_day", "2024-06-01/2024-07-31")):
            store.acting(patient_id, "cni")
            store.record("event", patient_id, at, kind="outcome", code="death", date_assumed=False)
        store.record("event", "not_listed", "2024-01-01", kind="outcome", code="death", date_assumed=False)
        assert store.listed() == ["later", "some_day"] and infection_board.died(store.con, DAY) == 1

    def test_a_death_entered_in_error_is_none(self, store):
        store.acting("p", "cni")
        store.record(
            "event", "p", "2024-06-01", kind="outcome", code="death", date_assumed=False, status="entered_in_error"
        )
        assert store.listed() == ["p"]


class TestOrder:
    def test_as_the_sentence_says(self, store):
        for patient_id in (
            "rest",
            "overdue",
            "counts3",
            "counts2",
            "gap_new",
            "gap_old",
            "infected",
            "jak_stop",
            "jak_wait",
        ):
            store.acting(patient_id, "cni")
        store.answer("infected", "active_infection", "2024-06-20")
        store.answer("gap_new", "pjp_prophylaxis_gap", "2024-06-02")
        store.answer("gap_old", "pjp_prophylaxis_gap", "2024-06-01")
        store.answer("counts3", "lymphopenia", "2024-06-01", grade=3)
        store.answer("counts2", "neutropenia", "2024-05-01", grade=2)
        store.answer("jak_stop", "jaki_stop_counts", "2024-05-30", grade=2)
        store.answer("jak_wait", "jaki_stop_counts", "2024-05-02", grade=1)
        store.answer("overdue", "overdue_tests", "2024-01-01", item="cmv_pcr")
        store.answer("rest", "overdue_tests", "2024-01-01", item="ferritin")
        expected = ["infected", "gap_old", "gap_new", "jak_stop", "counts3", "counts2", "jak_wait", "overdue", "rest"]
        assert store.listed() == expected
        assert [row["rank"] for row in store.board()] == [0, 1, 1, 2, 2, 3, 3, 4, 5]

    def test_an_infection_that_is_open_under_one_agent_is_another_flag(self, store):
        store.acting("one", "cni")
        store.infection("one", "2024-06-10", "2024-07-09")
        store.acting("gap", "cni")
        store.answer("gap", "pjp_prophylaxis_gap", "2024-06-29")
        assert [(row["patient_id"], row["rank"]) for row in store.board()] == [("gap", 1), ("one", 3)]

    def test_the_filters_are_truths_of_each_row(self, store):
        store.acting("p", "cni", "glucocorticoid", "cni")
        store.answer("p", "tb_screen_missing", "2024-06-01", item="tofacitinib")
        store.answer("p", "neutropenia", "2024-06-01", grade=2)
        row = store.board()[0]
        assert row["agents"] == ["cni", "glucocorticoid"] and row["agent_count"] == 2
        assert {flag: row[flag] for flag in infection_board.FLAGS} == {
            "gap": False, "open_infection": False, "counts": True, "surveillance": False, "screening": True, "exchange": False,
        }  # fmt: skip

    @pytest.mark.parametrize(("day", "gap"), [("2024-06-09", False), ("2024-06-10", True)])
    def test_a_gap_begins_on_its_day(self, store, day, gap):
        store.acting("p", "cni")
        store.answer("p", "pjp_prophylaxis_gap", "2024-06-10")
        row = store.board(date.fromisoformat(day))[0]
        assert row["gap"] is gap and row["gap_since"] == (date(2024, 6, 10) if gap else None)


class TestOpenInfections:
    @pytest.mark.parametrize(
        ("recorded", "day", "open"),
        [("2024-06-10", "2024-07-08", True), ("2024-06-10", "2024-07-09", False),
         ("2024-06-01/2024-06-10", "2024-06-29", True), ("2024-06-01/2024-06-10", "2024-06-30", False)],
    )  # fmt: skip
    def test_of_a_partial_date_it_is_open_only_while_every_day_it_can_mean_says_so(self, store, recorded, day, open):
        record = store.record(
            "event", "p", recorded, kind="infection", code="organism", value="cmv", date_assumed=False
        )
        store.infection("p", "2024-06-10", "2024-07-09", evidence=[record])
        at = date.fromisoformat(day)
        assert store.board(at)[0]["open_infection"] is open
        assert [row["open"] for row in store.details(at)["episodes"]] == [open]
        assert store.details(at)["sources"] == {str(record): ("labs.csv", 2)}


class TestCover:
    def test_stretches_that_touch_are_one_since_its_first_day(self, store):
        store.cover("2024-01-01", "2024-02-01", last_confirmed="2024-01-01")
        store.cover("2024-02-01", None, last_confirmed="2024-02-01")
        assert [(row["since"], row["last_confirmed"]) for row in store.details()["cover"]] == [
            (date(2024, 1, 1), date(2024, 2, 1))
        ]

    def test_after_a_day_without_it_begins_anew(self, store):
        store.cover("2024-01-01", "2024-02-01")
        store.cover("2024-02-02", None)
        assert [row["since"] for row in store.details()["cover"]] == [date(2024, 2, 2)]

    def test_what_is_in_doubt_is_apart_from_what_is_certain(self, store):
        store.cover("2024-01-01", "2024-02-01")
        store.cover("2024-02-01", None, certain=False, last_confirmed="2024-01-01")
        told = [(row["certain"], row["since"], row["in_doubt_from"]) for row in store.details()["cover"]]
        assert told == [(False, date(2024, 1, 1), date(2024, 2, 1))]

    def test_a_confirmation_says_that_it_was_taken_while_that_was_in_doubt(self, store):
        store.cover("2024-01-01", "2024-02-01")
        store.cover("2024-02-01", "2024-06-20", certain=False)
        store.cover("2024-06-20", None, last_confirmed="2024-06-20")
        told = [(row["certain"], row["since"], row["in_doubt_from"]) for row in store.details()["cover"]]
        assert told == [(True, date(2024, 1, 1), None)]

    def test_what_ended_before_the_day_is_not_told(self, store):
        store.cover("2024-01-01", "2024-06-30")
        assert store.details()["cover"] == []


class TestResults:
    def test_the_last_two_days_and_nothing_later(self, store):
        for at, value in (("2024-06-01", 1.0), ("2024-06-02", 0.9), ("2024-06-03", 0.8), ("2024-07-01", 0.1)):
            store.result("lymphocytes", at, value)
        told = [(row["place"], row["on_date"].day, float(row["value"])) for row in store.details()["results"]]
        assert told == [(1, 3, 0.8), (2, 2, 0.9)]

    def test_of_a_day_the_worst_is_told_as_the_rules_judge_it(self, store):
        for value in (0.9, 0.3, 0.5):
            store.result("neutrophils", "2024-06-03", value)
            store.result("cmv_dna", "2024-06-03", value)
        assert {row["analyte"]: float(row["value"]) for row in store.details()["results"]} == {
            "neutrophils": 0.3,
            "cmv_dna": 0.9,
        }

    def test_assays_of_beta_d_glucan_are_series_of_their_own(self, store):
        store.result("beta_d_glucan", "2024-06-01", 90, assay="fungitell")
        store.result("beta_d_glucan", "2024-06-02", 12, assay="wako")
        store.result("beta_d_glucan", "2024-06-03", 70, laboratory="B")
        assert [(row["series"], row["place"]) for row in store.details()["results"]] == [
            ("assay fungitell", 1), ("assay wako", 1), ("laboratory B", 1)
        ]  # fmt: skip

    def test_copies_and_units_and_laboratories_are_not_compared(self, store):
        store.result("cmv_dna", "2024-06-01", 900, laboratory="A")
        store.result("cmv_dna", "2024-06-02", 100, laboratory="B")
        store.result("cmv_dna_copies", "2024-06-03", 50, laboratory="B")
        assert all(row["place"] == 1 for row in store.details()["results"])

    def test_what_does_not_stand_is_not_told(self, store):
        store.result("igg", "2024-06-01", 3, status="preliminary")
        store.result("igg", "2024-06-02", 3, known_until=datetime(2024, 6, 3))
        assert store.details()["results"] == [] and store.details()["measured"] == {}

    def test_the_last_day_of_each_analyte_of_the_schedule(self, store):
        store.result("wbc", "2024-06-01", 5)
        store.result("wbc", "2024-07-02", 5)
        assert store.details()["measured"] == {"wbc": date(2024, 6, 1)}


class TestAnswers:
    def test_a_sentence_is_told_unless_it_is_of_a_later_day(self, store):
        store.answer("p", "exchange_after_ivig", "2024-06-20")
        assert store.details()["answers"][0]["finding"].startswith("Plasma exchange on 2024-06-20, 3 days after")
        assert store.details()["answers"][0]["days"] == 10
        store.con.execute("UPDATE result.spell SET last_judged = DATE '2024-07-01'")
        assert store.details()["answers"][0]["finding"] is None

    def test_only_the_tests_of_the_board_are_told(self, store):
        for test in ("igg", "ferritin"):
            store.answer("p", "overdue_tests", "2024-06-01", item=test)
        assert [row["item"] for row in store.details()["answers"]] == ["igg"]


def test_a_snapshot_of_older_rules_says_what_it_lacks(store):
    store.acting("p", "cni")
    assert infection_board.lacking(store.con) == ()
    store.con.execute("DROP TABLE concept.prophylaxis")
    assert infection_board.lacking(store.con) == ("prophylaxis",)
    assert (store.board(), infection_board.died(store.con, DAY), infection_board.details(store.con, DAY, ["p"])) == (
        [],
        0,
        {},
    )
