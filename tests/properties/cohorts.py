"""Random small cohorts as native rows: few days, values at and around the thresholds, so that rules meet and miss each other."""

import csv
import io
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from hypothesis import strategies as st

from pipelines import ingest, sources
from pipelines import store as store_package

SCHEMA = (Path(store_package.__file__).parent / "schema.sql").read_text(encoding="utf-8")
FIRST = date(2024, 1, 1)
RECEIVED = datetime(2025, 6, 1)
Cohort = dict[str, list[dict[str, str]]]  # native file -> rows

LABS = {
    "ferritin": ("ng/mL", ["99", "499.9", "500", "500.1", "635.9", "636", "1000", "1000.1", "1200", "1499.9", "1500", ">1650", "<400"]),
    "ldh": ("U/L", ["354.9", "355", "600"]),
    "crp": ("mg/dL", ["0.79", "0.8", "1.09", "1.1", "5"]),
    "kl6": ("U/mL", ["999.9", "1000", "2048.6"]),
    "anti_mda5": ("index", ["31.9", "32", ">100"]),
    "cmv_dna": ("[IU]/mL", ["<34.5", "150", "2000"]),
    "ciclosporin_level": ("ng/mL", ["120", "900"]),
}
DRUGS = [
    ("prednisolone", "oral", ["14.9", "15", "19.9", "20", "30", "31", "60"], "mg"),
    ("methylprednisolone", "iv", ["40", "62.5", "500", "1000"], "mg"),
    ("ciclosporin", "oral", ["100", "150"], "mg"),
    ("tacrolimus", "oral", ["3", "4"], "mg"),
    ("cyclophosphamide", "iv", ["750", "750 mg/BSA"], "mg"),
    ("azathioprine", "oral", ["25", "50"], "mg"),
    ("rituximab", "iv", ["1000"], "mg"),
    ("tofacitinib", "oral", ["10"], "mg"),
    ("ivig", "iv", ["20"], "g"),
    ("tmp_smx", "oral", ["480"], "mg"),
]
EVENTS = [
    ("diagnosis", "ild", ["present"]),
    ("diagnosis", "rp_ild", ["present"]),
    ("symptom", "dyspnoea", ["better", "same", "worse"]),
    ("measure", "mmrc", ["1", "2", "3"]),
    ("imaging", "chest_ct", ["improved", "stable", "worse", "not_comparable", "blank"]),
    ("imaging", "hrct_score", ["132", "133"]),
    ("impression", "worse_on_therapy", [""]),
    ("impression", "not_worse", [""]),
    ("procedure", "plasma_exchange", [""]),
    ("infection", "organism", ["cmv"]),
]
OXYGEN = [
    {"device": "room_air", "spo2": "95"},
    {"flow_l_min": "2", "spo2": "94"},
    {"flow_l_min": "4"},
    {"device": "nasal_cannula", "flow_l_min": "3", "spo2": "92", "activity": "rest"},
    {"device": "reservoir_mask", "flow_l_min": "8", "spo2": "90"},
    {"device": "hfnc", "flow_l_min": "40", "fio2": "0.5", "spo2": "92", "respiratory_rate": "28"},
    {"device": "hfnc", "flow_l_min": "50", "fio2": "0.6", "spo2": "90", "respiratory_rate": "30"},
    {"device": "invasive_ventilation", "fio2": "0.8", "pao2": "70", "paco2": "40"},
]
PFT = [{"measure": "FVC", "value": "1.8", "unit": "L"}, {"measure": "DLCO", "value": "9", "unit": "mL/min/mmHg"}]

days = st.integers(0, 75)


def _on(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


@st.composite
def _lab(draw: st.DrawFn) -> dict[str, str]:
    analyte = draw(st.sampled_from(sorted(LABS)))
    unit, values = LABS[analyte]
    return {"analyte": analyte, "value": draw(st.sampled_from(values)), "unit": unit, "at": _on(draw(days))}


@st.composite
def _oxygen(draw: st.DrawFn) -> dict[str, str]:
    return {"at": _on(draw(days)) + draw(st.sampled_from(["", "T06:00", "T18:00"]))} | draw(st.sampled_from(OXYGEN))


@st.composite
def _pft(draw: st.DrawFn) -> dict[str, str]:
    percent = draw(st.sampled_from(["32", "39.9", "40", "70", "72", "75", "79.9", "80", "85"]))
    return draw(st.sampled_from(PFT)) | {"percent_predicted": percent, "at": _on(draw(days))}


@st.composite
def _administration(draw: st.DrawFn) -> dict[str, str]:
    drug, route, doses, unit = draw(st.sampled_from(DRUGS))
    start = draw(days)
    row = {"drug": drug, "route": route, "dose": draw(st.sampled_from(doses)), "dose_unit": unit, "start": _on(start)}
    row |= {"per": draw(st.sampled_from(["day", "day", "dose", ""])), "action": draw(st.sampled_from(["", "", "", "ordered", "not_given"]))}
    course = draw(st.sampled_from(["one dose", "stop", "stop", "ongoing"]))
    if course == "stop":
        row["stop"] = _on(start + draw(st.integers(0, 40)))
    if course == "ongoing":
        row["ongoing"] = "yes"
        row["last_confirmed_on"] = draw(st.sampled_from(["", _on(start + 10), _on(start + 35)]))
    return row


@st.composite
def _event(draw: st.DrawFn) -> dict[str, str]:
    kind, code, values = draw(st.sampled_from(EVENTS))
    at = draw(days)
    until = _on(at + 12) if kind == "infection" and draw(st.booleans()) else ""
    return {"kind": kind, "code": code, "value": draw(st.sampled_from(values)), "at": _on(at), "until": until}


def patients(most: int) -> st.SearchStrategy[Cohort]:
    """Cohorts of one to `most` patients, p1, p2, ..., each with some rows in every native file."""
    one = st.fixed_dictionaries(
        {
            "labs": st.lists(_lab(), max_size=6),
            "oxygen": st.lists(_oxygen(), max_size=5),
            "pft": st.lists(_pft(), max_size=3),
            "administrations": st.lists(_administration(), max_size=7),
            "events": st.lists(_event(), max_size=6),
        }
    )
    return st.lists(one, min_size=1, max_size=most).map(_numbered)


def _numbered(people: list[Cohort]) -> Cohort:
    cohort: Cohort = {name: [] for name in ("labs", "oxygen", "pft", "administrations", "events")}
    for number, person in enumerate(people, start=1):
        for name, rows in person.items():
            for place, row in enumerate(rows):
                cohort[name].append({"patient_id": f"p{number}", "record_id": f"{name}-{number}-{place}"} | row)
    return cohort


def only(cohort: Cohort, patient_id: str) -> Cohort:
    """The rows of one patient."""
    return {name: [row for row in rows if row["patient_id"] == patient_id] for name, rows in cohort.items()}


def as_csv(rows: list[dict[str, str]]) -> str:
    """Native CSV text of some rows."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def new_store() -> duckdb.DuckDBPyConnection:
    """An empty store in memory."""
    con = duckdb.connect()
    con.execute(SCHEMA)
    return con


def receive(con: duckdb.DuckDBPyConnection, cohort: Cohort) -> None:
    """Loads the rows through the front door, one file per kind."""
    with TemporaryDirectory() as folder:
        for name, rows in cohort.items():
            if not rows:
                continue
            path = Path(folder) / f"{name}.csv"
            path.write_text(as_csv(rows), encoding="utf-8")
            file_id = con.execute("SELECT coalesce(max(file_id), 0) + 1 FROM source.file").fetchone()[0]
            source = sources.recognise(path)
            con.execute("INSERT INTO source.file VALUES (?, ?, '', ?, ?, [])", [file_id, path.name, source.format, RECEIVED])
            ingest.ingest(con, file_id, source, RECEIVED)
    assert not (refused := con.execute("SELECT reason, raw FROM source.rejected").fetchall()), refused
