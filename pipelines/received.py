"""A received file, opened again as it was opened at first: what its receipt says of it goes with it."""

from pipelines import sources
from pipelines.identity import PatientIds
from pipelines.sources import Declared
from pipelines.store.database import Store
from pipelines.store.landing import Receipt


def declared_in(store: Store, receipt: Receipt) -> Declared:
    """What a receipt says of its file, in the form in which the formats ask for it."""
    return Declared(
        receipt.decimal,
        PatientIds(receipt.assigner, receipt.pseudonymous, store.key_check),
        store.landing.path(receipt.mapping) if receipt.mapping else None,
        rewritten=bool(receipt.rewritten),
    )


def reopened(store: Store, receipt: Receipt, declared: Declared | None = None) -> sources.Source:
    """A received file, to be read again as it was read at first. Raises FileRefused."""
    return sources.recognise(store.landing.path(receipt.sha256), declared or declared_in(store, receipt))
