"""What of a row is shown while the switch is on: field by field, text by text, day by day."""

import dataclasses
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from dashboard import deidentify, relative_days, style, vocabulary
from dashboard.charts import relative_axis
from dashboard.data import deidentified
from dashboard.deidentify import LEFT, Person
from pipelines.store import database

ROOT = Path(__file__).resolve().parents[2]
WHO = Person("MRN-1", "case-abc", date(2017, 7, 10), 1951, alias=lambda name: f"x{len(name)}")


class TestDays:
    @pytest.mark.parametrize(
        ("day", "said"),
        [
            (date(2017, 7, 10), "day 0"),
            (date(2017, 7, 9), "day −1"),
            (date(2018, 7, 10), "day 365"),
            (datetime(2017, 7, 12, 23, 59), "day 2"),
        ],
    )
    def test_the_first_record_is_day_0(self, day, said):
        assert style.day(WHO.shown(day)) == said and WHO.real(WHO.shown(day)) == day

    def test_a_calendar_date_is_never_told_as_a_day_and_is_not_said_while_the_switch_is_on(self, monkeypatch):
        assert style.day(date(2017, 7, 10)) == "10 Jul 2017"
        monkeypatch.setattr(deidentify, "on", lambda: True)
        assert style.day(date(2017, 7, 10)) == style.NO_DATE and style.day(relative_days.of(3)) == "day 3"

    def test_without_a_first_record_no_date_is_shown(self):
        nobody = Person("a", "b", None)
        assert nobody.row({"on_date": date(2017, 7, 10), "at": "2017-07-10"}) == {"on_date": None, "at": None}

    @pytest.mark.parametrize("day", [-40, 0, 7, 12345])
    def test_an_address_holds_a_day(self, day):
        text = relative_days.in_address(relative_days.of(day))
        assert text == f"day{day}" and relative_days.from_address(text) == relative_days.of(day)

    @pytest.mark.parametrize("text", ["day", "day1234567", "day 3", "2017-07-10", "dayx", ""])
    def test_anything_else_in_an_address_is_no_day(self, text):
        assert relative_days.from_address(text) is None

    def test_a_spreadsheet_is_told_the_day(self):
        assert style.as_cell(WHO.shown(date(2017, 7, 15))) == "day 5"
        assert style.as_cell("4000-01-06 08:30:00") == "day 5 08:30" and style.as_cell("2017-07-15") == "2017-07-15"

    def test_a_moment_lies_within_its_day_on_the_axis(self):
        assert relative_axis.day("4000-01-03T18:00:00") == 2.75 and relative_axis.day("3999-12-31") == -1


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("90 days after the result of 2017-07-12", "90 days after the result of day 2"),
            ("exact date of crp (2017-07-01 to 2017-07-31)", "exact date of crp (day −9 to day 21)"),
            ("reading of the chest CT of 2017-08", "reading of the chest CT of day 22 to day 52"),
            ("positive (above 100 SI)", "positive (above 100 SI)"),
            ("seen by Dr Oyelaran", LEFT),
            ("chest CT of 12 July 2017", LEFT),
            ("ferritin 12.07.2017", LEFT),
            ("ferritin 7/12/17", LEFT),
            ("ferritin 20170712", LEFT),
            ("ferritin 48213901", LEFT),
            ("ferritin Q17b", LEFT),
            ("2017-02-30 ferritin", "left out ferritin"),
        ],
    )
    def test_a_sentence_is_kept_where_every_word_is_known(self, text, told):
        assert WHO.sentence(text) == told

    @pytest.mark.parametrize(
        ("row", "shown"),
        [
            ({"original_value": ">1650"}, {"original_value": ">1650"}),
            ({"original_value": "7 (ask Kim)"}, {"original_value": LEFT}),
            ({"original_value": "03.09.2017"}, {"original_value": LEFT}),
            ({"original_value": "20170903"}, {"original_value": LEFT}),
            ({"original_unit": "10^3/uL"}, {"original_unit": "10^3/uL"}),
            ({"original_unit": "Oyelaran units"}, {"original_unit": LEFT}),
            ({"assay": "fungitell"}, {"assay": "fungitell"}),
            ({"assay": "symptom"}, {"assay": "symptom"}),  # of an event its kind
            ({"assay": "12345"}, {"assay": "assay x5"}),
            ({"sources": {"1": ("kim.csv", 3)}}, {"sources": None}),
            ({"entry_id": "0123456789abcdef0123456789abcdef"}, {"entry_id": "0123456789abcdef0123456789abcdef"}),
            ({"entry_id": "agenda-2017-07-12-kim"}, {"entry_id": LEFT}),
            ({"unit": "mg/dL (assumed)"}, {"unit": "mg/dL (assumed)"}),
            (
                {"changed": [{"field": "text", "old": "seen by Kim", "new": "2017-07-12 00:00:00"}]},
                {"changed": [{"field": "text", "old": LEFT, "new": "4000-01-03 00:00:00"}]},
            ),
            ({"assay": "our own"}, {"assay": "assay x7"}),
            ({"laboratory": "Severance"}, {"laboratory": "laboratory x9"}),
            ({"organism": "aspergillus fumigatus"}, {"organism": "aspergillus fumigatus"}),
            ({"organism": "cmv 2017"}, {"organism": LEFT}),
            ({"text": "ferritin"}, {"text": None}),
            ({"a_field_nobody_knows": "ferritin"}, {"a_field_nobody_knows": None}),
            ({"file": "kim.csv", "line": 3}, {"file": "source file", "line": None}),
            ({"received_at": datetime(2017, 7, 12, 9)}, {"received_at": None}),
            ({"frozen": {"as_of": "2017-07-12", "text": "x"}}, {"frozen": {"as_of": "4000-01-03", "text": None}}),
            ({"patient_id": "MRN-1"}, {"patient_id": "case-abc"}),
        ],
    )
    def test_a_field_is_shown_as_what_it_is(self, row, shown):
        assert WHO.row(row) == shown

    def test_the_words_of_a_name_are_not_known(self):
        assert not [
            name
            for name in ("kim", "park", "oyelaran", "seoul", "yonsei", "september", "dr")
            if vocabulary.is_told(name)
        ]


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (None, None), (0, "under 18"), (17, "under 18"), (18, "18 to 24"), (24, "18 to 24"), (25, "25 to 34"), (64, "55 to 64"),
        (65, "65 to 74"), (74, "65 to 74"), (75, "75 or over"), (101, "75 or over"),
    ],
)  # fmt: skip
def test_ages_are_bands(age, band):
    assert deidentify.age_band(age) == band


def test_an_answer_about_an_age_names_the_band():
    real = {
        "criterion": "transplant_barriers", "item": "age", "status": "met", "grade": 1, "on_date": date(2017, 7, 10), "notes": [],
        "missing": [], "facts": ["aged 65 or 66 on 2017-07-10", "risk factor", "age"], "margin": 1.0, "finding": "aged 65 or 66 ...",
    }  # fmt: skip
    told = deidentified.Patient("MRN-1", "case-abc", date(2017, 7, 10), 1951).row(real)
    assert told["margin"] is None and told["finding"].startswith("65 to 74 at the first record: risk factor")
    assert "66" not in str(told["facts"]) + told["finding"]


def test_every_text_column_is_decided_on():
    """A column of text that is new is on neither list: it would be left out, and somebody has to say whether it should be."""
    with duckdb.connect() as con:
        con.execute((Path(database.__file__).parent / "schema.sql").read_text(encoding="utf-8"))
        found = con.execute(
            "SELECT DISTINCT column_name FROM duckdb_columns() WHERE schema_name IN ('record', 'source', 'result') "
            "AND data_type IN ('VARCHAR', 'VARCHAR[]')"
        ).fetchall()
    columns = {name for (name,) in found}
    assert len(columns) > 40
    undecided = columns - set(deidentify.KEPT) - deidentify.LEFT_OUT - NO_ROW_OF_A_PATIENT
    assert not undecided
    assert not set(deidentify.KEPT) & deidentify.LEFT_OUT


# The id itself, which becomes a label, and columns that no row about a patient has.
NO_ROW_OF_A_PATIENT = {"patient_id", "alias", "decision", "name", "definition", "corrected"} | {
    "frozen"  # a dict in rows, decided field by field
}


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (1, "up to 7 days"), (7, "up to 7 days"), (8, "8 to 30 days"), (90, "31 to 90 days"), (91, "91 to 365 days"),
        (365, "91 to 365 days"), (366, "over 365 days"), (9663, "over 365 days"),
    ],
)  # fmt: skip
def test_how_old_something_is_up_to_the_stores_last_day_is_told_in_bands(days, said, monkeypatch):
    assert deidentify.ago(days) == f"{days:,} day{'s' * (days > 1)}"
    monkeypatch.setattr(deidentify, "on", lambda: True)
    assert deidentify.ago(days) == said


def test_a_silent_patient_is_told_without_the_number_of_days():
    facts = ["2017-07-20", "1730", "30", "2026-01-02 08:30", "0", "hfnc"]
    row = {
        "criterion": "stale_data",
        "item": None,
        "facts": facts,
        "margin": 1700.0,
        "finding": "No record since 2017-07-20, 1730 days",
    }
    told = deidentified.Patient("MRN-1", "case-abc", date(2017, 7, 10), 1951).row(row)
    assert told["finding"] == "No record since day 10; the next was expected within 30 days [project default]."
    assert told["margin"] is None and told["facts"] == []


@pytest.mark.parametrize(("item", "finding"), [("age", LEFT), ("bmi", "aged 65 or 66")])
def test_an_answer_kept_with_a_decision_says_no_age(item, finding):
    kept = {"criterion": "transplant_barriers", "item": item, "finding": "aged 65 or 66"}
    who = deidentified.Patient("MRN-1", "case-abc", date(2017, 7, 10), 1951)
    assert who.row({"frozen": {"answers": [kept]}})["frozen"]["answers"][0]["finding"] == finding


def test_a_changed_year_of_birth_is_not_told():
    side = {"what": "birth_year", "value": "1951"}
    row = {
        "what": "birth_year",
        "old": side,
        "new": side | {"value": "1949"},
        "changed": [{"field": "value", "old": "1951", "new": "1949"}],
    }
    assert "19" not in str(WHO.row(row)) and WHO.row(row)["new"]["value"] == LEFT


def test_a_dataclass_of_a_patient_is_told_as_a_row_of_it(monkeypatch):
    @dataclasses.dataclass
    class Told:
        because: str
        as_of: date
        text: str
        outcome: str

    monkeypatch.setattr(deidentify, "on", lambda: True)
    monkeypatch.setattr(deidentified, "everyone", lambda: Known())
    made = deidentified.rows(
        Told("cannot be told, checked on 2017-07-12", date(2017, 7, 11), "Dr Oyelaran", "not_due"), WHO
    )
    assert made == Told("cannot be told, checked on day 2", relative_days.of(1), None, "not_due")


class Known(deidentified.Everyone):
    labelled: dict = {}  # noqa: RUF012


def test_a_file_made_later_is_made_under_the_switch_of_now(monkeypatch):
    assert deidentify.kept(deidentify.on)() is False
    with monkeypatch.context() as patch:
        patch.setattr(deidentify, "on", lambda: True)
        later = deidentify.kept(lambda: deidentify._kept.get())
    assert later() is True and deidentify._kept.get() is None


def test_what_has_dates_only_is_refused_while_the_switch_is_on(monkeypatch):
    deidentify.refuse("A calendar")
    monkeypatch.setattr(deidentify, "on", lambda: True)
    with pytest.raises(deidentify.NotDeidentified):
        deidentify.refuse("A calendar")
