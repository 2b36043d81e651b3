"""Laws of ingest, for any rows: nothing is lost, twice is once, order does not matter, and no text makes it fail."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import FileRefused
from tests.ingesting import empty_store, load

SETTINGS = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
HEADERS = {
    "labs": "patient_id;analyte;value;unit;at;reported_at;status;laboratory;record_id",
    "pft": "patient_id;measure;value;unit;percent_predicted;at;reported_at;status;record_id",
    "oxygen": "patient_id;at;device;flow_l_min;fio2;spo2;pao2;record_id",
    "administrations": "patient_id;drug;dose;dose_unit;per;start;stop;ongoing;record_id",
    "events": "patient_id;at;until;kind;code;value;text;reported_at;record_id",
    "patients": "patient_id;sex;birth_year;site",
}
WORDS = {
    "patient_id": ["a", "b", ""],
    "analyte": ["ferritin", "LDH", "CRP", "who"],
    "measure": ["FVC", "DLCO"],
    "value": ["1", "2", "<2", "NA", "improved"],
    "unit": ["ng/mL", "mg/dL", "L", "%", ""],
    "at": ["2021-07-01", "2021-07", "2021-07-01T08:00", "x"],
    "reported_at": ["", "2021-07-03", "2021-07-04"],
    "status": ["", "final", "preliminary", "corrected", "amended", "entered in error"],
    "laboratory": ["", "L"],
    "record_id": ["", "", "r", "s"],
    "percent_predicted": ["", "50", "60"],
    "device": ["", "HFNC", "tent"],
    "flow_l_min": ["", "5"],
    "fio2": ["", "0.5", "50"],
    "spo2": ["", "94"],
    "pao2": ["", "70"],
    "drug": ["prednisolone", "rituximab", "?"],
    "dose": ["5", "5 x", ""],
    "dose_unit": ["mg", ""],
    "per": ["day", "bid", ""],
    "start": ["2021-07-01", "2021-08"],
    "stop": ["", "2021-07-09", "2021-06-01"],
    "ongoing": ["", "yes"],
    "until": ["", "2021-07-09"],
    "kind": ["imaging", "symptom", "decision"],
    "code": ["chest_ct", "dyspnoea", ""],
    "text": ["", "said"],
    "sex": ["f", "m", "?"],
    "birth_year": ["1955", "1956", ""],
    "site": ["", "S"],
}
KINDS = pytest.mark.parametrize("kind", list(HEADERS))
# The columns of a record that say in which file and line it was first seen: they alone follow the order of arrival.
PLACE = "EXCLUDE (file_id, line)"


def rows(kind: str, **fixed: list[str]) -> st.SearchStrategy[list[str]]:
    columns = HEADERS[kind].split(";")
    row = st.tuples(*(st.sampled_from(fixed.get(column, WORDS[column])) for column in columns)).map(";".join)
    return st.lists(row, min_size=1, max_size=12)


def file(kind: str, lines: list[str]) -> str:
    return HEADERS[kind] + "\n" + "\n".join(lines) + "\n"


def records(con, place: str = "") -> dict[str, list[tuple]]:
    tables = ("patient", "observation", "administration", "event")
    return {table: con.execute(f"SELECT * {place} FROM record.{table} ORDER BY ALL").fetchall() for table in tables}


@KINDS
@SETTINGS
@given(data=st.data())
def test_nothing_is_lost(kind, data):
    lines = data.draw(rows(kind))
    con = empty_store()
    load(con, file(kind, lines))
    found = con.execute("SELECT line, outcome FROM source.row ORDER BY line").fetchall()
    assert [line for line, _ in found] == list(range(2, len(lines) + 2))
    counts = Counter(outcome for _, outcome in found)
    assert counts["rejected"] == con.execute("SELECT count(*) FROM source.rejected").fetchone()[0]
    if kind != "patients":
        stored = con.execute(
            "SELECT count(DISTINCT line) FROM (SELECT line FROM record.observation UNION ALL SELECT line FROM record.administration "
            "UNION ALL SELECT line FROM record.event)"
        ).fetchone()[0]
        assert counts["accepted"] + counts["superseded"] == stored


@KINDS
@SETTINGS
@given(data=st.data())
def test_twice_is_once(kind, data):
    if kind == "patients":  # one row a patient: a patients file says what is held now, or something new
        text = file(kind, list({line.split(";")[0]: line for line in data.draw(rows(kind))}.values()))
    else:
        text = file(kind, data.draw(rows(kind)))
    con = empty_store()
    load(con, text)
    before = records(con)
    load(con, text)
    assert records(con) == before
    again = {outcome for (outcome,) in con.execute("SELECT outcome FROM source.row WHERE file_id = 2").fetchall()}
    assert again <= {"duplicate", "rejected"}
    assert con.execute("SELECT count(*) FROM changed_patient").fetchone() == (0,)


@pytest.mark.parametrize("kind", ["labs", "pft", "events"])
@SETTINGS
@given(data=st.data())
def test_order_of_rows_and_files_does_not_matter_where_the_source_orders_its_versions(kind, data):
    """Each row has an issue time of its own, so that precedence never falls back on the order of arrival."""
    drawn = data.draw(rows(kind))
    place = HEADERS[kind].split(";").index("reported_at")
    lines = []
    for day, line in enumerate(drawn, start=10):
        cells = line.split(";")
        cells[place] = f"2021-08-{day}"
        lines.append(";".join(cells))
    one, two, three = empty_store(), empty_store(), empty_store()
    load(one, file(kind, lines))
    load(two, file(kind, data.draw(st.permutations(lines))))
    for line in reversed(lines):
        load(three, file(kind, [line]))
    assert records(one, PLACE) == records(two, PLACE) == records(three, PLACE)


@SETTINGS
@given(data=st.data(), cut=st.integers(1, 11))
def test_one_file_or_two_makes_no_difference(data, cut):
    lines = data.draw(rows("labs"))
    one, two = empty_store(), empty_store()
    load(one, file("labs", lines))
    for part in filter(None, (lines[:cut], lines[cut:])):
        load(two, file("labs", part))
    assert records(one, PLACE) == records(two, PLACE)
    assert [
        outcome for (outcome,) in one.execute("SELECT outcome FROM source.row ORDER BY file_id, line").fetchall()
    ] == [outcome for (outcome,) in two.execute("SELECT outcome FROM source.row ORDER BY file_id, line").fetchall()]


@KINDS
@SETTINGS
@given(
    cells=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12), min_size=4, max_size=30
    )
)
def test_no_text_in_a_cell_makes_it_fail(kind, cells):
    width = len(HEADERS[kind].split(";"))
    lines = [";".join(cells[at : at + width]) for at in range(0, len(cells), width)]
    con = empty_store()
    load(con, file(kind, lines))
    assert (
        con.execute("SELECT count(*) FROM source.row").fetchone()[0]
        >= con.execute("SELECT count(*) FROM source.rejected").fetchone()[0]
    )


@SETTINGS
@given(content=st.binary(max_size=200), header=st.booleans())
def test_any_bytes_are_read_or_refused(content, header):
    con = empty_store()
    try:
        load(con, (HEADERS["labs"].encode() + b"\n" if header else b"") + content)
    except FileRefused:
        assert con.execute("SELECT count(*) FROM source.row").fetchone() == (0,)
