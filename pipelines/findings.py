"""Answers for a person: which finding stands on a day, since when, on what evidence, from which paper.

Everything here reads one published snapshot through a cursor and renders what the rules left as facts. What stands at the end
of a patient's record is read from the spells; an answer as of an earlier day is judged again from the records, so that
its evidence is never one that came later.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import date
from decimal import Decimal

import duckdb

from pipelines import dictionary, sensitivity
from pipelines.catalog import GROUPS, Definition, catalog
from pipelines.engines import on_duckdb
from pipelines.engines.inputs import RECORDED, Known
from pipelines.engines.on_duckdb import ALL_KNOWN
from pipelines.errors import NotFound

COLUMNS = (
    "criterion",
    "patient_id",
    "item",
    "on_date",
    "status",
    "grade",
    "evidence",
    "missing",
    "facts",
    "notes",
    "margin",
    "since",
)
# At most so many patients are judged again in one pass when an earlier day is asked for.
BATCH = 2_000


def last_recorded_day(
    cursor: duckdb.DuckDBPyConnection, patient_id: str | None = None, known: Known = ALL_KNOWN
) -> date | None:
    """The last day on which anything stands recorded, of the store or of one patient: the default as-of date. None: nothing does.

    Asked of the past it is the last such day among what was known then: a later record of anybody moves it no more than the answers.
    """
    if not known:
        (kept,) = cursor.execute(
            "SELECT max(last_day) FROM result.patient_state WHERE $patient_id IS NULL OR patient_id = $patient_id",
            {"patient_id": patient_id},
        ).fetchone()
        if kept is not None:  # else nothing was judged yet
            return kept
    only = f"WHERE {RECORDED}" + ("" if patient_id is None else " AND patient_id = $patient_id")
    return cursor.execute(
        f"""SELECT max(day) FROM (
            SELECT max(CAST(at_high AS DATE)) AS day FROM ({known.standing("record.observation")}) {only}
            UNION ALL SELECT max(start_high) FROM ({known.standing("record.administration")}) {only}
            UNION ALL SELECT max(CAST(at_high AS DATE)) FROM ({known.standing("record.event")}) {only})""",
        {} if patient_id is None else {"patient_id": patient_id},
    ).fetchone()[0]


def standing(
    cursor: duckdb.DuckDBPyConnection,
    as_of: date | None = None,
    patients: list[str] | None = None,
    criterion: str | Collection[str] | None = None,
    group: str | None = None,
    status: str | None = None,
    known: Known = ALL_KNOWN,
) -> list[dict]:
    """The answers standing as of a day (default: the last recorded day of the store, among what was `known`), one dict per patient,
    criterion and item. `criterion` may be several: they are judged in one pass.

    Raises NotFound for a patient or a criterion that does not exist. Ordered by patient, criterion, item.
    """
    _check_asked(cursor, patients, criterion, group)
    as_of = as_of or last_recorded_day(cursor, known=known)
    if as_of is None:
        return []
    wanted = _criteria(criterion, group)
    if known or not on_duckdb.judged_by_these_rules(cursor):
        rows, again = [], patients
    else:
        rows, again = _from_spells(cursor, as_of, patients, wanted), _judged_later(cursor, as_of, patients, wanted)
    for batch in _batches(_all_patients(cursor) if again is None else again):
        rows += _replayed(cursor, batch, known, wanted, "AND (until_date IS NULL OR until_date > $day)", as_of)
    return tell(rows, status)


def history(
    cursor: duckdb.DuckDBPyConnection,
    as_of: date | None = None,
    patients: list[str] | None = None,
    criterion: str | Collection[str] | None = None,
    group: str | None = None,
    status: str | None = None,
    known: Known = ALL_KNOWN,
) -> list[dict]:
    """Every judged date up to a day (default as for `standing`), as `standing` gives them."""
    _check_asked(cursor, patients, criterion, group)
    as_of = as_of or last_recorded_day(cursor, known=known)
    if as_of is None:
        return []
    rows = []
    for batch in _batches(patients or _all_patients(cursor)):
        rows += _replayed(cursor, batch, known, _criteria(criterion, group), "", as_of)
    return tell(rows, status)


def _replayed(
    cursor: duckdb.DuckDBPyConnection,
    patients: list[str],
    known: Known,
    wanted: list[str],
    condition: str,
    as_of: date | None,
) -> list[dict]:
    """Judged dates up to a day, judged again from the records: only the criteria wanted, and what they read."""
    with cursor.cursor() as own:  # its TEMP tables go with it, at once
        on_duckdb.replay(own, patients, known, criteria=wanted)
        found = own.execute(
            f"SELECT {', '.join(COLUMNS)} FROM judgement "
            f"WHERE on_date <= $day {condition} AND patient_id IN (SELECT patient_id FROM asked)",
            {"day": as_of},
        )
        return fetch_rows(found)


def _criteria(criterion: str | Collection[str] | None, group: str | None) -> list[str]:
    """The criteria asked for."""
    wanted = _named(criterion)
    return [
        definition.id
        for definition in catalog().criteria.values()
        if (wanted is None or definition.id in wanted) and group in (None, definition.group)
    ]


def _named(criterion: str | Collection[str] | None) -> Collection[str] | None:
    return [criterion] if isinstance(criterion, str) else criterion


def explain(
    cursor: duckdb.DuckDBPyConnection,
    patient_id: str,
    criterion: str,
    as_of: date | None = None,
    known: Known = ALL_KNOWN,
) -> dict:
    """One criterion of one patient as of a day: its answers, each with its evidence records down to file and line,
    and the thresholds with unit, tag and citation.

    Keys: criterion, title, group, why, as_of (None: nothing was recorded), thresholds (list of dicts), site_values (those of this site
    that the rule reads in others), answers (list as `standing`, with `records`, and with `flips` and `untried`: what would change the
    answer, sensitivity.py).
    """
    as_of = as_of or last_recorded_day(cursor, known=known)
    answers = standing(cursor, as_of, [patient_id], criterion, known=known)
    turned = (
        sensitivity.flips(cursor, patient_id, criterion, as_of, answers, known) if answers else sensitivity.Flips({})
    )
    named = {record_id for answer in answers for record_id in answer["evidence"]}
    named |= {record_id for found in turned.found.values() for flip in found for record_id in flip["records"]}
    found = evidence_records(cursor, named)
    for answer in answers:
        answer["records"] = [found[record_id] for record_id in answer["evidence"] if record_id in found]
        answer["flips"] = [
            flip | {"left_out": [found[record_id] for record_id in flip["records"] if record_id in found]}
            for flip in turned.found.get(answer["item"], [])
        ]
        answer["untried"] = turned.untried
    definition = catalog().criteria[criterion]
    return {
        "patient_id": patient_id,
        "criterion": criterion,
        "title": definition.title,
        "group": definition.group,
        "why": definition.why,
        "as_of": as_of,
        "thresholds": thresholds(definition),
        "site_values": site_values(definition),
        "answers": answers,
    }


def thresholds(definition: Definition) -> list[dict]:
    """The thresholds of a definition with the text of their citations: name, value, unit, tag, cite, citation, doi, and `site`:
    None, or what this site uses instead (value, unit, set_by, on, why)."""
    cited = dictionary.citations()
    return [
        {
            "name": threshold.name,
            "value": str(threshold.value),
            "unit": threshold.unit,
            "tag": threshold.tag,
            "cite": threshold.cite,
            "citation": dictionary.citation_text(cited[threshold.cite]),
            "doi": cited[threshold.cite].get("doi"),
            "site": threshold.here and (asdict(threshold.here) | {"value": str(threshold.here.value)}),
        }
        for threshold in definition.thresholds.values()
    ]


RECORDS = """
    SELECT CAST(record_id AS VARCHAR) AS record_id, patient_id, 'observation' AS kind, analyte AS what,
           original_value AS value,
           coalesce(original_unit, nullif(unit, '1')) || CASE WHEN unit_assumed AND unit <> '1' THEN ' (assumed)' ELSE '' END AS unit,
           coalesce(CAST(value AS VARCHAR), coded) AS judged_value, unit AS judged_unit,
           at_low AS at, at_high AS until, at_timed AS timed, assay, laboratory, known_from, file.name AS file, file_id AS receipt, line
    FROM record.observation JOIN source.file USING (file_id) WHERE record_id IN (SELECT unnest($ids))
    UNION ALL
    SELECT CAST(record_id AS VARCHAR), patient_id, 'administration', drug,
           coalesce(original_dose, CAST(dose AS VARCHAR)), coalesce(original_unit, dose_unit), CAST(dose AS VARCHAR), dose_unit,
           start_low, stop_high, FALSE, route, action, known_from, file.name, file_id, line
    FROM record.administration JOIN source.file USING (file_id) WHERE record_id IN (SELECT unnest($ids))
    UNION ALL
    SELECT CAST(record_id AS VARCHAR), patient_id, 'event', coalesce(code, kind), coalesce(value, text), NULL, value, NULL,
           at_low, until_high, at_timed, kind, CASE WHEN date_assumed THEN 'date assumed' END, known_from, file.name, file_id, line
    FROM record.event JOIN source.file USING (file_id) WHERE record_id IN (SELECT unnest($ids))
    ORDER BY "at", what, record_id"""


def evidence_records(cursor: duckdb.DuckDBPyConnection, record_ids: Iterable[str]) -> dict[str, dict]:
    """The records behind an answer, by record id: what, value as printed and its unit (printed, else the column's or the
    assumed one), value and unit as judged, date, file, receipt (two files may have one name) and line."""
    found = cursor.execute(RECORDS, {"ids": [int(record_id) for record_id in record_ids]})
    names = [column[0] for column in found.description]
    return {row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()}


def render(definition: Definition, answer: dict) -> str:
    """The sentence of an answer, filled from its facts; unknown facts read 'unknown'. Notes follow as sentences."""
    known = {
        name: "unknown" if text is None else text for name, text in zip(definition.facts, answer["facts"], strict=True)
    }
    known |= {
        "on_date": str(answer["on_date"]),
        "item": answer["item"] or "",
        "grade": "unknown" if answer["grade"] is None else str(answer["grade"]),
        "missing": ", ".join(answer["missing"]) or "nothing",
    }
    sentence = definition.finding[answer["status"]].format_map(known)
    return " ".join([sentence, *(definition.notes.get(note, note) for note in answer["notes"]), *_at_site(definition)])


def _at_site(definition: Definition) -> Iterable[str]:
    """A sentence for each number of the rule, or of what it reads, that this site has set itself."""
    for name, threshold in catalog().set_by_site(definition.id):
        words = threshold.name.replace("_", " ")
        whose = "" if name == definition.id else f" (in {catalog()[name].title})"
        yield f"Site value: {words} {threshold.here.value} {threshold.unit} instead of {threshold.value}{whose}."


def site_values(definition: Definition) -> list[dict]:
    """The site's own numbers in the rules that a rule reads, directly or not: as `thresholds`, with `title` of whose they are."""
    rules = catalog()
    return [
        line | {"title": rules[name].title}
        for name in dict.fromkeys(name for name, _ in rules.set_by_site(definition.id) if name != definition.id)
        for line in thresholds(rules[name])
        if line["site"]
    ]


def _from_spells(
    cursor: duckdb.DuckDBPyConnection, as_of: date, patients: list[str] | None, wanted: list[str]
) -> list[dict]:
    """Answers of the patients none of whose standing spells was judged again after the day."""
    return fetch_rows(
        cursor.execute(
            """
            SELECT criterion, patient_id, item, last_judged AS on_date, status, grade, evidence, missing, facts, notes, margin,
                   from_date AS since
            FROM result.spell AS spell
            WHERE from_date <= $day AND (until_date IS NULL OR until_date > $day)
            AND ($everyone OR patient_id IN (SELECT unnest($patients))) AND criterion IN (SELECT unnest($wanted))
            AND NOT EXISTS (
                SELECT 1 FROM result.spell AS later
                WHERE later.patient_id = spell.patient_id AND later.from_date <= $day AND criterion IN (SELECT unnest($wanted))
                AND (later.until_date IS NULL OR later.until_date > $day) AND later.last_judged > $day)""",
            {"day": as_of, "everyone": patients is None, "patients": patients or [], "wanted": wanted},
        )
    )


def _judged_later(
    cursor: duckdb.DuckDBPyConnection, as_of: date, patients: list[str] | None, wanted: list[str]
) -> list[str]:
    """The patients of whom a spell standing on the day was judged again later, so that its evidence may be later too."""
    found = cursor.execute(
        """
        SELECT DISTINCT patient_id FROM result.spell
        WHERE from_date <= $day AND (until_date IS NULL OR until_date > $day) AND last_judged > $day
        AND ($everyone OR patient_id IN (SELECT unnest($patients))) AND criterion IN (SELECT unnest($wanted)) ORDER BY patient_id""",
        {"day": as_of, "everyone": patients is None, "patients": patients or [], "wanted": wanted},
    )
    return [row[0] for row in found.fetchall()]


def fetch_rows(found: duckdb.DuckDBPyConnection) -> list[dict]:
    """The rows of a query as dicts by column name."""
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def tell(rows: list[dict], status: str | None = None) -> list[dict]:
    """Rows as objects for a person: record ids are strings (2^53), the margin is a number."""
    criteria = catalog().criteria
    told = []
    for row in rows:
        definition = criteria.get(row["criterion"])
        if definition is None or (status and row["status"] != status):
            continue
        answer = row | {
            "group": definition.group,
            "title": definition.title,
            "evidence": [str(record_id) for record_id in row["evidence"]],
            "margin": None
            if row["margin"] is None
            else float(row["margin"]),  # a number in JSON; shown, never compared
            "facts": [_plain(fact) for fact in row["facts"]],
        }
        told.append(answer | {"finding": render(definition, answer)})
    return sorted(told, key=lambda row: (row["patient_id"], row["criterion"], row["item"] or "", row["on_date"]))


def plain_number(value: Decimal) -> str:
    """A decimal without trailing zeros and without an exponent: 2.500000 -> 2.5."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _plain(fact: str | None) -> str | None:
    if fact is not None and re.fullmatch(r"-?\d+\.\d+", fact):
        return plain_number(Decimal(fact))
    return fact


def _check_asked(
    cursor: duckdb.DuckDBPyConnection,
    patients: list[str] | None,
    criterion: str | Collection[str] | None,
    group: str | None,
) -> None:
    rules = catalog().criteria
    for name in _named(criterion or None) or ():
        if name not in rules:
            raise NotFound(f"There is no criterion '{name}'.", hint=f"Known: {', '.join(sorted(rules))}.")
    if group and group not in GROUPS:
        raise NotFound(f"There is no group '{group}'.", hint=f"Known: {', '.join(sorted(GROUPS))}.")
    for patient_id in patients or []:
        if not cursor.execute("SELECT 1 FROM record.patient WHERE patient_id = ?", [patient_id]).fetchone():
            raise NotFound(f"There is no patient '{patient_id}' in this store.")


def _all_patients(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[0] for row in cursor.execute("SELECT patient_id FROM record.patient ORDER BY patient_id").fetchall()]


def _batches(patients: list[str]) -> Iterable[list[str]]:
    return (patients[start : start + BATCH] for start in range(0, len(patients), BATCH))
