"""The worklist as the screens read it, and what is entered there: a review, and its undoing."""

from dataclasses import replace
from datetime import date

from dashboard import deidentify
from dashboard.data import deidentified, entering
from dashboard.data.snapshot import as_stored, ask, provenance, reader, store_folder
from pipelines import worklist as of_store
from pipelines.worklist import Asked as Asked
from pipelines.worklist import Choices as Choices
from pipelines.worklist import Worklist as Worklist


def worklist(asked: Asked) -> Worklist:
    """One page of the worklist as of the last recorded day (`pipelines.worklist.worklist`). Raises StoreEmpty, Refusal."""
    now, asked = provenance(), meant(asked)
    found = of_store.chosen(_by_group(), asked)
    if found is None:
        found = as_stored(of_store.worklist, now.last_day, asked)
    else:  # the groups are kept: only the patients of the page are asked about
        rows = as_stored(of_store.of_patients, now.last_day, tuple(found.on_page), True)
        found = replace(found, as_of=now.last_day, rows=rows)
    rows = [row | {"frozen": row["frozen"] | {"snapshot": now.snapshot}} for row in found.rows]
    if deidentify.on():  # of twenty thousand patients the ids become labels, and the rows of the page are de-identified
        rows, found = deidentified.rows(rows), replace(found, ids=deidentified.labels(found.ids), as_of=None)
    return replace(found, rows=rows)


def meant(asked: Asked) -> Asked:
    """What is asked while the de-identification switch is on: a text is part of a label and not of an id, and no site is asked for."""
    if not deidentify.on():
        return asked
    return replace(
        asked, text="", site=None, patients=deidentified.ids_with(asked.text) if asked.text.strip() else None
    )


def choices() -> Choices:
    """What the filters offer; of sites none while the de-identification switch is on."""
    found = as_stored(of_store.choices, provenance().last_day)
    return replace(found, sites=()) if deidentify.on() else found


def everything(asked: Asked) -> list[dict]:
    """The rows of all pages for a download; not kept, they may be many."""
    last_day = provenance().last_day
    with reader(str(store_folder())).cursor() as cursor:
        found = of_store.everything(cursor, last_day, meant(asked))
    return deidentified.rows(found)


def of_patients(patients: tuple[str, ...]) -> list[dict]:
    """The rows of some patients, in their order, without curves."""
    now = provenance()
    rows = ask(of_store.of_patients, now.last_day, patients)
    return [row | {"frozen": row["frozen"] | {"snapshot": now.snapshot}} for row in rows]


def _by_group() -> dict[str, list[str]]:
    """Read once of a snapshot; every list of ids without a filter comes from it."""
    return as_stored(of_store.by_group, provenance().last_day)


def by_group() -> dict[str, list[str]]:
    """The ids of every patient by group, in the order of the worklist (`pipelines.worklist.by_group`)."""
    return {group: deidentified.labels(ids) for group, ids in _by_group().items()}


def order() -> list[str]:
    """The ids of every patient, in the order of the worklist."""
    return [patient_id for ids in by_group().values() for patient_id in ids]


def review(row: dict, as_of: date) -> dict:
    """The entry that says that a row of the worklist was reviewed, with what of it stood on screen."""
    return {"kind": "review", "patient_id": row["patient_id"], "day": as_of, "frozen": row["frozen"]}


def undone(patient_id: str) -> list[dict]:
    """The entry that undoes the last review of a patient; nothing where none stands."""
    standing = entering.standing(("review",), (patient_id,))
    return [entering.withdrawn_version(standing[-1])] if standing else []
