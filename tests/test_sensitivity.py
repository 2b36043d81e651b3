"""What `explain` says would turn an answer: which record, why it is a weak one, and what the answer would be without it."""

import json
from datetime import date, datetime, timedelta

import duckdb
import pytest

from pipelines import command_output, findings, sensitivity
from pipelines.engines.inputs import Known
from tests.properties import cohorts

FIRST = date(2024, 1, 1)


def store(**files: list[dict[str, str]]) -> duckdb.DuckDBPyConnection:
    """A store in memory that holds the rows of one patient."""
    con = cohorts.new_store()
    cohorts.receive(con, {name: [{"patient_id": "p"} | row for row in rows] for name, rows in files.items()})
    return con


def ferritin(value: str, at: str, **more: str) -> dict[str, str]:
    return {"analyte": "ferritin", "value": value, "unit": "ng/mL", "at": at} | more


def daily(drug: str, dose: str, start: str, stop: str = "", **more: str) -> dict[str, str]:
    row = {"drug": drug, "route": "oral", "dose": dose, "dose_unit": "mg", "per": "day", "start": start, "stop": stop}
    return row | ({} if stop else {"ongoing": "yes"}) | more


def event(kind: str, code: str, value: str, at: str, **more: str) -> dict[str, str]:
    return {"kind": kind, "code": code, "value": value, "at": at} | more


def explained(con: duckdb.DuckDBPyConnection, criterion: str, as_of: str | None = None, **known) -> dict:
    return findings.explain(con, "p", criterion, as_of and date.fromisoformat(as_of), Known(**known))


def turns(
    con: duckdb.DuckDBPyConnection, criterion: str, item: str | None = None, **asked
) -> list[tuple[str, str, str]]:
    """Of each way in which the answer turns: why it may be weak, the values left out, and what the answer becomes."""
    (answer,) = [one for one in explained(con, criterion, **asked)["answers"] if one["item"] == item]
    return [
        (flip["basis"], ", ".join(str(one["value"]) for one in flip["left_out"]), flip["becomes"])
        for flip in answer["flips"]
    ]


class TestOneRecord:
    def test_a_single_result_that_is_met_and_nothing_else_known(self):
        assert turns(store(labs=[ferritin("1200", "2024-01-05")]), "high_ferritin") == [
            ("record", "1200", "not_evaluable")
        ]

    def test_without_the_newest_the_one_before_it_counts_again(self):
        met = store(labs=[ferritin("400", "2024-01-05"), ferritin("1200", "2024-01-09")])
        assert turns(met, "high_ferritin") == [("record", "1200", "not_met")]

    def test_what_is_not_met_can_turn_too(self):
        con = store(labs=[ferritin("1200", "2024-01-05"), ferritin("400", "2024-01-09")])
        assert turns(con, "high_ferritin") == [("record", "400", "met")]

    def test_where_the_one_before_says_the_same_nothing_turns(self):
        con = store(labs=[ferritin("1100", "2024-01-05"), ferritin("1200", "2024-01-09")])
        assert turns(con, "high_ferritin") == []

    def test_what_cannot_be_told_has_no_record_to_turn_on(self):
        con = store(labs=[ferritin(">400", "2024-01-05")])
        (answer,) = explained(con, "high_ferritin")["answers"]
        assert (answer["status"], answer["flips"], answer["untried"]) == ("not_evaluable", [], 0)

    def test_a_row_of_oxygen_records_is_one_record(self):
        row = {"device": "hfnc", "flow_l_min": "40", "fio2": "0.5", "spo2": "92", "at": "2024-01-05"}
        ((basis, values, becomes),) = turns(store(oxygen=[row]), "urgent_transfer")
        assert (basis, becomes) == ("record", "not_evaluable")
        assert sorted(values.split(", ")) == ["0.5", "40", "92", "hfnc"]

    def test_as_of_a_day_before_the_record_it_plays_no_part(self):
        con = store(labs=[ferritin("1200", "2024-01-05"), ferritin("400", "2024-01-09")])
        assert turns(con, "high_ferritin", as_of="2024-01-08") == [("record", "1200", "not_evaluable")]
        assert explained(con, "high_ferritin", as_of="2024-01-04")["answers"] == []

    def test_at_most_three_are_told_what_turns_it_over_before_what_leaves_it_untold(self):
        con = store(
            labs=[{"analyte": "anti_mda5", "value": "positive", "at": f"2024-01-0{day}"} for day in (1,)],
            events=[
                event("diagnosis", "ild", "present", "2024-01-02"),
                event("diagnosis", "ild", "absent", "2024-01-01"),
            ],
        )
        found = turns(con, "transplant_early_referral")
        assert found == [("record", "present", "not_met"), ("record", "positive", "not_evaluable")]
        assert sensitivity.MOST_SHOWN == 3


class TestTie:
    def test_two_values_of_one_day_that_no_time_orders(self):
        con = store(labs=[ferritin("400", "2024-01-05"), ferritin("1200", "2024-01-05")])
        assert turns(con, "high_ferritin") == [("tie", "1200", "not_met")]

    @pytest.mark.parametrize(
        "other",
        [
            ferritin("400", "2024-01-06"),  # another day
            ferritin("1200", "2024-01-05", laboratory="B"),  # the same value
            ferritin("400", "2024-01"),  # no day at all
        ],
    )
    def test_what_is_no_tie(self, other: dict[str, str]):
        con = store(labs=[ferritin("1200", "2024-01-05"), other])
        assert "tie" not in [basis for basis, *_ in turns(con, "high_ferritin")]

    def test_with_times_of_day_they_are_in_order(self):
        con = store(labs=[ferritin("400", "2024-01-05T06:00"), ferritin("1200", "2024-01-05T18:00")])
        assert [basis for basis, *_ in turns(con, "high_ferritin")] == ["record"]

    def test_assays_are_no_tie(self):
        antibody = {"analyte": "anti_mda5", "unit": "index", "at": "2024-01-05"}
        con = store(
            labs=[
                antibody | {"value": "31", "assay": "MBL"},
                antibody | {"value": "positive", "unit": "", "assay": "line blot"},
            ],
            events=[event("diagnosis", "ild", "present", "2024-01-02")],
        )
        assert {basis for basis, *_ in turns(con, "transplant_early_referral")} == {"record"}

    def test_a_version_that_was_corrected_ties_with_nothing(self):
        first = ferritin("400", "2024-01-05", record_id="f", reported_at="2024-01-06")
        con = store(labs=[first, first | {"value": "1200", "status": "corrected", "reported_at": "2024-01-07"}])
        assert turns(con, "high_ferritin") == [("record", "1200", "not_evaluable")]
        assert turns(con, "high_ferritin", at=datetime(2024, 1, 6, 12)) == [("record", "400", "not_evaluable")]

    def test_one_told_as_worse_and_as_better_on_a_day(self):
        con = store(
            administrations=[daily("prednisolone", "40", "2024-01-01"), daily("tacrolimus", "3", "2024-01-01")],
            events=[event("symptom", "dyspnoea", told, "2024-01-10") for told in ("worse", "better")],
        )
        assert turns(con, "refractory_symptoms", item="combination")[0] == ("tie", "worse", "not_met")


class TestAssumedDate:
    def test_a_record_whose_date_is_assumed_says_so_and_comes_first(self):
        con = store(
            labs=[{"analyte": "anti_mda5", "value": "positive", "at": "2024-01-05"}],
            events=[event("diagnosis", "ild", "present", "2024-01-02", date_assumed="yes")],
        )
        assert turns(con, "transplant_early_referral") == [
            ("assumed date", "present", "not_evaluable"),
            ("record", "positive", "not_evaluable"),
        ]

    def test_a_month_alone_is_left_out_whole(self):
        con = store(labs=[ferritin("600", "2024-01"), ferritin("400", "2023-12-24")])
        assert turns(con, "high_ferritin") == [("record", "600", "not_met")]

    def test_two_months_of_which_one_would_do(self):
        con = store(labs=[ferritin("600", "2024-01"), ferritin("1200", "2024-02")])
        assert turns(con, "high_ferritin") == []


class TestEstimatedFio2:
    def on_cannula(self, *gases: dict[str, str]) -> duckdb.DuckDBPyConnection:
        """Combination therapy from 1 January, a record on that day and one on day 8."""
        cannula = {"device": "nasal_cannula", "activity": "rest"}
        return store(
            administrations=[daily("prednisolone", "40", "2024-01-01"), daily("tacrolimus", "3", "2024-01-01")],
            oxygen=[cannula | gas | {"at": at} for gas, at in zip(gases, ("2024-01-01", "2024-01-09"), strict=True)],
        )

    def test_where_p_f_rests_on_the_flow_the_estimate_is_named(self):
        con = self.on_cannula({"flow_l_min": "3", "pao2": "70"}, {"flow_l_min": "3", "pao2": "50"})
        assert turns(con, "refractory_gas_exchange", item="combination")[0] == ("estimated FiO2", "3", "not_met")

    def test_where_the_flow_itself_rose_it_is_not(self):
        con = self.on_cannula({"flow_l_min": "2"}, {"flow_l_min": "4"})
        found = turns(con, "refractory_gas_exchange", item="combination")
        assert found and {basis for basis, *_ in found} == {"record"}


class TestItems:
    def test_each_drug_turns_on_its_own_level(self):
        levels = [
            {"analyte": f"{drug}_level", "value": value, "unit": "ng/mL", "at": "2024-01-20", "sample_timing": "C0"}
            for drug, value in (("tacrolimus", "20"), ("ciclosporin", "120"))
        ]
        con = store(
            labs=levels,
            administrations=[daily("tacrolimus", "3", "2024-01-01"), daily("ciclosporin", "100", "2024-01-01")],
        )
        for drug, value in (("tacrolimus", "20"), ("ciclosporin", "120")):
            assert ("record", value, "not_evaluable") in turns(con, "cni_level_out_of_range", item=drug)

    def test_each_clock_has_its_own(self):
        con = store(
            administrations=[
                daily("prednisolone", "40", "2024-01-01"),
                daily("tacrolimus", "3", "2024-01-01"),
                daily("cyclophosphamide", "750", "2024-01-15", "2024-01-15", route="iv", per="dose"),
            ],
            events=[event("symptom", "dyspnoea", "worse", at) for at in ("2024-01-10", "2024-01-25")],
        )
        assert turns(con, "refractory_symptoms", item="combination") == []  # either record would do
        assert turns(con, "refractory_symptoms", item="triple")[0] == ("record", "worse", "not_evaluable")

    def test_a_drug_that_was_never_given_has_no_answer_of_its_own(self):
        con = store(
            administrations=[daily("azathioprine", "50", "2024-01-02"), daily("prednisolone", "40", "2024-01-01")],
            events=[event("diagnosis", "rp_ild", "present", "2024-01-01")],
        )
        assert ("record", "50", "not_met") in turns(con, "not_recommended_agent", item="azathioprine")


class TestManyRecords:
    def rows(self, days: int) -> duckdb.DuckDBPyConnection:
        each = (str(FIRST + timedelta(day)) for day in range(days))
        return store(administrations=[daily("prednisolone", "25", day, day) for day in each])

    def test_the_latest_are_tried_and_the_others_counted(self):
        (answer,) = explained(self.rows(50), "pjp_prophylaxis_gap", as_of="2024-02-15")["answers"]
        assert (answer["status"], len(answer["records"])) == ("met", 46)
        assert answer["untried"] == 46 - sensitivity.MOST_TRIED

    def test_a_weak_one_is_tried_however_old(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(sensitivity, "MOST_TRIED", 1)
        con = store(
            labs=[{"analyte": "anti_mda5", "value": "positive", "at": "2024-01-05"}],
            events=[event("diagnosis", "ild", "present", "2024-01-02", date_assumed="yes")],
        )
        assert turns(con, "transplant_early_referral") == [("assumed date", "present", "not_evaluable")]
        assert explained(con, "transplant_early_referral")["answers"][0]["untried"] == 1


class TestPast:
    def test_what_became_known_later_neither_decides_nor_ties(self):
        con = store(
            labs=[
                ferritin("1200", "2024-01-05", reported_at="2024-01-05"),
                ferritin("400", "2024-01-05", reported_at="2024-02-01"),
            ]
        )
        assert turns(con, "high_ferritin", at=datetime(2024, 1, 20)) == [("record", "1200", "not_evaluable")]
        assert turns(con, "high_ferritin") == [("tie", "1200", "not_met")]

    def test_before_anything_was_known_there_is_nothing_to_explain(self, capsys: pytest.CaptureFixture):
        told = explained(
            store(labs=[ferritin("1200", "2024-01-05")]), "high_ferritin", received_at=datetime(2024, 1, 1)
        )
        assert (told["as_of"], told["answers"]) == (None, [])
        command_output.print_explanation(told)
        assert "before anything was recorded" in capsys.readouterr().out


class TestOutput:
    def test_as_json_it_names_the_records_down_to_file_and_line(self, capsys: pytest.CaptureFixture):
        command_output.print_json(explained(store(labs=[ferritin("1200", "2024-01-05")]), "high_ferritin"))
        (answer,) = json.loads(capsys.readouterr().out)["answers"]
        (flip,) = answer["flips"]
        assert (flip["basis"], flip["becomes"], flip["records"]) == ("record", "not_evaluable", answer["evidence"])
        assert [(one["file"], one["line"]) for one in flip["left_out"]] == [("labs.csv", 2)]
        assert answer["untried"] == 0

    @pytest.mark.parametrize(
        ("labs", "said"),
        [
            (
                ["400", "1200"],
                "It would be not met if this one of several of the same day did not count: "
                "ferritin 1200 of 2024-01-05, labs.csv:3",
            ),
            (["1200"], "It would be not evaluable without this record: ferritin 1200 of 2024-01-05, labs.csv:2"),
            (["1200", "1300"], "No single record would turn it."),
        ],
    )  # fmt: skip
    def test_on_the_screen_it_is_a_sentence(self, capsys: pytest.CaptureFixture, labs: list[str], said: str):
        con = store(labs=[ferritin(value, "2024-01-05") for value in labs])
        command_output.print_explanation(explained(con, "high_ferritin"))
        assert said in " ".join(capsys.readouterr().out.split())

    def test_a_value_from_a_file_is_text_on_the_screen(self, capsys: pytest.CaptureFixture):
        con = store(events=[event("infection", "organism", "[red]x\x1b[31m", "2024-01-05")])
        found = findings.evidence_records(
            con, [row[0] for row in con.execute("SELECT record_id FROM record.event").fetchall()]
        )
        flip = {"basis": "record", "becomes": "not_met", "left_out": list(found.values())}
        told = explained(con, "active_infection")
        told["answers"] = [told["answers"][0] | {"status": "met", "flips": [flip]}]
        command_output.print_explanation(told)
        shown = capsys.readouterr().out
        assert "It would be not met without this record" in shown and "[red]x" in shown and "\x1b" not in shown
