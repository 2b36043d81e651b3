"""The infection board on screen: what is said of rows made by hand, and the page of the real case."""

import csv
import io
from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import data, infection_table, infection_words
from dashboard.data import infection
from dashboard.infection_words import FACT, MET, UNKNOWN
from tests.dashboard.conftest import APP, HOSTILE

AS_OF = date(2024, 6, 30)
REAL = "yonsei-2021"


def detail(**parts) -> dict:
    """A patient of whom nothing is recorded but what is given."""
    nothing = {
        "patient_id": "p",
        "acting": None,
        "measured": {},
        "last_day": None,
        "days": None,
        "held": 0,
        "sources": {},
    }
    return nothing | {name: [] for name in ("cover", "results", "answers", "episodes")} | parts


def answer(criterion: str, status: str = "met", **more) -> dict:
    always = {
        "item": None,
        "grade": None,
        "since": date(2024, 6, 1),
        "days": 29,
        "evidence": [],
        "missing": [],
        "finding": "",
    }
    return {"patient_id": "p", "criterion": criterion, "status": status} | always | more


def result(analyte: str, day: int, value: float | None, place: int = 1, **more) -> dict:
    numbers = {"value": value, "low": value, "low_open": False, "high": value, "high_open": False, "coded": None}
    always = {"unit": None, "unit_assumed": False, "original_value": str(value), "assay": None, "laboratory": None, "series": "",
              "partial": False, "record_id": "1", "file": "labs.csv", "line": day}  # fmt: skip
    return (
        {"patient_id": "p", "analyte": analyte, "on_date": date(2024, 6, day), "place": place} | always | numbers | more
    )


def below(analyte: str, day: int, bound: float, place: int = 1, **more) -> dict:
    return result(analyte, day, None, place, low=0, high=bound, high_open=True, **more)


def acting(**more) -> dict:
    always = {"agents": ["cni", "glucocorticoid"], "drugs": ["prednisolone", "tacrolimus"], "agent_count": 2, "mg_per_day": 20,
              "dose_unknown": False, "confirmed_on": None, "evidence": ["7"], "dose_evidence": ["8"]}  # fmt: skip
    return always | more


def said(column: str, **parts) -> list[str]:
    return [one.said for one in infection_words.cells(detail(**parts), AS_OF)[column]]


class TestActing:
    def test_agents_and_dose_on_the_day(self):
        assert said("acting", acting=acting()) == [
            "2 agents: Prednisolone, Tacrolimus", "prednisone eq. 20 mg/day on 30 Jun 2024"
        ]  # fmt: skip

    @pytest.mark.parametrize(("confirmed", "assumed"), [(date(2024, 6, 29), True), (AS_OF, False), (None, False)])
    def test_a_drug_that_goes_on_for_want_of_a_stop_is_said_to(self, confirmed, assumed):
        told = said("acting", acting=acting(confirmed_on=confirmed))
        assert ("? assumed ongoing, no stop recorded: last confirmed 29 Jun 2024" in told) is assumed

    def test_a_dose_that_cannot_be_read_is_a_least(self):
        told = said("acting", acting=acting(mg_per_day=0, dose_unknown=True))
        assert "prednisone eq. at least 0 mg/day, a dose could not be read on 30 Jun 2024" in told

    def test_without_glucocorticoid_and_without_agents(self):
        assert "no systemic glucocorticoid" in said("acting", acting=acting(mg_per_day=0))
        assert said("acting") == ["no immunosuppressant acts on 30 Jun 2024"]


class TestProphylaxis:
    NONE = ("antiviral: none recorded", "antifungal: none recorded")

    def cover(self, **more) -> dict:
        always = {"kind": "pjp", "drug": "atovaquone", "certain": True, "since": date(2024, 3, 1), "last_confirmed": None,
                  "treatment": False, "evidence": []}  # fmt: skip
        return always | more

    def test_a_gap_with_its_first_day(self):
        assert said("prophylaxis", answers=[answer("pjp_prophylaxis_gap")]) == [
            "▲ PJP: gap since 1 Jun 2024 (29 days)", *self.NONE
        ]  # fmt: skip

    def test_what_covers_since_when(self):
        told = said("prophylaxis", cover=[self.cover()], answers=[answer("pjp_prophylaxis_gap", "not_met")])
        assert told == ["PJP: Atovaquone since 1 Mar 2024", *self.NONE]

    def test_in_doubt_the_question_is_asked_once(self):
        unknown = answer("pjp_prophylaxis_gap", "not_evaluable", missing=["is prophylaxis still taken?"])
        doubt = self.cover(certain=False, last_confirmed=date(2024, 4, 1), in_doubt_from=date(2024, 5, 2))
        assert said("prophylaxis", cover=[doubt], answers=[unknown])[0] == (
            "? PJP: Atovaquone since 1 Mar 2024, last confirmed 1 Apr 2024, in doubt since 2 May 2024: is prophylaxis still taken?"
        )

    def test_what_else_is_missing_is_said(self):
        unknown = answer("pjp_prophylaxis_gap", "not_evaluable", missing=["drug records"])
        assert said("prophylaxis", answers=[unknown])[:2] == [
            "? PJP: cannot be told: drug records",
            "PJP: none recorded",
        ]

    def test_none_needed_is_not_covered(self):
        told = said("prophylaxis", answers=[answer("pjp_prophylaxis_gap", "not_met")])
        assert told[0] == "PJP: none recorded; the dose and duration of its rule are not reached"


class TestResults:
    def test_the_last_value_with_unit_day_grade_and_the_way_from_the_value_before(self):
        rows = [result("lymphocytes", 9, 0.4), result("lymphocytes", 2, 0.9, 2)]
        told = said("counts", results=rows, answers=[answer("lymphopenia", grade=3)])
        assert told[0] == "▲ grade 3, lymphocytes 0.4 10⁹/L (9 Jun 2024) ↘ down from 0.9 (2 Jun)"
        assert told[1:] == ["neutrophils: never measured", "IgG: never measured"]

    def test_with_none_before_it(self):
        assert said("counts", results=[result("igg", 9, 8.0)])[2] == "IgG 8 g/L (9 Jun 2024), none before it"

    def test_where_the_grade_cannot_be_told(self):
        unknown = answer("lymphopenia", "not_evaluable", missing=["lymphocyte count as an exact value"])
        told = said("counts", results=[below("lymphocytes", 9, 1.0)], answers=[unknown])
        assert told[0].startswith("? lymphocytes <1 10⁹/L (9 Jun 2024)") and "as an exact value" in told[0]

    @pytest.mark.parametrize(
        ("new", "old", "way"),
        [
            (result("igg", 9, 5), result("igg", 2, 4), "up"),
            (result("igg", 9, 4), result("igg", 2, 5), "down"),
            (result("igg", 9, 4), result("igg", 2, 4), "same"),
            (below("igg", 9, 4), result("igg", 2, 4), "down"),  # "<4" is below 4
            (below("igg", 9, 4), result("igg", 2, 3.9), "untold"),
            (result("igg", 9, 900), below("igg", 2, 34.5), "up"),
            (below("igg", 9, 34.5), below("igg", 2, 34.5), "untold"),
            (result("igg", 9, None, low=500, low_open=True, high=None), result("igg", 2, 500), "up"),
            (result("igg", 9, None, low=500, low_open=True, high=None), result("igg", 2, 501), "untold"),
            (
                result("igg", 9, None, low=None, coded="negative"),
                result("igg", 2, None, low=None, coded="negative"),
                "same",
            ),
            (result("igg", 9, 12), result("igg", 2, None, low=None, coded="negative"), "untold"),
        ],
    )
    def test_a_direction_is_said_only_where_it_is_sure(self, new, old, way):
        assert infection_words.way(new, old) == way

    def test_censored_values_keep_their_sign(self):
        above = result(
            "beta_d_glucan", 9, None, low=500, low_open=True, high=None, assay="fungitell", series="assay fungitell"
        )
        told = said("cmv_bdg", results=[below("cmv_dna", 9, 34.5), above])
        assert told == [
            "CMV PCR <34.5 IU/mL (9 Jun 2024), none before it",
            "β-D-glucan Fungitell >500 pg/mL (9 Jun 2024), none before it",
        ]

    def test_units_and_copies_and_pp65_stand_apart(self):
        told = said(
            "cmv_bdg", results=[result("cmv_dna", 9, 900), result("cmv_dna_copies", 8, 50), result("cmv_pp65", 7, 3)]
        )
        assert told[:3] == [
            "CMV PCR 900 IU/mL (9 Jun 2024), none before it",
            "CMV PCR, copies 50 copies/mL (8 Jun 2024), none before it",
            "CMV pp65 3 cells (7 Jun 2024), none before it",
        ]

    def test_two_assays_each_with_its_own_answer(self):
        rows = [result("beta_d_glucan", 9, 85, assay="fungitell", series="assay fungitell"),
                result("beta_d_glucan", 9, 9, assay="wako", series="assay wako")]  # fmt: skip
        answers = [
            answer("beta_d_glucan_positive", item="fungitell"),
            answer("beta_d_glucan_positive", "not_met", item="wako"),
        ]
        assert [one.sign for one in infection_words.glucan(detail(results=rows, answers=answers))] == [MET, FACT]

    def test_of_laboratories_the_newest_is_told_against_itself(self):
        rows = [
            result("cmv_dna", 2, 900, laboratory="A", series="A"),
            result("cmv_dna", 9, 100, laboratory="B", series="B"),
        ]
        assert said("cmv_bdg", results=rows)[0] == "CMV PCR 100 IU/mL (9 Jun 2024), none before it"


class TestGaps:
    def test_due_since_when_and_when_it_was_last_done(self):
        answers = [answer("overdue_tests", item="blood_count"), answer("overdue_tests", item="igg")]
        told = said("gaps", answers=answers, measured={"wbc": date(2024, 5, 1)})
        assert told[:2] == [
            "▲ blood count due since 1 Jun 2024 (29 days), last 1 May 2024",
            "▲ IgG due since 1 Jun 2024 (29 days), never measured",
        ]

    def test_what_has_no_schedule_yet_is_said_together(self):
        answers = [
            answer("overdue_tests", "not_evaluable", item=item, missing=["combination therapy"])
            for item in ("igg", "cmv_pcr")
        ]
        assert said("gaps", answers=answers)[0] == (
            "? IgG (never measured), CMV PCR (never measured): overdue or not cannot be told, missing combination therapy"
        )

    def test_a_screen_names_its_drug(self):
        told = said("gaps", answers=[answer("hbv_screen_missing", item="tofacitinib")])
        assert told == ["no test overdue", "▲ hepatitis B screen missing before Tofacitinib, since 1 Jun 2024"]


class TestInfections:
    def episode(self, **more) -> dict:
        always = {"organism": "cmv", "site": "lung", "proof": "BAL", "end_organ": None, "since": date(2024, 6, 10), "slack": 0,
                  "recorded_on": date(2024, 6, 10), "open": True, "evidence": []}  # fmt: skip
        return always | more

    def test_open_and_perhaps_open_are_told_apart(self):
        assert said("infections", episodes=[self.episode()]) == ["▲ open: cmv, lung, proven by BAL, since 10 Jun 2024"]
        perhaps = self.episode(organism="not named", site=None, proof=None, open=False, slack=9)
        assert said("infections", episodes=[perhaps]) == [
            "? perhaps still open: organism not named, site not named, how proven not recorded, since by 10 Jun 2024, "
            "last recorded by 10 Jun 2024, no end recorded"
        ]

    def test_of_none_recorded_it_is_not_said_that_there_is_none(self):
        unknown = answer("active_infection", "not_evaluable", missing=["infection: present or absent"])
        told = said("infections", answers=[unknown])
        assert told == ["? no infection recorded as open; cannot be told: infection: present or absent"]

    def test_an_exchange_is_told_in_the_sentence_of_its_rule_with_days_as_elsewhere(self):
        near = answer(
            "exchange_after_ivig", finding="Plasma exchange on 2024-06-20, 3 days after immunoglobulin of 2024-06-17."
        )
        assert said("infections", answers=[near])[-1].endswith(
            ": Plasma exchange on 20 Jun 2024, 3 days after immunoglobulin of 17 Jun 2024."
        )
        assert "page of the patient" in said("infections", answers=[near | {"finding": None}])[-1]

    def test_a_flag_with_no_column_of_its_own_is_not_lost(self):
        assert said("infections", answers=[answer("some_new_rule")])[-1] == "▲ some new rule, since 1 Jun 2024"


def test_no_column_is_ever_empty():
    for row in (detail(), detail(answers=[answer(name, "not_evaluable", missing=["x"]) for name in ("lymphopenia",)])):
        assert all(infection_words.cells(row, AS_OF).values())


def test_the_page_of_the_patient_opens_the_flag_that_ranks_first():
    answers = [answer("overdue_tests", item="igg", since=date(2024, 1, 1)), answer("neutropenia", grade=3),
               answer("tb_screen_missing", item="tofacitinib", since=date(2024, 2, 1))]  # fmt: skip
    assert infection_words.first_flag(detail(answers=answers)) == "neutropenia"
    assert infection_words.first_flag(detail(answers=answers[::2])) == "tb_screen_missing~tofacitinib"
    assert infection_words.first_flag(detail()) is None


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("views/infection.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def written(app: AppTest) -> str:
    return "\n".join(str(one.value) for kind in ("markdown", "caption", "info", "error") for one in getattr(app, kind))


def links(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


class TestPage:
    def test_the_real_case_at_the_end_of_its_record(self, shown_store):
        day = date(2022, 4, 15)
        assert REAL in {row["patient_id"] for row in infection.board(day)}
        told = {
            name: [one.said for one in cell]
            for name, cell in infection_words.cells(infection.details(day, [REAL])[0], day).items()
        }
        assert told["acting"][:2] == ["2 agents: Ciclosporin, Prednisolone", "prednisone eq. 20 mg/day on 15 Apr 2022"]
        assert "last confirmed 6 Oct 2021" in told["acting"][2]
        assert told["prophylaxis"][0].endswith(
            "since 4 Aug 2021, last confirmed 6 Aug 2021, in doubt since 6 Sep 2021: is prophylaxis still taken?"
        )
        assert told["counts"] == ["lymphocytes: never measured", "neutrophils: never measured", "IgG: never measured"]
        assert "▲ CMV PCR due since 9 Sep 2021 (218 days), never measured" in told["gaps"]
        assert [line[:45] for line in told["infections"]] == [
            "? perhaps still open: cmv, lung, end-organ di", "? perhaps still open: organism not named, uri"
        ]  # fmt: skip

    def test_it_says_its_order_and_links_to_the_view_at_the_flag(self, shown_store):
        app = opened(find=REAL)
        assert not app.exception and not app.error
        assert "In this order: an infection open under at least two agents" in written(app)
        [link] = app.get("page_link")
        assert "view=infection" in link.proto.query_string and f"patient={REAL}" in link.proto.query_string

    def test_the_address_filters_and_what_it_does_not_know_is_passed_over(self, shown_store):
        everyone = len(links(opened()))
        assert len(links(opened(flag="<b>", agent="nobody"))) == everyone
        rows = infection.board(data.provenance().last_day)
        jak = sum("jak_inhibitor" in row["agents"] for row in rows)
        assert 0 < jak < everyone and len(links(opened(agent="jak_inhibitor"))) == jak
        assert len(links(opened(flag="screening"))) == sum(row["screening"] for row in rows)

    def test_a_choice_goes_into_the_address(self, shown_store):
        app = opened()
        app.selectbox(key="infection_flag").set_value("surveillance").run()
        assert app.query_params["flag"] == "surveillance"
        app.text_input(key="infection_find").set_value("nobody").run()
        assert "No patient matches." in written(app) and not links(app)

    def test_an_older_snapshot_says_what_to_do(self, shown_store, monkeypatch):
        monkeypatch.setattr(infection, "lacking", lambda: ("prophylaxis",))
        app = opened()
        assert "Load or rebuild to see this" in written(app) and not links(app) and not app.exception

    def test_hostile_texts_are_shown_as_written(self, shown_store, monkeypatch):
        row = {"patient_id": HOSTILE, "rank": 5, "since": None, "agents": [HOSTILE], "agent_count": 1}
        row |= dict.fromkeys(infection.FLAGS, False)
        episode = {"organism": HOSTILE, "site": HOSTILE, "proof": HOSTILE, "end_organ": True, "since": AS_OF, "slack": 0,
                   "recorded_on": AS_OF, "open": True, "evidence": ["1"]}  # fmt: skip
        row_detail = detail(
            patient_id=HOSTILE, episodes=[episode], acting=acting(drugs=[HOSTILE]), sources={"1": (HOSTILE, 1)},
            results=[result("beta_d_glucan", 9, None, low=None, original_value=HOSTILE, assay=HOSTILE, file=HOSTILE)],
        )  # fmt: skip
        monkeypatch.setattr(infection, "board", lambda as_of: [row])
        monkeypatch.setattr(infection, "details", lambda as_of, patients: [row_detail])
        app = opened()
        assert not app.exception and not app.error
        helps = "\n".join(str(one.help) for one in app.markdown)
        for text in (written(app), helps, *links(app)):
            assert "<img" not in text and "](javascript" not in text and ":smile:" not in text

    def test_the_file_has_every_row_with_its_sources(self, shown_store):
        day = data.provenance().last_day
        found = infection.board(day)
        rows = list(csv.DictReader(io.StringIO(infection_table.as_csv(found, day).decode("utf-8-sig"))))
        assert [row["patient_id"] for row in rows] == [row["patient_id"] for row in found]
        [real] = [row for row in rows if row["patient_id"] == REAL]
        assert "administrations.csv line 30" in real["Acting: source"] and "? assumed ongoing" in real["Acting"]

    def test_an_empty_store_explains_itself(self, empty_store):
        app = opened()
        assert not app.exception and any("Nothing has been loaded yet" in one.value for one in app.subheader)


def test_unknown_has_a_sign_of_its_own():
    assert len({MET, UNKNOWN, FACT}) == 3
