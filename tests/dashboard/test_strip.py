"""The cards of the header strip: each comparison and what is called stale, at its boundaries; nothing later than the day is read."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import comparison, header, strip
from pipelines import dictionary
from tests.dashboard.hand_made import above, below, course, equivalent, event, held, judged, oxygen, page, result

DAY = date(2024, 3, 1)
START = date(2024, 2, 1)


def card(tables: dict, name: str, as_of: date = DAY) -> strip.Card:
    return next(card for card in strip.cards(tables, as_of) if card.name == name)


def clock(start: date = START, until: date | None = None) -> list[dict]:
    return [{"start_date": start, "applies_from": start, "applies_to": until, "evidence": [], "high_dose": True}]


def treated(*ferritins: dict, **more) -> dict:
    """A patient on triple therapy since START."""
    return page(observation=list(ferritins)) | {"triple_therapy": clock()} | more


def ferritin(at: str, value: float | str) -> dict:
    if isinstance(value, str):
        return {">": above, "<": below}[value[0]]("ferritin", at, float(value[1:]), unit="ng/mL")
    return result("ferritin", at, value, unit="ng/mL")


@pytest.mark.parametrize(
    ("printed", "value"),
    [("2024-03-01", "held"), ("2024-03-01T23:59", "held"), ("2024-03-02", "never measured"), ("2024-03-02T00:00", "never measured"),
     ("1.3.2024", "held")],
)  # fmt: skip
def test_what_is_held_of_a_later_day_is_not_known_on_the_day(printed, value):
    tables = page(held=[held("ferritin", f"p,ferritin,1200,,{printed}")])
    assert card(tables, "Ferritin").value == value


class TestFold:
    @pytest.mark.parametrize(
        ("before", "now", "said"),
        [
            (500.0, 1200.0, "2.4-fold of 500"),
            (500.0, 500.0, "1-fold of 500"),
            (1000.0, 310.0, "0.31-fold of 1000"),
            (516.0, ">1650", "≥3.1-fold of 516"),  # 3.198: rounded down, where it stays true
            (500.0, ">1600", "≥3.2-fold of 500"),
            (500.0, "<20", "≤0.04-fold of 500"),
            ("<20", 800.0, "≥40-fold of <20"),
            (">1650", 800.0, "≤0.49-fold of >1650"),
            (">1650", ">1650", "fold cannot be told: >1650 then and now"),
            (">1650", ">2000", "fold cannot be told: >1650, 30 Jan"),
            ("<20", "<20", "fold cannot be told: <20 then and now"),
            (0.0, 800.0, "fold cannot be told: 0, 30 Jan"),
        ],
    )
    def test_of_ferritin_since_therapy_start(self, before, now, said):
        shown = card(treated(ferritin("2024-01-30", before), ferritin("2024-02-20", now)), "Ferritin").detail
        assert shown.startswith(f"20 Feb 2024, {said}")
        assert "cannot" in said or shown.endswith("before therapy, 30 Jan")

    def test_the_value_before_therapy_is_the_last_up_to_its_first_day(self):
        on_the_day, day_after = ferritin("2024-02-01", 400.0), ferritin("2024-02-02", 300.0)
        found = [ferritin("2024-01-20", 200.0), on_the_day, day_after, ferritin("2024-02-20", 1200.0)]
        assert "3-fold of 400 before therapy, 1 Feb" in card(treated(*found), "Ferritin").detail

    def test_without_a_value_in_the_four_weeks_before_therapy_none_is_compared(self):
        now = ferritin("2024-02-20", 1200.0)
        within, too_old = ferritin("2024-01-04", 400.0), ferritin("2024-01-03", 400.0)
        assert "3-fold of 400" in card(treated(within, now), "Ferritin").detail
        assert card(treated(too_old, now), "Ferritin").detail == "20 Feb 2024, none before therapy to compare"

    def test_the_value_before_therapy_is_not_compared_with_itself(self):
        assert card(treated(ferritin("2024-01-30", 400.0)), "Ferritin").detail == "30 Jan 2024, the last before therapy"

    def test_without_therapy_nothing_is_compared(self):
        tables = page(observation=[ferritin("2024-01-30", 400.0), ferritin("2024-02-20", 1200.0)])
        assert card(tables, "Ferritin").detail == "20 Feb 2024"

    def test_combination_therapy_counts_where_triple_has_not_begun(self):
        found = [ferritin("2024-01-30", 400.0), ferritin("2024-02-20", 1200.0)]
        tables = page(observation=found) | {"combination_therapy": clock()}
        assert "3-fold of 400" in card(tables, "Ferritin").detail
        ended = page(observation=found) | {"combination_therapy": clock(until=DAY)}
        assert card(ended, "Ferritin").detail == "20 Feb 2024"

    def test_what_the_concept_says_goes_before(self):
        first, second, now = (
            ferritin("2024-01-10", 300.0),
            ferritin("2024-01-30", 400.0),
            ferritin("2024-02-20", 1200.0),
        )
        course_row = {"record_id": now["record_id"], "before_id": first["record_id"]}
        assert "4-fold of 300" in card(treated(first, second, now, ferritin_course=[course_row]), "Ferritin").detail

    def test_a_range_gives_both_ends(self):
        between = {"low": 100.0, "high": 200.0}
        assert comparison.fold({"low": 400.0, "high": 400.0}, between) == "2 to 4-fold"

    def test_a_date_that_is_a_range_is_said_as_one(self):
        row = ferritin("2024-02-29", 900.0) | {"partial": "2024-02-01 to 2024-02-29"}
        assert card(page(observation=[row]), "Ferritin").detail == "between 2024-02-01 and 2024-02-29"


class TestTitre:
    def titre(self, at: str, value: float, **more) -> dict:
        return result("anti_mda5", at, value, **{"unit": "U/mL", "assay": "mbl", "laboratory": "A"} | more)

    def told(self, *found: dict) -> str:
        return card(page(observation=list(found)), "Anti-MDA5").detail

    def test_the_same_assay_unit_and_laboratory_is_compared_and_said(self):
        found = self.titre("2024-01-10", 120.0), self.titre("2024-02-10", 60.0)
        assert self.told(*found) == "10 Feb 2024, 0.5-fold of 120, 10 Jan, same assay"

    @pytest.mark.parametrize(
        ("other", "said"),
        [
            ({"assay": "euroimmun"}, "other assay"),
            ({"unit": "index"}, "other unit"),
            ({"laboratory": "B"}, "other laboratory"),
        ],
    )
    def test_any_other_is_only_named(self, other, said):
        found = self.titre("2023-12-10", 120.0, **other), self.titre("2024-02-10", 60.0)
        assert self.told(*found) == f"10 Feb 2024, {said} before, 10 Dec 2023"

    def test_the_same_assay_is_found_behind_another(self):
        between = self.titre("2024-01-20", 9.0, assay="euroimmun")
        assert "0.5-fold of 120" in self.told(self.titre("2024-01-10", 120.0), between, self.titre("2024-02-10", 60.0))

    def test_words_and_bounds_are_not_made_numbers(self):
        positive = self.titre("2024-01-10", 0.0) | {"low": None, "high": None, "value": None, "coded": "positive"}
        assert self.told(positive, self.titre("2024-02-10", 60.0)).endswith("was positive, 10 Jan, same assay")
        limit = [above("anti_mda5", day, 100.0, unit="SI", assay="quest_msa11") for day in ("2024-01-10", "2024-02-10")]
        assert "cannot be told: >100 then and now" in self.told(*limit)


class TestLungFunction:
    def told(self, *found: tuple[str, float], sets: tuple = (None, None, None), name: str = "FVC") -> str:
        rows = [
            result(f"{name.lower()}_percent", at, value, unit="%", reference_set=one)
            for (at, value), one in zip(found, sets, strict=False)
        ]
        return card(page(observation=rows), name, date(2024, 12, 1)).detail

    def test_the_change_is_in_points_since_the_last_test_more_than_four_weeks_before(self):
        assert self.told(("2024-01-01", 70.0), ("2024-01-30", 62.5)) == "30 Jan 2024, −7.5 points since 1 Jan"
        assert self.told(("2024-01-01", 70.0), ("2024-01-29", 62.5)) == "29 Jan 2024, no test to compare with"
        assert "+1 point since 1 Jan" in self.told(("2024-01-01", 70.0), ("2024-02-20", 90.0), ("2024-03-01", 71.0))
        assert "no change since 1 Jan" in self.told(("2024-01-01", 70.0), ("2024-03-01", 70.0), name="DLCO")

    def test_another_reference_set_is_not_compared(self):
        said = self.told(("2023-01-01", 70.0), ("2024-03-01", 62.5), sets=("ECSC", "GLI 2012"))
        assert said == "1 Mar 2024, other reference set before, 1 Jan 2023"

    def test_litres_alone_are_no_percentage_but_not_never_measured(self):
        shown = card(page(observation=[result("fvc", "2024-02-01", 2.4, unit="L")]), "FVC")
        assert (shown.value, shown.detail) == ("2.4 L", "1 Feb 2024, no % predicted")

    def test_a_bound_gives_only_what_is_certain(self):
        exact, bound = {"low": 50.0, "high": 50.0}, {"low": 0.0, "high": 30.0}
        assert comparison.points(bound, exact) == "at least 20 points lower"
        assert comparison.points(exact, bound) == "at least 20 points higher"
        assert comparison.points({"low": 20.0, "high": 20.0}, bound) == ""


class TestOxygen:
    def told(self, *rows: dict) -> tuple[str, str]:
        shown = card(page(oxygen_support=list(rows)), "Oxygen now")
        return shown.value, shown.detail

    def test_an_unknown_flow_is_no_change(self):
        assert self.told(oxygen("2024-02-01", 1), oxygen("2024-02-20", 1, 6.0)) == ("6 L/min", "20 Feb 2024")

    def test_exertion_is_not_compared_with_rest(self):
        rest, exertion = (
            oxygen("2024-02-01", 1, 2.0, activity="rest"),
            oxygen("2024-02-20", 1, 6.0, activity="exertion"),
        )
        assert self.told(rest, exertion) == ("6 L/min", "20 Feb 2024, exertion")
        assert self.told(rest | {"activity": None}, exertion)[0] == "6 L/min ↑"


class TestAgents:
    def tables(self, confirmed: date | None, *drugs: str) -> dict:
        acting = {
            "from_date": START, "to_date": None, "drugs": list(drugs), "agents": [], "confirmed_on": confirmed
        }  # fmt: skip
        given_drugs = [course(drug, "cni", "2024-02-01") for drug in drugs]
        doses = [equivalent("2024-02-01", None, 50.0)]
        return page(treatment_course=given_drugs, prednisone_equivalent=doses) | {"immunosuppression": [acting]}

    def test_they_are_named_once_beside_the_glucocorticoid(self):
        tables = self.tables(None, "tacrolimus", "prednisolone", "cyclophosphamide", "cyclophosphamide")
        shown = card(tables, "Prednisone eq., agents")
        assert (shown.value, shown.detail) == ("50 mg/day", "since 1 Feb 2024, + Cyclophosphamide, Tacrolimus")
        assert card(self.tables(None, "prednisolone"), shown.name).detail.endswith("no other agent acting")

    def test_they_are_assumed_ongoing_from_the_31st_day_after_the_last_word(self):
        for days, assumed in ((30, False), (31, True)):
            detail = card(self.tables(DAY - timedelta(days=days), "tacrolimus"), "Prednisone eq., agents").detail
            assert ("assumed ongoing, confirmed" in detail) == assumed


class TestStale:
    def overdue(self, item: str, due: str = "2024-02-20", until: str | None = None) -> dict:
        return judged("overdue_tests", "monitoring", due, until, "met", item, facts=["Test", due, "counted"])

    def test_every_scheduled_card_names_a_test_of_the_schedule(self):
        assert set(strip.SCHEDULED.values()) <= set(dictionary.monitoring())
        assert set(strip.SCHEDULED) <= {card.name for card in strip.cards(page(), DAY)}

    def test_from_the_due_day_until_a_result(self):
        rows = [
            judged(
                "overdue_tests", "monitoring", "2024-02-13", "2024-02-20", "not_met", "ferritin", facts=["", "", ""]
            ),
            self.overdue("ferritin", until="2024-02-25"),
            judged("overdue_tests", "monitoring", "2024-02-25", None, "not_met", "ferritin", facts=["", "", ""]),
        ]
        tables = page(observation=[ferritin("2024-02-13", 900.0)], judgement=rows)
        said = [card(tables, "Ferritin", date(2024, 2, day)).stale for day in (19, 20, 21, 24, 25)]
        assert said == ["", "stale today", "stale 1 day", "stale 4 days", ""]
        assert card(tables, "Ferritin", date(2024, 2, 21)).detail == "13 Feb 2024; due 20 Feb 2024"

    def test_what_was_never_measured_is_overdue_and_not_stale(self):
        assert card(page(judgement=[self.overdue("ferritin")]), "Ferritin").stale == "overdue 10 days"

    def test_a_schedule_that_does_not_run_says_nothing(self):
        row = judged(
            "overdue_tests", "monitoring", "2024-01-01", None, "not_evaluable", "ferritin", facts=["", None, None]
        )
        assert card(page(observation=[ferritin("2023-01-01", 9.0)], judgement=[row]), "Ferritin").stale == ""

    def test_only_scheduled_cards_are_stale(self):
        tables = page(judgement=[self.overdue(item) for item in dictionary.monitoring()])
        assert {one.name for one in strip.cards(tables, DAY) if one.stale} == {"Ferritin", "FVC", "DLCO"}

    def test_a_dlco_newer_than_the_last_fvc_is_not_stale(self):
        fvc = result("fvc_percent", "2023-08-01", 70.0, unit="%")
        for at, stale in (("2023-08-01", True), ("2023-08-02", False)):
            tables = page(
                observation=[fvc, result("dlco_percent", at, 50.0)], judgement=[self.overdue("lung_function")]
            )
            assert bool(card(tables, "DLCO").stale) == stale and card(tables, "FVC").stale


ANY_DAY = st.dates(DAY - timedelta(days=60), DAY + timedelta(days=60))
RECORDS = st.lists(
    st.tuples(ANY_DAY, st.sampled_from(("ferritin", "anti_mda5", "fvc_percent", "oxygen", "answer", "drug")))
)


@given(RECORDS)
def test_without_the_later_records_every_card_and_count_is_the_same(records):
    def tables(reach: date) -> dict:
        known = [(day, what) for day, what in records if day <= reach]
        labs = [(day, what) for day, what in known if what not in ("oxygen", "answer", "drug")]
        return page(
            observation=[result(what, str(day), float(day.toordinal() % 90 + 1), unit="U/mL") for day, what in labs],
            oxygen_support=[oxygen(str(day), day.day % 5, float(day.day)) for day, what in known if what == "oxygen"],
            treatment_course=[course("tacrolimus", "cni", str(day)) for day, what in known if what == "drug"],
            event=[event("symptom", "dyspnoea", str(day)) for day, what in known if what == "drug"],
            judgement=[
                judged("overdue_tests", "monitoring", str(day), None, ("met", "not_evaluable")[day.day % 2], "ferritin",
                       facts=["Ferritin", str(day), ""], missing=["ferritin"])
                for day, what in known if what == "answer"
            ],
        ) | {"triple_therapy": [row for day, what in known if what == "drug" for row in clock(day)]}  # fmt: skip

    meeting = header.LastMeeting(DAY - timedelta(days=7), assumed=True)
    now, all_known = tables(DAY), tables(date.max)
    assert strip.cards(now, DAY) == strip.cards(all_known, DAY)
    assert header.sentence(now, DAY, meeting) == header.sentence(all_known, DAY, meeting)


def test_what_is_urgent_by_its_rule_and_grade_stands_before_the_groups():
    def flag(criterion: str, group: str, grade: int | None = None) -> dict:
        return {"criterion": criterion, "group": group, "item": None, "grade": grade}

    mild, grave = flag("neutropenia", "infection", 2), flag("neutropenia", "infection", 3)
    ferritin, transfer = flag("high_ferritin", "prognosis"), flag("urgent_transfer", "transplant")
    assert strip._ordered([mild, ferritin, grave])[0] is grave
    assert strip._ordered([ferritin, transfer])[0] is transfer
