"""The catalog is complete: what a newcomer could forget, a test asks for."""

import re
from string import Formatter

import pytest
import sqlglot
from sqlglot import exp

from pipelines import dictionary
from pipelines.catalog import BrokenDefinition, Definition, catalog, read_definition

RULES = catalog()
DEFINITIONS = [RULES[definition_id] for definition_id in RULES.order]
CRITERIA = list(RULES.criteria.values())
STANDARD_COLUMNS = [
    "patient_id",
    "on_date",
    "item",
    "status",
    "grade",
    "evidence",
    "missing",
    "facts",
    "notes",
    "margin",
]
ALWAYS_KNOWN = {"on_date", "item", "grade", "missing"}
named = pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.id)
criteria = pytest.mark.parametrize("criterion", CRITERIA, ids=lambda criterion: criterion.id)


@named
def test_every_threshold_is_cited_and_can_be_moved(definition: Definition) -> None:
    for threshold in definition.thresholds.values():
        assert threshold.cite in dictionary.citations(), f"{threshold.name} cites {threshold.cite}"
        assert threshold.step > 0 and threshold.unit
        assert (threshold.cite == "project") <= (threshold.tag != "published"), (
            f"{threshold.name} has no published source"
        )


@criteria
def test_a_sentence_uses_only_what_a_row_carries(criterion: Definition) -> None:
    for status in ("met", "not_met", "not_evaluable"):
        used = {name for _, name, _, _ in Formatter().parse(criterion.finding[status]) if name}
        assert used <= ALWAYS_KNOWN | set(criterion.facts), f"{status} uses {used - set(criterion.facts)}"


@criteria
def test_a_criterion_gives_the_standard_columns_first(criterion: Definition) -> None:
    given = sqlglot.parse_one(criterion.sql, read="duckdb").named_selects[: len(STANDARD_COLUMNS)]
    assert given == STANDARD_COLUMNS


@criteria
def test_a_criterion_that_can_be_unknown_says_what_is_missing(criterion: Definition) -> None:
    assert criterion.unknown, "`unknown` names what is missing on the first recorded day"


@named
def test_the_sql_can_run_on_spark_too(definition: Definition) -> None:
    tree = sqlglot.parse_one(definition.sql, read="duckdb")
    assert sqlglot.transpile(definition.sql, read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
    assert not [join for join in tree.find_all(exp.Join) if join.args.get("method") == "ASOF"], "ASOF JOIN"
    aggregates = tree.find_all(exp.ArrayAgg)
    assert not [one for one in aggregates if isinstance(one.this, exp.Order)], (
        "the order inside list() is lost: list_sort(list(x))"
    )
    refused = r"\bMAP\s*\{|\bformat\s*\(|\blen\s*\(|\bASOF\b|::|\bEXCLUDE\b|\bREPLACE\s*\("
    assert not (found := re.search(refused, definition.sql, re.IGNORECASE)), found and found[0]


def test_the_order_is_derived_from_what_is_read() -> None:
    place = {definition_id: at for at, definition_id in enumerate(RULES.order)}
    for definition in DEFINITIONS:
        for read in definition.reads & place.keys():
            assert place[read] < place[definition.id]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT 1 AS patient_id", "no header comment"),
        ("/* title = */ SELECT 1", "not TOML"),
        ('/* title = "x" */ SELECT $limit AS a', "not declared"),
        ("/*\n[threshold.limit]\nvalue = 1\n*/ SELECT $limit AS a", "needs value, unit, step, cite and tag"),
        ('/* title = "x" */ INSERT INTO a VALUES (1)', "not one SELECT"),
    ],
)
def test_a_definition_out_of_form_is_refused_with_the_reason(tmp_path, text: str, complaint: str) -> None:
    path = tmp_path / "broken.sql"
    path.write_text(text)
    with pytest.raises(BrokenDefinition, match=complaint):
        read_definition(path, "concept")
