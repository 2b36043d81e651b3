"""The Rulebook as its reader sees it: any rule found and opened, whose numbers and patients they are, and documents to take away."""

import re

import pytest

from dashboard import data, style
from pipelines import findings
from pipelines.catalog import GROUPS, catalog
from pipelines.rulebook import examples
from tests.dashboard.conftest import HOSTILE
from tests.dashboard.test_views import opened, said


def listed(app) -> list[str]:
    """The ids of the rules in the list, in its order."""
    return [button.key.removeprefix("rule-") for button in app.button if (button.key or "").startswith("rule-")]


def tables(app) -> str:
    return "\n".join(table.value.to_string() for table in app.table)


def links(app) -> dict[str, str]:
    return {link.proto.label: link.proto.query_string for link in app.get("page_link")}


class TestOneRule:
    def test_it_shows_its_numbers_their_papers_and_its_examples(self, shown_store):
        app = opened("rulebook", criterion="high_ferritin")
        assert not app.exception and not app.error
        assert "1500" in tables(app) and "published" in tables(app) and "f1" in tables(app)
        assert f"Worked examples ({len(examples.examples_of('high_ferritin').cases)})" in said(app)
        assert "Exactly 500 is not above 500" in said(app) and "What must come out" in said(app)
        assert any("SELECT" in code.value for code in app.code)
        assert "2026-11-21: first version" in said(app) and "content hash" in said(app)

    def test_every_rule_and_every_concept_can_be_opened(self, shown_store):
        for entry in data.rulebook().entries:
            app = opened("rulebook", criterion=entry.id)
            assert not app.exception and not app.error, entry.id
            assert style.as_markdown(entry.title) in [heading.value for heading in app.subheader], entry.id

    def test_links_outside_are_dois_of_the_dictionary(self, shown_store):
        for section in ({"criterion": "flair_score"}, {"show": "sources"}, {"show": "approve"}):
            app = opened("rulebook", **section)
            found = set(re.findall(r"\]\(([^)]*)\)", said(app) + tables(app)))
            assert all(re.match(r"https://doi\.org/10\.|rulebook\?criterion=[a-z0-9_]+$", link) for link in found), (
                found
            )

    def test_what_it_reads_is_a_step_away(self, shown_store):
        app = opened("rulebook", criterion="urgent_transfer")
        app.button(key="Reads-oxygen_support").click().run()
        assert app.query_params["criterion"] == "oxygen_support"
        assert any("Oxygen support" in heading.value for heading in app.subheader)

    def test_an_unknown_rule_opens_the_first(self, shown_store):
        app = opened("rulebook", criterion="<b>nonsense</b>")
        assert not app.exception and not app.error and "nonsense" not in said(app)


class TestPatients:
    def test_the_counts_open_the_patients_behind_them(self, shown_store):
        app = opened("rulebook", criterion="high_ferritin")
        behind = data.answering("high_ferritin")
        assert HOSTILE in behind["met"]
        everyone = [patient for patients in behind.values() for patient in patients]
        assert len(everyone) == data.provenance().patients
        found = links(app)
        assert {style.as_markdown(patient) for patient in everyone} == set(found)
        assert all("flag=high_ferritin" in query for query in found.values())

    def test_a_hostile_id_is_never_markup(self, shown_store):
        app = opened("rulebook", criterion="high_ferritin")
        shown = said(app) + tables(app) + "".join(links(app))
        assert "<img" not in shown and "](javascript" not in shown

    def test_of_very_many_the_first_are_named(self, shown_store, monkeypatch):
        from dashboard import rule_page

        monkeypatch.setattr(rule_page, "MOST", 1)
        app = opened("rulebook", criterion="high_ferritin")
        assert "more. All of them:" in said(app) and "findings --criterion high_ferritin --status" in said(app)

    def test_without_a_store_it_is_shown_without_counts(self, empty_store):
        app = opened("rulebook", criterion="high_ferritin")
        assert not app.exception and not app.error
        assert "1500" in tables(app) and "In this store" not in said(app) and not app.get("page_link")
        assert "rule_met" not in [toggle.key for toggle in app.toggle]

    def test_answers_of_earlier_rules_are_said_to_be(self, shown_store, monkeypatch):
        monkeypatch.setattr(data.counts.on_duckdb, "judged_by_these_rules", lambda *_: False)
        data.snapshot._asked.clear()
        app = opened("rulebook")
        data.snapshot._asked.clear()
        assert "The rules have changed" in said(app)


class TestFinding:
    def test_all_are_listed_by_group(self, shown_store):
        app = opened("rulebook")
        assert listed(app) == [entry.id for entry in data.rulebook().entries]
        assert catalog().criteria.keys() <= set(listed(app))

    @pytest.mark.parametrize(
        ("asked", "found"),
        [("flair", "flair_score"), ("KL-6", "mck_score"), ("80 % predicted", "referral_lung_function")],
    )
    def test_words_numbers_and_authors_find_a_rule(self, shown_store, asked, found):
        app = opened("rulebook")
        app.text_input(key="find_rule").set_value(asked).run()
        assert found in listed(app) and len(listed(app)) < len(data.rulebook().entries) / 2
        assert not app.exception

    def test_nothing_found_is_said(self, shown_store):
        app = opened("rulebook", criterion="high_ferritin")
        app.text_input(key="find_rule").set_value("<zzz>").run()
        assert "No rule matches." in said(app) and not listed(app) and "0 rules" in said(app)

    def test_a_group_alone(self, shown_store):
        for group in [group for group in GROUPS if data.rulebook().chapter(group)]:
            app = opened("rulebook")
            app.selectbox(key="rule_group").set_value(group).run()
            assert {data.rules()[name].group for name in listed(app)} == {group}

    def test_a_tag_alone(self, shown_store):
        app = opened("rulebook")
        app.selectbox(key="rule_tag").set_value("unverified").run()
        assert listed(app) and all(
            "unverified" in {threshold.tag for threshold in catalog()[name].thresholds.values()} for name in listed(app)
        )

    def test_those_met_in_this_store(self, shown_store):
        app = opened("rulebook")
        app.toggle(key="rule_met").set_value(True).run()
        assert listed(app) == [entry.id for entry in data.rulebook().criteria if entry.answers["met"]]
        assert "high_ferritin" in listed(app)


class TestWholeTables:
    def test_every_number_to_approve_is_listed(self, shown_store):
        app = opened("rulebook", show="approve")
        (table,) = app.table
        assert len(table.value) == len(data.rulebook().to_approve())
        assert not app.exception and "a paper gives it" in said(app)

    def test_every_source_is_listed(self, shown_store):
        (table,) = opened("rulebook", show="sources").table
        assert len(table.value) == len(data.rulebook().sources)

    def test_the_sections_are_in_the_address(self, shown_store):
        app = opened("rulebook")
        app.segmented_control[0].set_value("approve").run()
        assert app.query_params["show"] == "approve"


class TestSite:
    def test_a_number_that_the_site_set_stands_beside_the_published_one(self, shown_store, monkeypatch):
        site = {"value": 450, "unit": "ng/mL", "set_by": HOSTILE, "why": "our assay", "on": "2026-11-30"}
        shipped = findings.thresholds

        def thresholds(rule, *more, **named):
            return [
                row | {"site": site if rule.id == "high_ferritin" else None} for row in shipped(rule, *more, **named)
            ]

        monkeypatch.setattr(findings, "thresholds", thresholds)
        for section in ({"criterion": "high_ferritin"}, {"show": "approve"}):
            shown = tables(opened("rulebook", **section))
            assert "this site uses 450 ng" in shown and "our assay" in shown
            assert HOSTILE not in shown and "<img" not in shown and "](javascript" not in shown


class TestDocuments:
    def test_both_can_be_taken_away(self, shown_store):
        app = opened("rulebook")
        assert [button.label for button in app.get("download_button")] == ["Markdown", "PDF"]
        assert data.rulebook_document("md").startswith(b"# mda5-monitor: rulebook")
        assert data.rulebook_document("pdf").startswith(b"%PDF-")

    def test_no_patient_is_named_in_them(self, shown_store):
        assert b"yonsei" not in data.rulebook_document("md")


def test_no_example_says_so_where_the_tests_are_not_installed(shown_store, monkeypatch, tmp_path):
    monkeypatch.setattr(examples, "SPEC", tmp_path / "absent")
    app = opened("rulebook", criterion="high_ferritin")
    assert "The worked examples are not installed here" in said(app)
