"""What the transplant page shows: the board of everyone, the cohort's figures, one patient in detail, and the calendar of due dates."""

from collections.abc import Iterable
from datetime import date

import streamlit as st

from dashboard import deidentify
from dashboard.data import deidentified
from dashboard.data.snapshot import ask, provenance, reader, store_folder
from pipelines import (
    dictionary,
    due_dates,
    transplant_actions,
    transplant_board,
    transplant_figures,
    transplant_patient,
)
from pipelines import transplant_status as of_referral
from pipelines import transplant_workup as of_workup

BAND_WORDS = transplant_board.BAND_WORDS
ORDER_SENTENCE = transplant_board.ORDER_SENTENCE
TRIGGERS = transplant_board.TRIGGERS
CONDITIONS = (*transplant_board.REFERRAL_CONDITIONS, *transplant_board.LISTING_CONDITIONS)
STATUS_WORDS = of_referral.STATUS_WORDS
STATUS_ORDER = of_referral.STATUS_ORDER
WORKUP_STATES = of_workup.STATES
TOPIC = transplant_actions.TOPIC
FEWEST = transplant_figures.FEWEST


def board(as_of: date) -> list[dict]:
    """Everyone on the board in its order (`transplant_board.placed`). The list is shared among readers and never changed.

    While the de-identification switch is on only labels and statuses are given, to choose from: what is `told` says the rest.
    """
    found = _board(str(store_folder()), provenance().snapshot, as_of)
    if not deidentify.on():
        return found
    labels = deidentified.labels([row["patient_id"] for row in found])
    return [{"patient_id": label, "status": row["status"]} for label, row in zip(labels, found, strict=True)]


@st.cache_resource(show_spinner="Reading the transplant board", max_entries=4)  # not copied: 20,000 rows are many
def _board(folder: str, snapshot: int, as_of: date) -> list[dict]:
    with reader(folder).cursor() as cursor:
        return transplant_board.placed(cursor, as_of)


def told(rows: list[dict], as_of: date) -> list[dict]:
    """Rows of the board with what is told of each patient (`transplant_board.told`)."""
    rows = _as_placed(rows, as_of)
    asked = str(store_folder()), provenance().snapshot, as_of, tuple(row["patient_id"] for row in rows)
    return deidentified.rows(_told(*asked, rows))


def _as_placed(rows: list[dict], as_of: date) -> list[dict]:
    """The rows of the board that are meant, as the store has them."""
    if not deidentify.on():
        return rows
    placed = {row["patient_id"]: row for row in _board(str(store_folder()), provenance().snapshot, as_of)}
    return [placed[deidentified.whose(row["patient_id"]).patient_id] for row in rows]


@st.cache_data(show_spinner=False, max_entries=64)
def _told(folder: str, snapshot: int, as_of: date, patients: tuple[str, ...], _rows: list[dict]) -> list[dict]:
    with reader(folder).cursor() as cursor:
        return transplant_board.told(cursor, _rows, as_of)


def whole_table(rows: list[dict], as_of: date) -> list[dict]:
    """`told` of as many rows as there are, for a file: not kept."""
    with reader(str(store_folder())).cursor() as cursor:
        found = transplant_board.told(cursor, _as_placed(rows, as_of), as_of)
    return deidentified.rows(found)


def figures(as_of: date) -> dict:
    """The cohort beside the published numbers (`transplant_figures.referral_figures`)."""
    return ask(transplant_figures.referral_figures, as_of)


def patient(patient_id: str, as_of: date) -> dict:
    """One patient in detail (`transplant_patient.transplant_details`)."""
    return ask(transplant_patient.transplant_details, patient_id, as_of)


def frozen(patient_id: str, as_of: date) -> dict:
    """What a decision is made on (`transplant_patient.transplant_basis`)."""
    return ask(transplant_patient.transplant_basis, patient_id, as_of, provenance().snapshot)


def workup_titles() -> dict[str, str]:
    """The items of a work-up in order, with their titles."""
    return {item: block["title"] for item, block in dictionary.workup().items()}


def calendar(as_of: date, patients: Iterable[str], with_patient_ids: bool) -> bytes:
    """The due dates of patients as an iCalendar file (`due_dates.calendar`). Raises NotDeidentified while the switch is on."""
    deidentify.refuse("A calendar of due dates")
    with reader(str(store_folder())).cursor() as cursor:  # not kept: it is asked for once
        return due_dates.calendar(due_dates.due_dates(cursor, as_of, list(patients)), with_patient_ids)
