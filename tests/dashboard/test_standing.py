"""The header strip: pure functions of rows."""

from datetime import date

from dashboard import held, strip
from tests.dashboard.hand_made import above, course, equivalent, event, judged, oxygen, page, result

DAY = date(2024, 3, 1)
PREDNISONE = "Prednisone eq., agents"


def card(tables: dict, name: str, as_of: date = DAY) -> strip.Card:
    return next(card for card in strip.cards(tables, as_of) if card.name == name)


class TestStrip:
    def test_absent_is_said_not_guessed(self):
        assert card(page(), "Ferritin").value == "never measured"
        assert card(page(), "Oxygen now").value == "never recorded"
        assert card(page(), PREDNISONE).value == "not recorded"
        assert not card(page(), "Therapy").known

    def test_nothing_later_than_the_day_is_read(self):
        tables = page(observation=[result("ferritin", "2024-03-02", 900.0, unit="ng/mL")])
        assert (card(tables, "Ferritin").value, card(tables, "Ferritin").detail) == (
            "never measured",
            "up to 1 Mar 2024",
        )
        assert card(tables, "Ferritin", date(2024, 3, 2)).value == "900 ng/mL"

    def test_a_censored_value_keeps_its_sign_and_its_unit(self):
        assert (
            card(page(observation=[above("anti_mda5", "2024-02-01", 100.0, unit="SI")]), "Anti-MDA5").value == ">100 SI"
        )

    def test_oxygen_says_from_where_it_came(self):
        tables = page(oxygen_support=[oxygen("2024-02-01", 1, 6.0), oxygen("2024-02-20", 4, 50.0, 0.8)])
        assert card(tables, "Oxygen now") == strip.Card(
            "Oxygen now", "HFNC 0.80/50 L ↑", "20 Feb 2024, from 6 L/min, 1 Feb"
        )

    def test_the_trend_is_against_the_last_support_that_differed_not_an_earlier_worse_one(self):
        tables = page(
            oxygen_support=[
                oxygen("2024-02-01", 4, 50.0, 0.8),
                oxygen("2024-02-05", 1, 2.0),
                oxygen("2024-02-20", 1, 6.0),
                oxygen("2024-02-21", 1, 6.0),
            ]
        )
        risen, unchanged = card(tables, "Oxygen now", date(2024, 2, 20)), card(tables, "Oxygen now")
        assert (risen.value, risen.detail) == ("6 L/min ↑", "20 Feb 2024, from 2 L/min, 5 Feb")
        assert (unchanged.value, unchanged.detail) == ("6 L/min ↑", "21 Feb 2024, from 2 L/min, 5 Feb")

    def test_no_glucocorticoid_is_nought_only_where_drugs_are_recorded(self):
        tables = page(treatment_course=[course("tacrolimus", "cni", "2024-02-01")])
        assert card(tables, PREDNISONE).value == "0 mg/day"
        tables = page(
            treatment_course=[course("prednisolone", "glucocorticoid", "2024-02-01")],
            prednisone_equivalent=[equivalent("2024-02-01", None, 156.25)],
        )
        assert card(tables, PREDNISONE).value == "156.2 mg/day"

    def test_the_days_of_change_are_those_on_which_a_flag_was_met_or_ceased(self):
        rows = [
            judged("a", "transplant", "2024-01-01", "2024-01-05", "not_evaluable"),
            judged("a", "transplant", "2024-01-05", "2024-01-09", "not_met"),
            judged("a", "transplant", "2024-01-09", "2024-01-20", "met"),
            judged("a", "transplant", "2024-01-20", None, "not_met"),
        ]
        assert strip.changes(page(judgement=rows)) == [date(2024, 1, 9), date(2024, 1, 20)]

    def test_an_answer_stands_until_the_next(self):
        rows = [
            judged("a", "transplant", "2024-01-01", "2024-01-05", "met"),
            judged("a", "transplant", "2024-01-05", None, "not_met"),
        ]
        standing = [strip.standing(page(judgement=rows), date(2024, 1, day)) for day in (4, 5)]
        assert [[row["status"] for row in found] for found in standing] == [["met"], ["not_met"]]

    def test_every_kind_of_record_counts_as_a_day(self):
        tables = page(
            observation=[result("ldh", "2024-01-02", 1.0)], event=[event("symptom", "dyspnoea", "2024-01-03", "worse")]
        )
        assert strip.recorded_days(tables) == [date(2024, 1, 2), date(2024, 1, 3)]


class TestHeld:
    def test_a_held_result_is_not_called_never_measured(self):
        tables = page() | {"held": [{"analyte": "ferritin"}, {"analyte": "ferritin"}]}
        assert card(tables, "Ferritin") == strip.Card("Ferritin", "held", "2 not accepted, see below", known=False)

    def test_the_analyte_is_read_from_the_text_of_the_row(self):
        assert held.analyte_named("pat-001,ferritin,900,,2024-01-02") == "ferritin"
        assert held.analyte_named("pat-001;nothing known;900") is None
