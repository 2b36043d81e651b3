"""What a store says of each patient in one row: days, records, and two texts that tell whether anything changed."""

from datetime import date, datetime

import duckdb
import pytest

from pipelines import patient_state
from tests.ingesting import LABS, RECEIVED, empty_store, lab, load

LATER = datetime(2026, 11, 22, 9, 30)


@pytest.fixture
def con():
    store = empty_store()
    load(store, LABS + lab("480", record_id="a") + lab("510", at="2021-08", record_id="b"))
    yield store
    store.close()


def state(con: duckdb.DuckDBPyConnection, patient_id: str = "p1") -> dict:
    con.execute("CREATE OR REPLACE TEMP TABLE asked AS SELECT patient_id FROM record.patient")
    patient_state.write(con)
    found = con.execute("SELECT * FROM result.patient_state WHERE patient_id = ?", [patient_id])
    names = [column[0] for column in found.description]
    (row,) = found.fetchall()
    return dict(zip(names, row, strict=True))


def test_the_days_records_and_arrival_of_what_stands(con):
    row = state(con)
    assert (row["first_day"], row["last_day"]) == (date(2021, 7, 24), date(2021, 8, 31))
    assert (row["records"], row["last_received_at"], row["corrected"]) == (2, RECEIVED, "0")


def test_a_new_record_changes_the_state_alone(con):
    before = state(con)
    load(con, LABS + lab("600", at="2021-09-01", record_id="c"), received_at=LATER)
    after = state(con)
    assert after["state"] != before["state"] and after["corrected"] == before["corrected"]
    assert (after["records"], after["last_received_at"]) == (3, LATER)


@pytest.mark.parametrize(("value", "status", "records"), [("490", "corrected", 2), ("480", "cancelled", 1)])
def test_a_correction_and_a_withdrawal_change_both(con, value, status, records):
    before = state(con)
    load(con, LABS + lab(value, record_id="a", status=status), received_at=LATER)
    after = state(con)
    assert after["state"] != before["state"] and after["corrected"] != before["corrected"]
    assert after["records"] == records


def test_the_same_file_again_changes_nothing(con):
    before = state(con)
    load(con, LABS + lab("480", record_id="a"), received_at=LATER)
    assert state(con) == before


def test_what_was_withdrawn_is_no_day_of_the_record(con):
    load(con, LABS + lab("510", at="2021-08", record_id="b", status="entered_in_error"), received_at=LATER)
    assert state(con)["last_day"] == date(2021, 7, 24)


def test_a_patient_of_whom_nothing_is_recorded_has_a_row(con):
    con.execute("INSERT INTO record.patient VALUES ('q', NULL, NULL, NULL, 1, 1)")
    assert state(con, "q") == {
        "patient_id": "q", "first_day": None, "last_day": None, "last_received_at": None, "records": 0, "state": "0", "corrected": "0",
    }  # fmt: skip
