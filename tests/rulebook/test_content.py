"""What the rulebook gathers: everything, in one order, with what a committee must settle; and the answers of a store."""

from datetime import date

import pytest

from pipelines import dictionary
from pipelines.catalog import GROUPS, catalog
from pipelines.rulebook import content, counts, examples, wording
from pipelines.rulebook.content import rulebook
from pipelines.store.database import open_snapshot
from tests.rulebook.conftest import HOSTILE


class TestGathering:
    def test_every_criterion_is_there_by_group(self, book):
        assert {entry.id for entry in book.criteria} == catalog().criteria.keys()
        groups = [GROUPS.index(entry.chapter) for entry in book.criteria]
        assert groups == sorted(groups)

    def test_a_criterion_stands_after_those_of_its_group_that_it_combines(self, book):
        place = {entry.id: at for at, entry in enumerate(book.criteria)}
        assert place["refractory_ferritin"] < place["refractory_possible"]
        assert place["referral_oxygen"] < place["transplant_referral"]

    def test_every_concept_that_is_read_is_there(self, book):
        shown = {entry.id for entry in book.entries}
        assert all(set(entry.reads) <= shown for entry in book.entries)
        assert all(entry.read_by for entry in book.concepts)

    def test_every_number_has_its_source(self, book):
        for entry in book.entries:
            assert len(entry.numbers) == len(catalog()[entry.id].thresholds)
            assert [source.number for source in entry.sources] == sorted({n.source.number for n in entry.numbers})
        assert [source.number for source in book.sources] == list(range(1, len(book.sources) + 1))

    def test_what_a_committee_must_settle_is_every_number_that_is_not_published(self, book):
        unpublished = [n for entry in book.entries for n in entry.numbers if n.tag != "published"]
        listed = [number for _, number in book.to_approve()]
        assert len(listed) == len(unpublished) and {number.tag for number in listed} == {
            number.tag for number in unpublished
        }
        assert listed[0].tag == "unverified", "the least certain first"

    def test_it_is_the_same_each_time(self, book, counted):
        assert rulebook(counted) == book

    def test_history_and_hash_are_there(self, book):
        assert all(entry.history for entry in book.criteria)
        assert len({entry.content_hash for entry in book.entries}) == len(book.entries)

    def test_the_version_changes_with_any_rule(self, book, monkeypatch):
        changed = catalog().content_hashes() | {"high_ferritin": "another"}
        monkeypatch.setattr(content.Catalog, "content_hashes", lambda rules: changed)
        assert rulebook().version != book.version


class TestSite:
    def test_a_number_that_a_site_set_says_what_by_whom_and_why(self, site_book):
        entry = next(entry for entry in site_book.criteria if entry.id == "high_ferritin")
        for number in entry.numbers:
            assert number.site.startswith(
                f"this site uses 300 ng/mL instead, set by {HOSTILE} on 2026-11-30, because 1. "
            )

    def test_it_is_to_be_approved_although_the_number_is_published(self, site_book):
        assert [entry.id for entry, number in site_book.to_approve() if number.tag == "published"] == [
            "high_ferritin"
        ] * 3

    def test_what_is_not_said_is_left_out(self):
        assert content.site_words({"value": 5, "unit": None}) == "this site uses 5 instead"


class TestCounts:
    def test_they_are_of_the_last_recorded_day(self, counted):
        assert (counted.as_of, counted.patients, counted.by_these_rules) == (date(2024, 2, 1), 3, True)
        assert counted.answers["high_ferritin"] == {"met": 1, "not_evaluable": 1, "not_met": 1}

    def test_every_patient_counts_once_for_every_criterion(self, counted):
        assert counted.answers.keys() == catalog().criteria.keys()
        assert {sum(answers.values()) for answers in counted.answers.values()} == {3}

    def test_no_id_of_a_patient_is_in_them(self, counted):
        assert HOSTILE not in repr(counted)

    def test_the_patients_behind_them_are_named_where_they_are_asked_for(self, small_store):
        with open_snapshot(small_store) as snapshot, snapshot.cursor() as cursor:
            found = counts.patients(cursor, "high_ferritin")
        assert found == {"met": [HOSTILE], "not_evaluable": ["p2"], "not_met": ["p3"]}

    @pytest.mark.parametrize(
        ("statuses", "told"),
        [
            (("met", "not_evaluable", "not_met"), "met"),
            (("not_met", "not_evaluable"), "not_evaluable"),
            (("not_met", "not_met"), "not_met"),
        ],
    )
    def test_of_several_items_the_first_that_holds_is_told(self, statuses, told):
        import duckdb

        con = duckdb.connect()
        con.execute("CREATE SCHEMA result")
        con.execute(
            "CREATE TABLE result.spell (criterion VARCHAR, patient_id VARCHAR, item VARCHAR, status VARCHAR, "
            "from_date DATE, until_date DATE)"
        )
        for item, status in enumerate(statuses):
            con.execute("INSERT INTO result.spell VALUES ('c', 'p', ?, ?, '2024-01-01', NULL)", [str(item), status])
        con.execute("INSERT INTO result.spell VALUES ('c', 'p', 'over', 'met', '2023-01-01', '2024-01-01')")
        con.execute("INSERT INTO result.spell VALUES ('c', 'p', 'later', 'met', '2024-06-01', NULL)")
        assert con.execute(counts.ANSWERS, {"day": date(2024, 3, 1)}).fetchall() == [("c", "p", told)]

    def test_a_patient_without_an_answer_is_not_judged(self, book):
        entry = next(entry for entry in book.criteria if entry.id == "high_ferritin")
        assert wording.answers(book, entry) == "On 2024-02-01: met 1, cannot be told 1, not met 1 of 3 patients."
        entry.answers["met"], kept = 0, entry.answers["met"]
        assert "not judged 1 of 3" in wording.answers(book, entry)
        entry.answers["met"] = kept

    def test_rules_that_changed_since_are_said(self, counted):
        from dataclasses import replace

        assert wording.warning(rulebook(counted)) is None
        assert "have changed" in wording.warning(rulebook(replace(counted, by_these_rules=False)))


class TestExamples:
    def test_every_criterion_that_ships_has_some(self, book):
        assert book.examples_installed
        assert [entry.id for entry in book.criteria if not entry.examples.cases] == []

    def test_a_case_has_its_prose_and_its_tables(self):
        found = examples.read(
            "# Title\n\nOf all cases.\n\n## One case\n\nWhy\nso.\n\n"
            "labs\n| a | b |\n|---|:-:|\n| 1 | x\\|y |\n| | -2 |\n\nexpected\n| c |\n|---|\n| 3 |\n"
        )
        (case,) = found.cases
        assert (found.prose, case.title, case.prose) == ("Of all cases.", "One case", "Why so.")
        assert [(table.name, table.columns, table.rows) for table in case.tables] == [
            ("labs", ["a", "b"], [["1", "x|y"], ["", "-2"]]),
            ("expected", ["c"], [["3"]]),
        ]

    def test_every_table_of_every_spec_has_as_many_cells_as_heads(self, book):
        for entry in book.entries:
            for case in entry.examples.cases:
                assert case.tables, (entry.id, case.title)
                for table in case.tables:
                    assert {len(row) for row in table.rows} <= {len(table.columns)}, (entry.id, case.title)

    def test_where_they_are_not_installed_that_is_said(self, monkeypatch, tmp_path):
        monkeypatch.setattr(examples, "SPEC", tmp_path / "absent")
        book = rulebook()
        assert "not installed" in wording.examples(book) and not any(entry.examples.cases for entry in book.entries)

    def test_an_image_of_the_product_takes_them_along(self):
        ignored = (examples.SPEC.parents[1] / ".dockerignore").read_text().splitlines()
        assert "tests" not in ignored and "!tests/spec" in ignored


def test_the_blanks_of_a_sentence_are_marked():
    assert content.blanks("FVC {fvc} % of {best_date}, {{so}}") == "FVC ‹fvc› % of ‹best date›, {so}"


def test_a_link_is_made_of_a_doi_of_the_dictionary_only():
    assert content.doi_link("10.1016/S0140-6736(20)1<x>") == "https://doi.org/10.1016/S0140-6736%2820%291%3Cx%3E"
    assert content.doi_link(None) is None
    dois = {citation.get("doi") for citation in dictionary.citations().values()}
    assert all(source.doi in dois for source in rulebook().sources)
