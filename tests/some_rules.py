"""A part of the rules, or the rules with something changed, used by the whole programme while a test runs."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

import pipelines.catalog as catalog_module
from pipelines import site_thresholds
from pipelines.catalog import Catalog, Definition, catalog


def only(*criteria: str, rules: Catalog | None = None) -> Catalog:
    """The catalog cut down to some criteria and what they read."""
    rules = rules or catalog()
    needed = rules.needed(lambda definition: definition.id in criteria)
    return Catalog(
        {name: rules.concepts[name] for name in needed if name in rules.concepts},
        {name: rules.criteria[name] for name in needed if name in rules.criteria},
        needed,
    )


def with_threshold(rules: Catalog, definition_id: str, name: str, value: int) -> Catalog:
    """The same rules with another number in one of them, as if its file had been edited."""
    definition = rules[definition_id]
    thresholds = definition.thresholds | {name: replace(definition.thresholds[name], value=value)}
    return edited(rules, replace(definition, thresholds=thresholds), str(value))


def edited(rules: Catalog, definition: Definition, text: str) -> Catalog:
    """The same rules with one definition replaced; `text` stands for what its file says now."""
    content = hashlib.sha256(f"{definition.content_hash}{text}".encode()).hexdigest()
    put = {definition.id: replace(definition, content_hash=content)}
    if definition.kind == "concept":
        return replace(rules, concepts=rules.concepts | put)
    return replace(rules, criteria=rules.criteria | put)


def put(rules: Catalog) -> None:
    """From here on everything is judged and shown by these rules: `catalog()` gives them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(catalog_module, "read_catalog", lambda *_: rules)
        patched.setattr(site_thresholds, "read", dict)
        catalog.cache_clear()
        catalog()


@contextmanager
def in_use(rules: Catalog | None = None) -> Iterator[Callable[[Catalog], None]]:
    """These rules while the block runs, which may `put` others; then those that ship again."""
    shipped = catalog()
    put(rules or shipped)
    try:
        yield put
    finally:
        put(shipped)
