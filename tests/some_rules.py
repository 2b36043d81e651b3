"""A part of the rules, or the rules with something changed, used by the whole programme while a test runs."""

import hashlib
import sys
from dataclasses import replace

import pytest

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


def use(monkeypatch: pytest.MonkeyPatch, rules: Catalog) -> None:
    """From here on everything is judged and shown by these rules."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("pipelines", "dashboard") and callable(getattr(module, "catalog", None)):
            monkeypatch.setattr(module, "catalog", lambda: rules)
