"""Which facts a rule reads, so that it is spared the further readings of partial dates that change nothing to it."""

from dataclasses import replace

import pytest

from pipelines import dictionary
from pipelines.catalog import Catalog, Definition, catalog
from pipelines.engines import relevance
from pipelines.engines.relevance import EVERYTHING

ANALYTES = frozenset(dictionary.analytes())
KINDS = frozenset(kind for kind, _ in dictionary.events())


def rules(**sql: tuple[str, tuple[str, ...]]) -> Catalog:
    """A catalog of concepts, each with its SQL and what that reads, in order."""
    of = next(iter(catalog().concepts.values()))
    made: dict[str, Definition] = {
        name: replace(of, id=name, sql=text, reads=frozenset(reads)) for name, (text, reads) in sql.items()
    }
    return Catalog(made, {}, tuple(made))


def read(**sql: tuple[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    made = rules(**sql)
    return relevance.facts_read(made, made.order)


@pytest.mark.parametrize(
    ("text", "tables", "labels"),
    [
        ("SELECT 1 FROM observation WHERE analyte = 'ferritin'", ("observation",), {"ferritin"}),
        ("... analyte IN ('ldh', 'crp') AND coded = 'positive'", ("observation",), {"ldh", "crp"}),
        ("SELECT * FROM observation", ("observation",), ANALYTES),
        ("... FROM observation JOIN monitoring_result ... 'ferritin'", ("observation", "monitoring_result"), ANALYTES),
        ("SELECT * FROM administration WHERE drug = 'tacrolimus'", ("administration",), {"administration"}),
        ("... FROM event WHERE kind = 'imaging'", ("event",), {"imaging"}),
        ("SELECT * FROM event", ("event",), KINDS),
        ("SELECT * FROM patient", ("patient",), set()),
    ],
)
def test_the_labels_come_from_the_sql_itself(text: str, tables: tuple[str, ...], labels: set[str]):
    assert read(one=(text, tables))["one"] == frozenset(labels) | {EVERYTHING}


def test_what_a_rule_reads_through_others_it_reads():
    found = read(
        lab=("'ferritin'", ("observation",)),
        drug=("", ("administration",)),
        both=("", ("lab", "drug")),
        other=("", ("patient",)),
    )
    assert found["both"] == {"ferritin", "administration", EVERYTHING}
    assert found["other"] == {EVERYTHING}


def test_a_definition_has_to_know_what_its_readers_read():
    made = rules(
        lab=("'ferritin'", ("observation",)),
        drug=("", ("administration",)),
        middle=("", ("lab",)),
        both=("", ("middle", "drug")),
    )
    asked = relevance.facts_asked(made, made.order)
    assert (
        asked["lab"] == asked["middle"] == asked["drug"] == asked["both"] == {"ferritin", "administration", EVERYTHING}
    )


class TestOfTheRulesThatShip:
    def test_every_table_that_names_analytes_is_known(self):
        assert {"monitoring_result", "analyte"} <= relevance._analyte_tables()

    def test_a_rule_of_one_analyte_is_spared_the_others(self):
        found = relevance.facts_read(catalog(), catalog().order)
        assert found["high_ferritin"] & ANALYTES == {"ferritin"}
        assert "oxygen_flow" in found["urgent_transfer"] or "oxygen_device" in found["urgent_transfer"]
        assert "administration" not in found["urgent_transfer"]
        assert found["transplant_referral"] >= found["referral_oxygen"] | found["referral_refractory"]

    def test_the_first_recorded_day_concerns_everyone(self):
        assert all(EVERYTHING in labels for labels in relevance.facts_read(catalog(), catalog().order).values())
