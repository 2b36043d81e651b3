"""Rows as they may be shown: everything a screen or an export is made of passes here. While the switch is off nothing is changed.

`shown` for a function that returns rows about several patients, `whose` for one that is asked about a patient. See dashboard/deidentify.py.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime

import streamlit as st

from dashboard import deidentify, relative_days
from dashboard.charts import held_marks
from dashboard.data.snapshot import provenance, reader, store_folder
from dashboard.deidentify import Person
from pipelines import alert_rules, findings
from pipelines.catalog import catalog
from pipelines.engines.on_duckdb import ALL_KNOWN
from pipelines.identity import PatientIds

LABEL = "case-"
LETTERS, MORE_LETTERS = 6, 12  # of a label; more where two patients would have the same one
UNKNOWN = "unknown"  # what an address holds instead of an id that is none
AGES = ("age",)  # facts and items of rules that say an age

_PEOPLE = f"""
    SELECT patient_id, birth_year, first_day FROM record.patient LEFT JOIN (
        SELECT patient_id, min(day) AS first_day FROM (
            SELECT patient_id, CAST(min(at_low) AS DATE) AS day FROM ({ALL_KNOWN.standing("record.observation")})
            WHERE {findings.RECORDED} GROUP BY patient_id
            UNION ALL SELECT patient_id, min(start_low) FROM ({ALL_KNOWN.standing("record.administration")})
            WHERE {findings.RECORDED} GROUP BY patient_id
            UNION ALL SELECT patient_id, CAST(min(at_low) AS DATE) FROM ({ALL_KNOWN.standing("record.event")})
            WHERE {findings.RECORDED} GROUP BY patient_id)
        GROUP BY patient_id) USING (patient_id) ORDER BY patient_id"""


class Patient(Person):
    """A patient of the store, of whom an answer that names the age is told anew."""

    def row(self, row: dict, memo: dict | None = None) -> dict:
        made = super().row(row, memo)
        if "finding" not in row or not isinstance(row.get("criterion"), str):  # what is frozen has any shape
            return made
        if row["criterion"] == alert_rules.STALE:
            return made | {"finding": _silent(made), "margin": None, "facts": []}
        return _of_an_age(row, made, self.age_band) if _has_facts(row) else _kept_of_an_age(row, made)

    def link(self, entry_id: str) -> str:
        return _hashed("entry", f"{self.patient_id}\x1f{entry_id}", 24)


class Everyone(dict[str, Patient]):
    """Patients by id; `labelled` by label."""

    labelled: dict[str, Patient]


def everyone() -> Everyone:
    """Every patient of the snapshot, by id."""
    return _everyone(str(store_folder()), provenance().snapshot)


@st.cache_resource(show_spinner=False, max_entries=2)
def _everyone(folder: str, snapshot: int) -> Everyone:
    with reader(folder).cursor() as cursor:
        found = cursor.execute(_PEOPLE).fetchall()
    named = _labels([row[0] for row in found])
    people = Everyone(
        (
            patient_id,
            Patient(patient_id, named[patient_id], first_day, birth_year, functools.partial(_alias, patient_id)),
        )
        for patient_id, birth_year, first_day in found
    )
    people.labelled = {person.label: person for person in people.values()}
    return people


@functools.cache
def _ids(use: str) -> PatientIds:
    """Labels are keyed hashes, as pseudonyms are: who has the ids of a hospital cannot try them all, and a patient keeps the label when
    others are added. A label whose key was lost opens nobody."""
    return PatientIds(assigner=f"mda5-monitor {use}")


def _hashed(use: str, text: str, letters: int) -> str:
    return _ids(use).would_be(text).removeprefix("P-")[:letters].lower()


def _labels(ids: list[str]) -> dict[str, str]:
    """'case-k7fq2a' for each id."""
    by_label: dict[str, list[str]] = {}
    for patient_id in ids:
        by_label.setdefault(_hashed("label", patient_id, LETTERS), []).append(patient_id)
    return {
        patient_id: LABEL + (label if len(same) == 1 else _hashed("label", patient_id, MORE_LETTERS))
        for label, same in by_label.items()
        for patient_id in same
    }


def _alias(patient_id: str, name: str) -> str:
    """Two letters for a name, of one patient only: nobody is linked to another by a laboratory."""
    return _hashed("alias", f"{patient_id}\x1f{name}", 2)


@dataclass(frozen=True)
class Nobody:
    """While the switch is off: rows, dates and ids as they are."""

    patient_id: str

    @property
    def label(self) -> str:
        return self.patient_id

    def rows(self, rows: list[dict]) -> list[dict]:
        return rows

    def shown(self, value):
        return value

    def real(self, value):
        return value


def whose(patient_id: str) -> Person | Nobody:
    """Whom a page or a function is asked about: by label while the switch is on (an id does for nobody), else by id."""
    if not deidentify.on():
        return Nobody(patient_id)
    return everyone().labelled.get(patient_id) or Person(UNKNOWN, UNKNOWN, None)


def person(named: str) -> Person | None:
    """The patient of an id or a label, whether the switch is on or off: for the switch itself."""
    people = everyone()
    return people.get(named) or people.labelled.get(named)


def shown(function: Callable) -> Callable:
    """A function of dashboard/data whose rows are shown: lists, dicts, dataclasses and tuples at any depth, rows with `patient_id`."""

    @functools.wraps(function)
    def given(*asked, **more):
        found = function(*asked, **more)
        return rows(found) if deidentify.on() else found

    return given


def labels(ids: list[str]) -> list[str]:
    """Ids of patients as they are shown."""
    if not deidentify.on():
        return ids
    people = everyone()
    return [people[one].label for one in ids]


def ids_with(text: str) -> tuple[str, ...]:
    """Whose label holds a text, in any case."""
    return tuple(one.patient_id for one in everyone().values() if text.strip().lower() in one.label)


def rows(found, of: Person | None = None):
    """What was found with every patient de-identified, while the switch is on; else as it is. What belongs to no patient keeps numbers and
    known words; its dates are None."""
    return _walked(found, of, everyone(), {}) if deidentify.on() else found


def _walked(found, of: Person | None, people: Everyone, memo: dict):
    if isinstance(found, dict):
        if found.get("patient_id") in people.labelled:  # it has passed here already
            return found
        of = people.get(found.get("patient_id")) or of
        if of is not None:
            return of.row(found, memo.setdefault(of.patient_id, {}))
        return {
            (people[key].label if key in people else key): _walked(value, people.get(key), people, memo)
            for key, value in found.items()
        }
    if isinstance(found, str):
        return people[found].label if found in people else _sentence(found, of, memo)
    if isinstance(found, (date, datetime)):
        return None if of is None else of.shown(found)
    if is_dataclass(found) and not isinstance(found, type):
        of = people.get(getattr(found, "patient_id", None)) or of
        told = {one.name: getattr(found, one.name) for one in fields(found) if one.init}
        return replace(found, **{name: _field(name, value, of, people, memo) for name, value in told.items()})
    if isinstance(found, tuple) and hasattr(found, "_fields"):
        return type(found)(*(_walked(one, of, people, memo) for one in found))
    if isinstance(found, (list, tuple, set, frozenset)):
        return type(found)(_walked(one, of, people, memo) for one in found)
    return found


def _sentence(text: str, of: Person | None, memo: dict) -> str | None:
    of = of or NO_ONE
    return of._value("finding", text, memo.setdefault(of.patient_id, {}))


def _field(name: str, value: object, of: Person | None, people: Everyone, memo: dict):
    """A field of a dataclass: of a patient it is what a field of a row by that name would be."""
    if of is None or not isinstance(value, (str, date)) or name == "patient_id":
        return _walked(value, of, people, memo)
    return of._value(name, value, memo.setdefault(of.patient_id, {}))


NO_ONE = Person("", "", None)


def _has_facts(row: dict) -> bool:
    """Whether it is an answer with the facts of its rule, of which its sentence can be told anew."""
    facts, criterion = row.get("facts"), catalog().criteria.get(row["criterion"])
    whole = isinstance(facts, list) and criterion is not None and len(facts) == len(criterion.facts)
    return whole and all(isinstance(fact, str | None) for fact in facts)


def _of_an_age(real: dict, made: dict, band: str | None) -> dict:
    """An answer that names an age names the band instead: its sentence is told anew, and no margin gives the age away."""
    criterion = catalog().criteria.get(real.get("criterion"))
    if criterion is None:
        return made
    about = real.get("item") in AGES
    aged = [
        name in AGES or (about and bool(fact) and any(map(str.isdigit, fact)))
        for name, fact in zip(criterion.facts, real["facts"], strict=True)
    ]
    if not any(aged):
        return made
    said = f"{band or 'age left out'} at the first record"
    facts = [said if hide and fact else fact for hide, fact in zip(aged, made["facts"], strict=True)]
    told = [fact and (relative_days.in_text(fact) or fact) for fact in facts]
    answer = made | {
        "facts": told,
        "on_date": relative_days.said(made["on_date"]),
        "status": made.get("status") or "met",
    }
    return made | {"facts": facts, "margin": None, "finding": findings.render(criterion, answer)}


def _silent(made: dict) -> str:
    """That a patient is silent, without for how many days up to the last day of the store (`deidentify.ago`)."""
    last_day, within = (made["facts"] + [None] * 3)[0:3:2]
    said = (last_day and relative_days.in_text(last_day)) or "a day left out"
    return f"No record since {said}; the next was expected within {within} days [project default]."


def _kept_of_an_age(real: dict, made: dict) -> dict:
    """An answer kept with a decision has its sentence alone: that of a rule which reads the age is left out."""
    criterion = catalog().criteria.get(real["criterion"])
    if criterion is None or not (real.get("item") in AGES or set(AGES) & set(criterion.facts)):
        return made
    left = {"finding": deidentify.LEFT, "margin": None, "facts": []}
    return made | {name: value for name, value in left.items() if name in made}


def page(who: Person, tables: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """The tables of a patient page (`dashboard.data.patient_page`)."""
    memo: dict = {}
    made = {name: [who.row(row, memo) for row in rows] for name, rows in tables.items()}
    made["infection_episode"] = [
        row | {"site": who.row({"site_of_infection": real["site"]}, memo)["site_of_infection"]}
        for real, row in zip(tables["infection_episode"], made["infection_episode"], strict=True)
    ]
    made["held"] = [_held(who, real, row) for real, row in zip(tables["held"], made["held"], strict=True)]
    return made


def shown_page(who: Person | Nobody, tables: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """The tables of a patient page as they are shown: as they are while the switch is off."""
    return tables if isinstance(who, Nobody) else page(who, tables)


def _held(who: Person, real: dict, row: dict) -> dict:
    """Of a row as received what is needed to mark it: why it is held, a number, and its day where one can be read."""
    day = who.shown(held_marks.day_of(real))
    return row | {
        "date as printed": day.isoformat() if day else None,
        "row as received": "",
        "source": "source file",
        "what to do": "",
    }


def meant(asked: tuple) -> tuple:
    """What is asked on screen as the store has it: ids for labels, alone or in a tuple, and, where one patient is named, dates for days."""
    if not deidentify.on():
        return asked
    people = everyone().labelled
    named = [people[one] for one in asked if isinstance(one, str) and one in people]

    def real(one):
        if isinstance(one, str):
            return people[one].patient_id if one in people else one
        if isinstance(one, (list, tuple, frozenset)) and not hasattr(one, "_fields"):
            return type(one)(map(real, one))
        return named[0].real(one) if isinstance(one, date) and len(named) == 1 else one

    return tuple(map(real, asked))
