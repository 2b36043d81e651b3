"""The facts of the view "flare or infection" up to a day."""

import re
from datetime import date

import pytest

from dashboard import style
from dashboard.infection_facts import facts
from tests.dashboard.hand_made import below, course, event, judged, page, result
from tests.dashboard.test_infection_view import GAP, acting, covered, with_concepts

AS_OF = date(2024, 3, 1)


def told(tables: dict, as_of: date = AS_OF) -> str:
    return "\n".join(facts(tables, as_of))


def episode(from_date: str, open_until: str, to_date: str | None = None, ended: bool = False, **more) -> dict:
    day = date.fromisoformat(from_date)
    return {
        "organism": "cmv", "site": "lung", "proof": None, "end_organ": None, "since": day, "recorded_on": day, "from_date": day,
        "open_until": date.fromisoformat(open_until), "to_date": date.fromisoformat(to_date) if to_date else None, "ended": ended,
        "evidence": ["5"],
    } | more  # fmt: skip


class TestResults:
    def test_the_newest_with_the_one_before_it_each_with_its_date(self):
        rows = [result("crp", "2024-02-20", 1.2), result("crp", "2024-02-28", 8.5)]
        assert "CRP 8.5 mg/dL (28 Feb 2024), up from 1.2 (20 Feb 2024)" in told(page(observation=rows))
        rows = [result("crp", "2024-02-20", 8.5), result("crp", "2024-02-28", 8.5)]
        assert "CRP 8.5 mg/dL (28 Feb 2024), as before, 8.5 (20 Feb 2024)" in told(page(observation=rows))

    def test_of_a_censored_result_no_direction_is_said(self):
        rows = [result("procalcitonin", "2024-02-20", 0.1), below("procalcitonin", "2024-02-28", 0.05)]
        assert "procalcitonin <0.05 ng/mL (28 Feb 2024), before that 0.1 ng/mL (20 Feb 2024)" in told(
            page(observation=rows)
        )

    def test_assays_are_not_compared(self):
        rows = [
            result("beta_d_glucan", "2024-02-20", 90.0, assay="fungitell"),
            result("beta_d_glucan", "2024-02-28", 12.0, assay="wako"),
        ]
        assert "beta-D-glucan 12 pg/mL by Wako (28 Feb 2024)\n" in told(page(observation=rows))

    def test_laboratories_of_a_cmv_pcr_are_not_compared_and_units_stand_apart(self):
        rows = [
            result("cmv_dna", "2024-02-20", 900.0, laboratory="A"),
            result("cmv_dna", "2024-02-28", 100.0, laboratory="B"),
            result("cmv_pp65", "2024-02-21", 3.0),
        ]
        assert "CMV PCR 100 IU/mL (28 Feb 2024); CMV pp65 3 cells (21 Feb 2024)\n" in told(page(observation=rows))

    def test_a_word_stays_a_word(self):
        row = result("cmv_dna", "2024-02-14", None, coded="negative", original_value="not detected")
        assert "CMV PCR negative (14 Feb 2024)" in told(page(observation=[row]))

    def test_what_was_never_measured_or_recorded_is_said(self):
        said = told(page())
        assert (
            "not measured up to 1 Mar 2024: temperature, CRP, procalcitonin, beta-D-glucan, CMV, ferritin, KL-6" in said
        )
        assert (
            "not recorded up to 1 Mar 2024: fever, microbiology, infection, chest CT, chest X-ray, any drug, PJP prophylaxis"
            in said
        )

    def test_what_is_held_is_counted_unless_it_is_later(self):
        held = [{"analyte": "crp", "row as received": f"p,CRP,18,,{day},x"} for day in ("2024-03-01", "2024-03-02")]
        assert "CRP (1 held, not accepted)" in told(page() | {"held": held})

    def test_a_preliminary_result_is_not_told(self):
        assert (
            "CRP"
            not in told(page(observation=[result("crp", "2024-02-01", 3.0, status="preliminary")])).split(
                "not measured"
            )[0]
        )

    def test_of_a_partial_date_the_last_day_is_said_to_be_that(self):
        row = result("crp", "2024-02-29", 3.0, partial="2024-02-01 to 2024-02-29")
        assert "CRP 3 mg/dL (by 29 Feb 2024)" in told(page(observation=[row]))


class TestInfection:
    def test_fever_with_its_last_day(self):
        fevers = [event("symptom", "fever", day, "38.7", number=38.7) for day in ("2024-02-01", "2024-02-05")]
        assert "fever 38.7 °C (5 Feb 2024), recorded on 2 days" in told(page(event=fevers))

    def test_a_negative_culture_after_a_positive_one(self):
        events = [
            event("microbiology", "organism", "2024-02-01", "klebsiella pneumoniae"),
            event("microbiology", "specimen", "2024-02-10", "blood"),
            event("microbiology", "result", "2024-02-10", "negative"),
        ]
        said = "last microbiology blood negative (10 Feb 2024); last found: klebsiella pneumoniae (1 Feb 2024)"
        assert said in told(page(event=events))

    def test_an_infection_is_open_for_its_days_and_then_perhaps(self):
        tables = page(infection_episode=[episode("2024-02-02", "2024-03-02")])
        assert "infection (cmv, lung) since 2 Feb 2024\n" in told(tables)
        assert "no end recorded: perhaps still open" in told(tables, date(2024, 3, 2))

    def test_an_infection_that_has_ended(self):
        tables = page(infection_episode=[episode("2024-02-02", "2024-02-20", "2024-02-20", ended=True)])
        assert "infection (cmv, lung) until 19 Feb 2024, none open since" in told(tables)
        assert "infection (cmv, lung) since 2 Feb 2024\n" in told(tables, date(2024, 2, 19))


class TestDrugs:
    def test_who_acts_and_since_when_it_is_not_confirmed(self):
        row = acting(
            "2024-02-01", None, ["glucocorticoid", "cni"], 20.0, drugs=["tacrolimus"], confirmed_on=date(2024, 2, 10)
        )
        said = told(with_concepts(immunosuppression=[row]))
        assert "2 immunosuppressive agents act on 1 Mar 2024 (Tacrolimus), prednisone eq. 20 mg/day" in said
        assert "last confirmed 10 Feb 2024" in said

    def test_none_acts_is_not_the_same_as_no_drug_recorded(self):
        assert "any drug" in told(page())
        assert "no immunosuppressant acts on 1 Mar 2024" in told(
            page(treatment_course=[course("meropenem", "antibacterial", "2024-02-01")])
        )

    def test_prophylaxis_in_doubt_says_since_when(self):
        rows = [
            covered("pjp", "tmp_smx", "2024-01-01", "2024-02-01", last_confirmed=date(2024, 1, 1)),
            covered("pjp", "tmp_smx", "2024-02-01", None, certain=False, last_confirmed=date(2024, 1, 1)),
        ]
        said = "PJP prophylaxis last confirmed 1 Jan 2024, in doubt since 1 Feb 2024 (Trimethoprim-sulfamethoxazole)"
        assert said in told(with_concepts(prophylaxis=rows))
        assert "PJP prophylaxis last confirmed 1 Jan 2024, recorded for 31 Jan 2024" in told(
            with_concepts(prophylaxis=rows), date(2024, 1, 31)
        )

    def test_a_gap_is_told_on_the_days_judged_met_only(self):
        tables = with_concepts(
            prophylaxis=[covered("pjp", "atovaquone", "2024-01-01", "2024-02-01")],
            judgement=[judged(GAP, "infection", "2024-02-15", "2024-03-02", "met")],
        )
        gap = "no PJP prophylaxis on 1 Mar 2024, gap since 15 Feb 2024"
        assert gap in told(tables)
        for day in (date(2024, 2, 14), date(2024, 3, 2)):
            assert "gap" not in told(tables, day) and "PJP prophylaxis recorded to 31 Jan 2024 (Atovaquone)" in told(
                tables, day
            )


LATER = {
    "observation": [
        result(analyte, "2024-03-02", 77.0)
        for analyte in ("crp", "procalcitonin", "beta_d_glucan", "cmv_dna", "temperature", "ferritin", "kl6", "igg", "neutrophils",
                        "lymphocytes")
    ]
    + [result("pneumocystis_pcr", "2024-03-02", None, coded="positive", original_value="positive")],
    "event": [
        event("symptom", "fever", "2024-03-02", "39.9", number=39.9),
        event("microbiology", "organism", "2024-03-02", "aspergillus"),
        event("imaging", "chest_ct", "2024-03-02", "worse"),
    ],
    "infection_episode": [episode("2024-03-02", "2024-03-31")],
    "immunosuppression": [acting("2024-03-02", None, ["cni"])],
    "treatment_course": [course("tacrolimus", "cni", "2024-03-02")],
    "prophylaxis": [covered("pjp", "atovaquone", "2024-03-02", None), covered("antifungal", "fluconazole", "2024-03-02", None)],
    "judgement": [judged(GAP, "infection", "2024-03-02", None, "met")],
    "held": [{"analyte": "crp", "row as received": "p,CRP,18,,2024-03-02"}],
}  # fmt: skip
KNOWN = {
    "observation": [result("crp", "2024-02-20", 1.2), result("ferritin", "2024-02-20", 900.0)],
    "infection_episode": [episode("2024-02-10", "2024-03-05", "2024-03-05", ended=True)],
    "prophylaxis": [covered("pjp", "atovaquone", "2024-01-01", "2024-03-09")],
}


class TestNoLookAhead:
    @pytest.mark.parametrize("table", list(LATER))
    def test_what_is_dated_later_changes_nothing(self, table):
        known = with_concepts(**KNOWN) | {"held": []}
        assert facts(known | {table: known[table] + LATER[table]}, AS_OF) == facts(known, AS_OF)

    @pytest.mark.parametrize("table", list(LATER))
    def test_it_is_told_on_its_day(self, table):
        known = with_concepts(**KNOWN) | {"held": [], "observation": []}
        day = date(2024, 3, 2)
        assert facts(known | {table: known[table] + LATER[table]}, day) != facts(known, day)

    def test_no_day_after_the_as_of_day_is_named(self):
        tables = with_concepts(**{name: KNOWN.get(name, []) + rows for name, rows in LATER.items() if name != "held"})
        named = re.findall(r"\d{1,2} [A-Z][a-z]{2} \d{4}", told(tables))
        late = {style.day(date(2024, 3, number)) for number in range(2, 32)}
        assert named and not late & set(named)
