"""Random small cohorts as native rows: few days, values at and around the thresholds, so that rules meet and miss each other."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from pipelines import ingest, sources
from pipelines import store as store_package
from tests.properties import (
    stories_barriers,
    stories_counts,
    stories_courses,
    stories_levels,
    stories_listing,
    stories_lung_function,
    stories_prognosis,
    stories_response,
    stories_screens,
)
from tests.properties.values import (
    ANTIBODY,
    BIRTH_YEARS,
    BLOT,
    DRUGS,
    EVENTS,
    FIRST,
    INFUSED,
    LABS,
    OXYGEN,
    PFT,
    RESPONSES,
    SUPPORT,
)

SCHEMA = (Path(store_package.__file__).parent / "schema.sql").read_text(encoding="utf-8")
RECEIVED = datetime(2025, 6, 1)
Cohort = dict[str, list[dict[str, str]]]  # native file -> rows

FILES = ("patients", "labs", "oxygen", "pft", "administrations", "events")

days = st.integers(0, 75)


def _on(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


def _row_of(offset: int, kind: str, code: str, value: str = "") -> dict[str, str]:
    return {"kind": kind, "code": code, "value": value, "at": _on(offset)}


@st.composite
def _time(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(["", "", "T06:00", "T18:00"]))


@st.composite
def _lab(draw: st.DrawFn) -> dict[str, str]:
    analyte, unit, values = draw(st.sampled_from(LABS))
    return {
        "analyte": analyte,
        "value": draw(st.sampled_from(values)),
        "unit": unit,
        "at": _on(draw(days)) + draw(_time()),
    }


@st.composite
def _antibody(draw: st.DrawFn) -> dict[str, str]:
    return {"analyte": "anti_mda5", "at": _on(draw(days))} | draw(st.sampled_from(ANTIBODY))


@st.composite
def _oxygen(draw: st.DrawFn) -> dict[str, str]:
    return {"at": _on(draw(days)) + draw(_time())} | draw(st.sampled_from(OXYGEN))


@st.composite
def _pft(draw: st.DrawFn) -> dict[str, str]:
    percent = draw(st.sampled_from(["32", "39.9", "40", "70", "72", "75", "79.9", "80", "85"]))
    return draw(st.sampled_from(PFT)) | {"percent_predicted": percent, "at": _on(draw(days))}


@st.composite
def _administration(draw: st.DrawFn) -> dict[str, str]:
    drug, route, doses, unit = draw(st.sampled_from(DRUGS))
    dose = draw(st.sampled_from(doses))
    start = draw(days)
    row = {"drug": drug, "route": route, "dose": dose, "dose_unit": unit, "start": _on(start)}
    row |= {
        "per": draw(st.sampled_from(["day", "day", "dose"])),
        "action": draw(st.sampled_from(["", "", "", "ordered", "not_given"])),
    }
    if drug == "ivig" or dose in ("500", "1000"):  # a few days in a row
        row["stop"] = draw(st.sampled_from(["", _on(start + 2)]))
        return row
    if drug in INFUSED:
        return row
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
    return _row_of(draw(days), kind, code, draw(st.sampled_from(values)))


@st.composite
def _anything(draw: st.DrawFn) -> Cohort:
    """A few rows in every file, with nothing in common."""
    return {
        "labs": draw(st.lists(_lab(), max_size=4)) + draw(st.lists(_antibody(), max_size=1)),
        "oxygen": draw(st.lists(_oxygen(), max_size=3)),
        "pft": draw(st.lists(_pft(), max_size=3)),
        "administrations": draw(st.lists(_administration(), max_size=4)),
        "events": draw(st.lists(_event(), max_size=4)),
    }


def _daily(drug: str, dose: str, start: int, last: int | None) -> dict[str, str]:
    row = {"drug": drug, "route": "oral", "dose": dose, "dose_unit": "mg", "per": "day", "start": _on(start)}
    return row | ({"ongoing": "yes"} if last is None else {"stop": _on(last)})


@st.composite
def _treated(draw: st.DrawFn) -> Cohort:
    """A glucocorticoid for weeks, with a pause or without, one or two partners, levels, exchanges and prophylaxis."""
    start = draw(st.integers(0, 12))
    dose = draw(st.sampled_from(["14.5", "15", "19.5", "20", "31", "60"]))
    pause = draw(st.integers(10, 24))
    resumed = start + pause + draw(st.sampled_from([1, 1, 3, 4, 5]))
    given = [_daily("prednisolone", dose, start, start + pause)]
    given.append(
        _daily(
            "prednisolone",
            draw(st.sampled_from(["15", "20", "40"])),
            resumed,
            draw(st.sampled_from([None, resumed + 30])),
        )
    )
    labs, events = [], []
    if draw(st.booleans()):
        drug = draw(st.sampled_from(["tacrolimus", "ciclosporin"]))
        joined = start + draw(st.sampled_from([0, 3, 7, 8, 14, 15]))
        given.append(_daily(drug, "3", joined, draw(st.sampled_from([None, joined + 20, joined + 50]))))
        for wait in draw(st.lists(st.sampled_from([0, 1, 7, 8, 14, 21, 22]), max_size=3)):
            level = "9" if drug == "tacrolimus" else "120"
            labs.append({"analyte": f"{drug}_level", "value": level, "unit": "ng/mL", "at": _on(joined + wait)})
    if draw(st.booleans()):
        first, apart = start + draw(st.sampled_from([0, 7, 8, 14, 15])), draw(st.sampled_from([12, 14, 28, 29, 35]))
        for pulse in range(draw(st.integers(1, 6))):
            row = {"drug": "cyclophosphamide", "route": "iv", "dose": "750", "dose_unit": "mg", "per": "dose"}
            given.append(row | {"start": _on(first + apart * pulse)})
    if draw(st.booleans()):
        infused = draw(st.integers(10, 40))
        given.append(
            {"drug": "ivig", "route": "iv", "dose": "20", "dose_unit": "g", "per": "dose", "start": _on(infused)}
        )
        events = [
            _row_of(infused + wait, "procedure", "plasma_exchange")
            for wait in draw(st.lists(st.integers(0, 24), max_size=3))
        ]
    if draw(st.booleans()):
        from_day = draw(st.integers(0, 50))
        given.append(_daily("tmp_smx", "480", from_day, draw(st.sampled_from([None, from_day + 12]))))
        given[-1]["last_confirmed_on"] = (
            draw(st.sampled_from(["", _on(from_day + 9)])) if "ongoing" in given[-1] else ""
        )
    return {"administrations": given, "labs": labs, "events": events}


@st.composite
def _failing(draw: st.DrawFn) -> Cohort:
    """The five things that are compared on the therapy clocks, about day 0 and from day 7 of treatment begun in the first days."""
    found: Cohort = {"labs": [], "oxygen": [], "events": []}
    looks = [
        draw(st.integers(0, 14)),
        *draw(st.lists(st.sampled_from([15, 17, 20, 21, 22, 28, 29, 36, 43]), min_size=1, max_size=3)),
    ]
    for offset in looks:
        shift = st.integers(0, 2)
        if draw(st.booleans()):
            value = draw(st.sampled_from(["500", "600", "720", "599.9", "1000", "1200"]))
            found["labs"].append(
                {"analyte": "ferritin", "value": value, "unit": "ng/mL", "at": _on(offset + draw(shift))}
            )
        if draw(st.booleans()):
            found["oxygen"].append({"at": _on(offset + draw(shift))} | draw(st.sampled_from(OXYGEN)))
        for kind, code, values in RESPONSES:
            if draw(st.sampled_from([True, False, False])):
                found["events"].append(_row_of(offset + draw(shift), kind, code, draw(st.sampled_from(values))))
    return found


@st.composite
def _viral(draw: st.DrawFn) -> Cohort:
    """Cytomegalovirus: an infection with or without end-organ disease, with or without an end, and PCRs about it."""
    start = draw(st.integers(5, 50))
    until = draw(st.sampled_from(["", "", _on(start + 12), _on(start + 33)]))
    rows = [("organism", "cmv"), ("site", "lung"), ("end_organ", draw(st.sampled_from(["yes", "yes", "no"])))]
    infection = [_row_of(start, "infection", code, value) | {"until": until} for code, value in rows]
    tests = [
        {
            "analyte": "cmv_dna",
            "value": draw(st.sampled_from(["<34.5", "150", "detected"])),
            "unit": "[IU]/mL",
            "at": _on(start + wait),
        }
        for wait in draw(st.lists(st.integers(-5, 40), max_size=3))
    ]
    return {"labs": tests, "events": infection if draw(st.booleans()) else []}


@st.composite
def _scored(draw: st.DrawFn) -> Cohort:
    """What the scores read, about a diagnosis of the first days."""
    near, complete = st.integers(0, 20), draw(st.booleans())
    labs = [
        {"analyte": analyte, "value": draw(st.sampled_from(values)), "unit": unit, "at": _on(draw(near))}
        for analyte, unit, values in LABS[:4]
        if complete or draw(st.sampled_from([True, True, False]))
    ]
    antibody = draw(st.sampled_from([one for one in ANTIBODY if one["value"] in BLOT] if complete else ANTIBODY))
    labs.append({"analyte": "anti_mda5", "at": _on(draw(near))} | antibody)
    diagnosis = draw(st.sampled_from(["ild", "rp_ild", "rp_ild"]))
    events = [_row_of(draw(st.integers(0, 9)), "diagnosis", diagnosis)]
    if complete or draw(st.booleans()):
        events.append(_row_of(draw(near), "imaging", "hrct_score", draw(st.sampled_from(["132", "133"]))))
    return {"labs": labs, "events": events}


@st.composite
def _breathing(draw: st.DrawFn) -> Cohort:
    """Two or three lung function tests, both measures on a day or a while apart, in a patient on room air or a little oxygen."""
    found: Cohort = {"pft": [], "oxygen": [{"at": _on(draw(days))} | draw(st.sampled_from(OXYGEN[:4]))], "events": []}
    for offset in sorted(draw(st.lists(st.sampled_from([2, 15, 30, 59, 75]), min_size=2, max_size=3))):
        apart = draw(st.sampled_from([0, 0, 28, 29]))
        for measure, shift, percents in zip(
            PFT, (0, apart), (["90", "85.5", "81", "80"], ["50", "45", "42.5", "40"]), strict=True
        ):
            found["pft"].append(
                measure | {"percent_predicted": draw(st.sampled_from(percents)), "at": _on(offset + shift)}
            )
    if draw(st.booleans()):
        found["events"].append(_row_of(draw(days), "symptom", "dyspnoea", draw(st.sampled_from(["same", "worse"]))))
        found["events"].append(_row_of(draw(days), "imaging", "chest_ct", draw(st.sampled_from(["stable", "worse"]))))
    return found


@st.composite
def _recovering(draw: st.DrawFn) -> Cohort:
    """Combination therapy from the first days, judged early: getting better or not, with everything recorded."""
    joined = draw(st.integers(0, 3))
    given = [_daily("prednisolone", "40", 0, None), _daily("tacrolimus", "3", joined, None)]
    judged = joined + draw(st.integers(6, 15))
    better = draw(st.booleans())
    oxygen = [{"at": _on(joined)} | OXYGEN[2], {"at": _on(judged)} | (OXYGEN[0] if better else OXYGEN[9])]
    if draw(st.booleans()):
        before, after = draw(st.sampled_from(SUPPORT))
        oxygen = [{"at": _on(joined)} | before, {"at": _on(judged)} | draw(st.sampled_from(after))]
    symptom, reading, opinion = ("better", "stable", "not_worse") if better else ("worse", "worse", "worse_on_therapy")
    events = [_row_of(judged, "symptom", "dyspnoea", symptom), _row_of(judged, "imaging", "chest_ct", reading)]
    labs = []
    if draw(st.booleans()):
        events.append(_row_of(judged, "impression", opinion))
        for offset, value in (
            (joined, "500"),
            (judged, "499.9" if better else draw(st.sampled_from(["599", "600", "700"]))),
        ):
            labs.append({"analyte": "ferritin", "value": value, "unit": "ng/mL", "at": _on(offset)})
    if draw(st.booleans()):
        events.append(_row_of(judged + draw(st.integers(0, 3)), "procedure", "plasma_exchange"))
    return {"labs": labs, "administrations": given, "oxygen": oxygen, "events": events}


@st.composite
def person(draw: st.DrawFn) -> Cohort:
    """The rows of one patient: some with nothing in common, and some stories that make the rules meet."""
    rows: Cohort = {name: [] for name in FILES}
    stories = (
        _treated(),
        _failing(),
        _viral(),
        _scored(),
        _breathing(),
        _recovering(),
        stories_lung_function.followed(),
        stories_counts.counted(),
        stories_counts.inhibited(),
        stories_courses.interrupted(),
        stories_levels.watched(),
        stories_prognosis.foretold(),
        stories_response.responding(),
        stories_listing.walking(),
        stories_listing.declining(),
        stories_listing.on_ventilator(),
        stories_listing.stable(),
        stories_barriers.hindered(),
        stories_screens.screened(),
        stories_screens.infected(),
    )
    stories = [_anything(), *(story for story in stories if draw(st.sampled_from([True, False, False])))]
    for story in stories:
        for name, found in draw(story).items():
            rows[name] += found
    if year := draw(st.sampled_from(["", *BIRTH_YEARS])):
        rows["patients"].append({"birth_year": year})
    return rows


def patients(most: int) -> st.SearchStrategy[Cohort]:
    """Cohorts of one to `most` patients, p1, p2, ..."""
    return st.lists(person(), min_size=1, max_size=most).map(numbered)


def seeded_person(number: int) -> Cohort:
    """The rows of one random patient, the same for the same number.

    Hypothesis begins with the simplest example and goes on by varying what it has: a seed for each patient keeps them different.
    """
    found: list[Cohort] = []

    @seed(number)
    @settings(
        max_examples=3, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(person())
    def collect(rows: Cohort) -> None:
        found.append(rows)

    collect()
    return found[-1]


def numbered(people: list[Cohort]) -> Cohort:
    """One cohort of some patients' rows, each row with a record id of its own."""
    cohort: Cohort = {name: [] for name in FILES}
    for number, person in enumerate(people, start=1):
        for name, rows in person.items():
            for place, row in enumerate(rows):
                known_as = {} if name == "patients" else {"record_id": f"{name}-{number}-{place}"}
                cohort[name].append({"patient_id": f"p{number}"} | known_as | row)
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


def receive(con: duckdb.DuckDBPyConnection, cohort: Cohort, some_held: bool = False) -> None:
    """Loads the rows through the front door, one file per kind. `some_held`: a value ten times off those before it may be held back."""
    with TemporaryDirectory() as folder:
        for name, rows in cohort.items():
            if not rows:
                continue
            path = Path(folder) / f"{name}.csv"
            path.write_text(as_csv(rows), encoding="utf-8")
            file_id = con.execute("SELECT coalesce(max(file_id), 0) + 1 FROM source.file").fetchone()[0]
            source = sources.recognise(path)
            con.execute(
                "INSERT INTO source.file VALUES (?, ?, '', ?, ?, [])", [file_id, path.name, source.format, RECEIVED]
            )
            ingest.ingest(con, file_id, source, RECEIVED)
    refused = con.execute("SELECT reason, raw FROM source.rejected").fetchall()
    assert not [row for row in refused if not (some_held and row[0] == "value_slip")]
