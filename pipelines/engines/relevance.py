"""Which further readings of partial dates a definition has to judge: a month of the LDH is nothing to a rule that reads none.

A definition reads facts, named by label: an analyte, 'administration', a kind of event. A further reading changes the dates of
some facts; it is judged by the criteria that read one of them, directly or through concepts, and made for all that these read.
Labels come from the SQL itself; where it names no analyte, or takes analytes from a table, it is taken to read all of them.
"""

import re

from pipelines import dictionary
from pipelines.catalog import Catalog, Definition

EVERYTHING = "*"  # of a partial date that may move the first recorded day, and of a definition that may read anything


def facts_read(rules: Catalog, order: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """The labels of what each definition reads, directly or not."""
    read: dict[str, frozenset[str]] = {}
    for definition_id in order:
        definition = rules[definition_id]
        own = _own(definition)
        read[definition_id] = own.union(*(read[name] for name in definition.reads if name in read))
    return read


def facts_asked(rules: Catalog, order: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """The labels that each definition has to know of: what it reads, and what the definitions that read it do."""
    asked = facts_read(rules, order)
    for definition_id in reversed(order):
        for name in rules[definition_id].reads:
            if name in asked:
                asked[name] |= asked[definition_id]
    return asked


def _own(definition: Definition) -> frozenset[str]:
    words = set(re.findall(r"'([^']*)'", definition.sql))
    labels = {EVERYTHING}
    if "observation" in definition.reads:
        tables = _analyte_tables() & definition.reads
        analytes = words & dictionary.analytes().keys()
        labels |= analytes if analytes and not tables else dictionary.analytes().keys()
    if "administration" in definition.reads:
        labels.add("administration")
    if "event" in definition.reads:
        kinds = {kind for kind, _ in dictionary.events()}
        labels |= words & kinds or kinds
    return frozenset(labels)


def _analyte_tables() -> set[str]:
    from pipelines.dictionary.tables import TABLES

    return {name for name, columns in TABLES.items() if {"analyte", "analytes"} & columns.keys()}
