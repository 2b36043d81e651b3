"""What the infection board shows: its rows in order, and the details of some of them."""

from datetime import date

from dashboard.data import deidentified
from dashboard.data.snapshot import ask, provenance, reader, store_folder
from pipelines import infection_board

FLAGS = infection_board.FLAGS
STOP_GRADE = infection_board.STOP_GRADE
EXCHANGES = infection_board.EXCHANGES
SCREENING = infection_board.SCREENING


def lacking() -> tuple[str, ...]:
    """The concepts that older rules did not keep in the snapshot (`infection_board.lacking`). Raises StoreEmpty."""
    return ask(infection_board.lacking)


def board(as_of: date) -> list[dict]:
    """A row per patient, in order (`infection_board.board`)."""
    return ask(infection_board.board, as_of)


def died(as_of: date) -> int:
    """How many are left out because they have died."""
    return ask(infection_board.died, as_of)


def details(as_of: date, patients: list[str]) -> list[dict]:
    """What is said of these patients, in their order (`infection_board.details`)."""
    found = ask(infection_board.details, as_of, tuple(patients))
    return [found[patient_id] for patient_id in patients]


def all_details(as_of: date, patients: list[str]) -> list[dict]:
    """`details` of as many as there are, a thousand at a time, for a file: not kept in memory."""
    with reader(str(store_folder())).cursor() as cursor:
        found = infection_board.details(cursor, as_of, *deidentified.meant((patients,)))
    found = deidentified.rows(found)
    return [found[patient_id] for patient_id in patients]


def scheduled() -> dict[str, list[str]]:
    """The analytes of each test under surveillance."""
    return infection_board.scheduled()


def last_day() -> date | None:
    """The day the board is of: the last on which anything is recorded. Raises StoreEmpty."""
    return provenance().last_day
