"""Every file that the dashboard makes from the store beside those that a page offers as it opens: the leak test reads them all.

A download button of a page is read by the test without being named here, as long as the page draws it when it is opened. What is made by a
function of its own (a packet, a document, slides) is one line: the name of the file, and a function of a patient that gives its bytes. The
patient is named as on screen, by id or, while the de-identification switch is on, by label. The name's ending says how it is read.
"""

from collections.abc import Callable
from datetime import date, timedelta

from dashboard import (
    alarm_budget,
    change_list,
    data,
    infection_table,
    packet_section,
    table,
    transplant_words,
    worklist_words,
)
from dashboard.data import alerting, infection, meeting, transplant, worklist
from dashboard.meeting import agenda, agenda_page, cohort_changes, meeting_rows
from dashboard.reports import files

LONG_AGO = timedelta(days=365)  # before the last day: what changed since then


def _last() -> date:
    return data.provenance().last_day


def _meeting() -> tuple[date, list[agenda.Place]]:
    """The last meeting of which there is an agenda."""
    day = next(iter(agenda.days()), _last())
    return day, agenda.places(day)


def _packet(form: str, patients: list[str], day: date) -> bytes:
    packets = packet_section.read(patients, day, rows_of=meeting_rows.of_agenda(patients, day))
    return files.FORMS[form].make(packets, None)


def _packet_of_one(form: str) -> Callable[[str], bytes]:
    return lambda patient: _packet(form, [patient], _meeting()[0])


def _packet_of_agenda(form: str) -> Callable[[str], bytes]:
    def made(patient: str) -> bytes:
        day, places = _meeting()
        return _packet(form, [place.patient_id for place in places], day)

    return made


def _changes(patient: str) -> bytes:
    day = _meeting()[0]
    before = meeting.last_meeting(day)
    since = before or meeting.meeting_of(day - LONG_AGO)
    return table.as_csv(change_list.rows(meeting.changes_of((patient,), since, day)[patient]))


def _cohort_changes(patient: str) -> bytes:
    day = _meeting()[0]
    since = meeting.last_meeting(day) or meeting.meeting_of(day - LONG_AGO)
    return table.as_csv(cohort_changes.flag_rows(meeting.cohort_changes(since, day)))


def _transplant(patient: str) -> bytes:
    rows = transplant.whole_table(transplant.board(_last()), _last())
    return table.as_csv(transplant_words.as_table(rows))


def _digest(patient: str) -> bytes:
    day, places = _meeting()
    patients = tuple(place.patient_id for place in places)
    return alerting.digest_markdown(day, day - LONG_AGO, patients or None).encode()


EXPORTS: dict[str, Callable[[str], bytes]] = {
    "rulebook.md": lambda patient: data.rulebook_document("md"),
    "rulebook.pdf": lambda patient: data.rulebook_document("pdf"),
    "worklist.csv": lambda patient: table.as_csv(worklist_words.as_table(worklist.everything(worklist.Asked()))),
    "agenda.csv": lambda patient: table.as_csv(agenda_page.lines(*_meeting())),
    "digest.md": _digest,
    "changes.csv": _changes,
    "changes-of-all.csv": _cohort_changes,
    "transplant.csv": _transplant,
    "infection-board.csv": lambda patient: infection_table.as_csv(infection.board(_last()), _last()),
    "alarm_budget.csv": lambda patient: table.as_csv(alarm_budget.lines(alerting.budget(_last()))),
    **{f"packet-patient{form.ending}": _packet_of_one(name) for name, form in files.FORMS.items()},
    **{f"packet-agenda{form.ending}": _packet_of_agenda(name) for name, form in files.FORMS.items()},
}
