"""The worklist as the screens read it, and what is entered there: a review, and its undoing."""

from dataclasses import replace
from datetime import date

from dashboard.data import entering
from dashboard.data.snapshot import ask, provenance, reader, store_folder
from pipelines import worklist as of_store
from pipelines.worklist import Asked as Asked
from pipelines.worklist import Choices as Choices
from pipelines.worklist import Worklist as Worklist


def worklist(asked: Asked) -> Worklist:
    """One page of the worklist as of the last recorded day (`pipelines.worklist.worklist`). Raises StoreEmpty, Refusal."""
    now = provenance()
    found = ask(of_store.worklist, now.last_day, asked)
    rows = [row | {"frozen": row["frozen"] | {"snapshot": now.snapshot}} for row in found.rows]
    return replace(found, rows=rows)


def choices() -> Choices:
    """What the filters offer."""
    return ask(of_store.choices, provenance().last_day)


def everything(asked: Asked) -> list[dict]:
    """The rows of all pages for a download; not kept, they may be many."""
    last_day = provenance().last_day
    with reader(str(store_folder())).cursor() as cursor:
        return of_store.everything(cursor, last_day, asked)


def of_patients(patients: tuple[str, ...]) -> list[dict]:
    """The rows of some patients, in their order, without curves."""
    now = provenance()
    rows = ask(of_store.of_patients, now.last_day, patients)
    return [row | {"frozen": row["frozen"] | {"snapshot": now.snapshot}} for row in rows]


def order() -> list[str]:
    """The ids of every patient, in the order of the worklist."""
    return ask(of_store.order, provenance().last_day)


def review(row: dict, as_of: date) -> dict:
    """The entry that says that a row of the worklist was reviewed, with what of it stood on screen."""
    return {"kind": "review", "patient_id": row["patient_id"], "day": as_of, "frozen": row["frozen"]}


def undone(patient_id: str) -> list[dict]:
    """The entry that undoes the last review of a patient; nothing where none stands."""
    standing = entering.standing(("review",), (patient_id,))
    return [entering.withdrawn_version(standing[-1])] if standing else []
