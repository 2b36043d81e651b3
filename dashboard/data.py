"""What the screens show, read from the published snapshot: the only module of the dashboard that queries.

Reads are cached per process under the snapshot's number, so that a screen never mixes two snapshots; each uses a cursor of its own.
"""

import os
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import streamlit as st

from dashboard import held, style, urgency
from pipelines import dictionary, findings
from pipelines.catalog import Definition, catalog
from pipelines.engines import on_duckdb
from pipelines.store.database import SnapshotReader

ROOT = Path(__file__).resolve().parents[1]
CONCEPTS = (
    "treatment_course",
    "prednisone_equivalent",
    "oxygen_support",
    "gas_exchange",
    "infection_episode",
    "lung_function_predicted",
    "combination_therapy",
    "triple_therapy",
)
SPARK_POINTS = 24  # the last so many results of a sparkline


@dataclass(frozen=True)
class Provenance:
    """Which snapshot is on screen and the last day anything is recorded on (None: nothing is)."""

    snapshot: int
    last_day: date | None
    patients: int


def store_folder() -> Path:
    """MDA5_STORE, else `store/` beside the programme; never relative to where the server was started."""
    return Path(os.environ.get("MDA5_STORE") or ROOT / "store")


@st.cache_resource(show_spinner=False)
def _reader(folder: str) -> SnapshotReader:
    return SnapshotReader(folder)


def provenance() -> Provenance:
    """The current snapshot. Raises StoreEmpty before anything was loaded."""
    reader = _reader(str(store_folder()))
    return _provenance(str(store_folder()), reader.snapshot().number)


@st.cache_data(show_spinner=False, max_entries=8)
def _provenance(folder: str, snapshot: int) -> Provenance:
    with _reader(folder).cursor() as cursor:
        patients = cursor.execute("SELECT count(*) FROM record.patient").fetchone()[0]
        return Provenance(snapshot, findings.last_recorded_day(cursor), patients)


def thresholds() -> list[dict]:
    """Every threshold of every rule, for the lines on charts: criterion, title, name, value, unit, tag."""
    return [
        {
            "criterion": rule.id,
            "title": rule.title,
            "name": threshold.name,
            "value": _plain(threshold.value),
            "unit": threshold.unit,
            "tag": threshold.tag,
        }
        for rule in catalog().criteria.values()
        for threshold in rule.thresholds.values()
    ]


def rules() -> dict[str, Definition]:
    """Every criterion, by id."""
    return catalog().criteria


def cited(criterion: str) -> list[dict]:
    """The thresholds of a rule with tag and citation (`findings.thresholds`)."""
    return findings.thresholds(catalog().criteria[criterion])


def title_of(kind: str, identifier: str) -> str:
    """The dictionary's title of what a record is of (`findings.evidence_records`), else its id as words."""
    known = {"observation": dictionary.analytes, "administration": dictionary.drugs}.get(kind, dict)()
    return known.get(identifier, {}).get("title") or style.words(identifier)


def worklist() -> list[dict]:
    """One dict per patient, most urgent first: see `_worklist`."""
    now = provenance()
    return _worklist(str(store_folder()), now.snapshot, now.last_day)


@st.cache_data(show_spinner="Reading the worklist", max_entries=4)
def _worklist(folder: str, snapshot: int, as_of: date | None) -> list[dict]:
    """patient_id, sex, birth_year, site, first_day, last_day, oxygen (latest row or None), ferritin and fvc (lists of day and value),
    met, unknown, not_met (lists of criterion, group, item, since), urgency. Set-wise: a handful of queries for everyone."""
    if as_of is None:
        return []
    with _reader(folder).cursor() as cursor:
        patients = {row["patient_id"]: row for row in _rows(cursor, PATIENTS)}
        for row in patients.values():
            row |= {
                "oxygen": None,
                "ferritin": [],
                "fvc": [],
                "met": [],
                "not_evaluable": [],
                "not_met": [],
                "died": None,
            }
        for row in _rows(cursor, OXYGEN_NOW) if _has_concept(cursor, "oxygen_support") else []:
            patients[row["patient_id"]]["oxygen"] = row
        for row in _rows(cursor, DEATHS):
            patients[row["patient_id"]]["died"] = row["died"]
        for row in _rows(cursor, SPARKS, {"points": SPARK_POINTS}):
            patients[row["patient_id"]]["ferritin" if row["analyte"] == "ferritin" else "fvc"] = [
                _plain_point(point) for point in row["points"]
            ]
        groups = {rule.id: rule.group for rule in catalog().criteria.values()}
        for row in _rows(cursor, STANDING, {"day": as_of}):
            if row["criterion"] in groups:
                patients[row["patient_id"]][row["status"]].append(row | {"group": groups[row["criterion"]]})
    for row in patients.values():
        row["urgency"] = urgency.of(row, as_of)
    return sorted(patients.values(), key=lambda row: urgency.order(row))


PATIENTS = """
    WITH day AS (
        SELECT patient_id, min(low) AS first_day, max(high) AS last_day FROM (
            SELECT patient_id, CAST(min(at_low) AS DATE) AS low, CAST(max(at_high) AS DATE) AS high
            FROM record.observation GROUP BY patient_id
            UNION ALL SELECT patient_id, min(start_low), max(start_high) FROM record.administration GROUP BY patient_id
            UNION ALL SELECT patient_id, CAST(min(at_low) AS DATE), CAST(max(at_high) AS DATE) FROM record.event GROUP BY patient_id)
        GROUP BY patient_id)
    SELECT patient_id, sex, birth_year, site, first_day, last_day FROM record.patient LEFT JOIN day USING (patient_id)"""

OXYGEN_NOW = """
    SELECT patient_id, on_date, level, device, flow, fio2, fio2_source, spo2 FROM concept.oxygen_support
    WHERE level IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY on_date DESC, oxygen_support.at DESC NULLS LAST, level DESC) = 1"""

SPARKS = """
    SELECT patient_id, analyte, list({'day': day, 'value': value, 'low': low, 'high': high} ORDER BY day, record_id) AS points FROM (
        SELECT patient_id, analyte, CAST(at_high AS DATE) AS day, value, low, high, record_id FROM record.observation
        WHERE analyte IN ('ferritin', 'fvc_percent') AND low IS NOT NULL AND known_until IS NULL
        AND status IN ('final', 'corrected', 'amended') AND (phase IS NULL OR phase = 'pre')
        QUALIFY row_number() OVER (PARTITION BY patient_id, analyte ORDER BY at_high DESC, record_id) <= $points)
    GROUP BY patient_id, analyte"""

DEATHS = """
    SELECT patient_id, CAST(max(at_high) AS DATE) AS died FROM record.event
    WHERE kind = 'outcome' AND code = 'death' AND known_until IS NULL AND status IN ('final', 'corrected', 'amended')
    GROUP BY patient_id"""

STANDING = """
    SELECT patient_id, criterion, item, status, grade, from_date AS since FROM result.spell
    WHERE from_date <= $day AND (until_date IS NULL OR until_date > $day)"""


def patient_page(patient_id: str) -> dict[str, list[dict]]:
    """The tables of one patient's page by name, as lists of dicts with record ids as strings: patient, observation, event, the concepts
    of CONCEPTS, judgement (every judged date, with its sentence), held (rows a person must settle). Raises NotFound."""
    now = provenance()
    return _patient_page(str(store_folder()), now.snapshot, patient_id)


@st.cache_data(show_spinner="Reading the patient", max_entries=32)
def _patient_page(folder: str, snapshot: int, patient_id: str) -> dict[str, list[dict]]:
    only = {"patient_id": patient_id}
    with _reader(folder).cursor() as cursor:
        page = {"patient": _rows(cursor, "SELECT * FROM record.patient WHERE patient_id = $patient_id", only)}
        page["observation"] = [_observation(row) for row in _rows(cursor, OBSERVATIONS, only)]
        page["event"] = _rows(cursor, EVENTS, only)
        page["held"] = [
            row | {"analyte": held.analyte_named(row["row as received"])} for row in _rows(cursor, HELD, only)
        ]
        on_duckdb.replay(cursor, [patient_id])
        for concept in CONCEPTS:
            page[concept] = _rows(
                cursor, f"SELECT * EXCLUDE (patient_id) FROM {concept} WHERE patient_id = $patient_id", only
            )
        judged = cursor.execute(
            "SELECT * FROM judgement WHERE patient_id = $patient_id ORDER BY criterion, item, on_date", only
        )
        page["judgement"] = findings.tell(findings.fetch_rows(judged))
    source = {row["record_id"]: f"{row['file']}:{row['line']}" for row in page["observation"]}
    for row in page["oxygen_support"] + page["gas_exchange"]:
        row["at"] = _moment(row["at"] or row["on_date"])
        row["source"] = next((source[record_id] for record_id in row["evidence"] if record_id in source), "")
    return page


OBSERVATIONS = """
    SELECT observation.* EXCLUDE (patient_id, fact_id, known_until, received_at), file.name AS file
    FROM record.observation JOIN source.file USING (file_id)
    WHERE patient_id = $patient_id AND known_until IS NULL AND status NOT IN ('entered_in_error', 'cancelled')
    ORDER BY at_high, analyte, record_id"""

EVENTS = """
    SELECT record_id, kind, code, value, number, text, CAST(at_high AS DATE) AS on_date, until_high AS until_date, date_assumed,
        file.name AS file, line
    FROM record.event JOIN source.file USING (file_id)
    WHERE patient_id = $patient_id AND known_until IS NULL AND status NOT IN ('entered_in_error', 'cancelled')
    ORDER BY at_high, kind, code, record_id"""


HELD = """
    SELECT file.name || ' line ' || line AS source, reason, field, found, hint AS "what to do", raw AS "row as received"
    FROM source.rejected JOIN source.file USING (file_id)
    WHERE class = 'held' AND patient_id = $patient_id
    QUALIFY file_id = max(file_id) OVER (PARTITION BY sha256)
    ORDER BY file_id, line LIMIT 500"""


def evidence(record_ids: list[str]) -> list[dict]:
    """The records behind an answer, down to file and line (`findings.evidence_records`), in order of time."""
    now = provenance()
    return _evidence(str(store_folder()), now.snapshot, tuple(sorted(record_ids)))


@st.cache_data(show_spinner=False, max_entries=256)
def _evidence(folder: str, snapshot: int, record_ids: tuple[str, ...]) -> list[dict]:
    with _reader(folder).cursor() as cursor:
        return list(findings.evidence_records(cursor, record_ids).values())


def _observation(row: dict) -> dict:
    """One date for the axis; a partial date stands on its last day and says what it may mean."""
    partial = row["at_low"] != row["at_high"]
    shown = f"{row['at_low']:%Y-%m-%d} to {row['at_high']:%Y-%m-%d}" if partial else None
    return row | {"at": _moment(row["at_high"] if row["at_timed"] else row["at_high"].date()), "partial": shown}


def _moment(value: date | datetime) -> str:
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()


def _rows(cursor, sql: str, parameters: dict | None = None) -> list[dict]:
    found = cursor.execute(sql, parameters or {})
    names = [column[0] for column in found.description]
    ids = {name for name in names if name in ("record_id", "set_id", "evidence") or name.endswith("_id")} - {
        "patient_id",
        "file_id",
        "specimen_id",
    }
    return [
        {name: _id(value) if name in ids else _plain(value) for name, value in zip(names, row, strict=True)}
        for row in found.fetchall()
    ]


def _id(value: object) -> object:
    """Record ids are text outside the store: 63 bits do not fit a number of JavaScript."""
    return [str(one) for one in value] if isinstance(value, list) else None if value is None else str(value)


def _plain(value: object) -> object:
    """Decimals only place things on a chart from here on; what is judged was judged."""
    return float(value) if isinstance(value, Decimal) else value


def _plain_point(point: dict) -> dict:
    return {name: _plain(value) for name, value in point.items()}


def _has_concept(cursor, name: str) -> bool:
    return bool(
        cursor.execute(
            "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'concept' AND table_name = $name", {"name": name}
        ).fetchone()
    )
