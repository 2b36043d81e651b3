"""Ingest: which version of a fact stands, and what the other native files become."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.ingesting import LABS, empty_store, lab, load, outcomes, reasons


@pytest.fixture
def con():
    return empty_store()


# ---- versions


def standing(con) -> list[tuple]:
    return con.execute(
        "SELECT value, status FROM record.observation WHERE known_until IS NULL ORDER BY value, status"
    ).fetchall()


def test_the_same_row_again_is_a_duplicate_in_this_file_and_in_the_next(con):
    load(con, LABS + lab("5") + lab("5") + lab("5.0"))
    load(con, LABS + lab("5"))
    assert outcomes(con) == ["accepted", "duplicate", "duplicate"]
    assert outcomes(con, 2) == ["duplicate"]
    assert con.execute("SELECT * FROM changed_patient").fetchall() == []


def test_another_value_at_the_same_time_is_a_repeat_and_stands(con):
    load(con, LABS + lab("5") + lab("6"))
    assert standing(con) == [(5, "final"), (6, "final")]


def test_a_correction_by_record_id_closes_the_old_version(con):
    load(con, LABS + lab("5", record_id="a", reported_at="2021-07-25"))
    load(con, LABS + lab("6", record_id="a", reported_at="2021-07-27", status="corrected"))
    assert standing(con) == [(6, "corrected")]
    assert con.execute("SELECT known_from, known_until FROM record.observation WHERE value = 5").fetchone() == (
        datetime(2021, 7, 25),
        datetime(2021, 7, 27),
    )
    assert outcomes(con) == ["accepted"] and outcomes(con, 2) == ["accepted"]


def test_an_older_version_that_arrives_late_is_superseded_and_stored(con):
    load(con, LABS + lab("6", record_id="a", reported_at="2021-07-27", status="corrected"))
    load(con, LABS + lab("5", record_id="a", reported_at="2021-07-25"))
    assert outcomes(con, 2) == ["superseded"]
    assert standing(con) == [(6, "corrected")]
    assert con.execute("SELECT known_until FROM record.observation WHERE value = 5").fetchone() == (
        datetime(2021, 7, 27),
    )


def test_a_higher_status_at_the_same_place_corrects_without_record_id(con):
    load(con, LABS + lab("5", status="preliminary") + lab("6") + lab("7", at="2021-07-25"))
    assert standing(con) == [(6, "final"), (7, "final")]
    load(con, LABS + lab("8", status="corrected", reported_at="2021-07-28"))
    assert standing(con) == [(7, "final"), (8, "corrected")]
    load(con, LABS + lab("9", status="amended", reported_at="2021-07-30") + lab("4", status="preliminary"))
    assert standing(con) == [(7, "final"), (9, "amended")]
    assert outcomes(con, 3) == ["accepted", "superseded"]


def test_assay_laboratory_and_timing_are_part_of_the_place(con):
    load(
        con,
        LABS
        + lab("5", laboratory="A")
        + lab("6", laboratory="B", status="corrected")
        + lab("7", sample_timing="C0", status="amended"),
    )
    assert len(standing(con)) == 3


def test_a_withdrawal_names_its_record_or_its_value(con):
    load(con, LABS + lab("5") + lab("6") + lab("7", record_id="a"))
    load(
        con,
        LABS
        + lab("5", status="entered in error")
        + lab("", status="cancelled")
        + lab("", status="cancelled", record_id="a"),
    )
    assert outcomes(con, 2) == ["accepted", "rejected", "accepted"]
    assert reasons(con, 2) == [("refused", "withdrawal_unnamed", "value")]
    assert [row for row in standing(con) if row[1] == "final"] == [(6, "final")]


def test_a_row_that_adds_a_stop_is_a_new_version_of_the_course(con):
    header = "patient_id,drug,route,dose,dose_unit,per,start,stop,ongoing\n"
    load(con, header + "p1,prednisolone,oral,20,mg,day,2021-03-16,,yes\n")
    load(con, header + "p1,prednisolone,oral,20,mg,day,2021-03-16,2021-04-16,\n")
    assert con.execute("SELECT stop_low, ongoing FROM record.administration WHERE known_until IS NULL").fetchall() == [
        (date(2021, 4, 16), False)
    ]


# ---- the other files


def test_one_oxygen_row_is_one_set(con):
    header = "patient_id,at,device,flow_l_min,fio2,spo2\n"
    rows = ["p1,2021-08-23,HFNC,35,50,94%", "p1,2021-08-24,,,,", "p1,2021-08-25,,,15,", "p1,2021-08-25,tent,,,"]
    load(con, header + "\n".join(rows))
    found = con.execute("SELECT analyte, value, coded FROM record.observation ORDER BY analyte").fetchall()
    assert found == [
        ("fio2", Decimal("0.5"), None),
        ("oxygen_device", None, "hfnc"),
        ("oxygen_flow", 35, None),
        ("spo2", 94, None),
    ]
    assert con.execute(
        "SELECT count(DISTINCT set_id), count(DISTINCT record_id) FROM record.observation"
    ).fetchone() == (1, 4)
    assert [reason for _, reason, _ in reasons(con)] == ["nothing_measured", "value_impossible", "device_unknown"]


def test_one_lung_function_row_gives_value_and_percent(con):
    header = "patient_id,measure,value,unit,percent_predicted,at,phase\n"
    rows = [
        "p1,FVC,950,mL,32,2021-10-17,pre",
        "p1,FVC,40,% pred,,2021-10-18,",
        "p1,FVC,,,41,2021-10-19,",
        "p1,FVC,0.95,,,2021-10-20,",
        "p1,FVC,1,L,1,2021-10-21,half",
    ]
    load(con, header + "\n".join(rows))
    found = con.execute("SELECT line, analyte, value, phase FROM record.observation ORDER BY line, analyte").fetchall()
    assert found == [
        (2, "fvc", Decimal("0.95"), "pre"),
        (2, "fvc_percent", 32, "pre"),
        (3, "fvc_percent", 40, None),
        (4, "fvc_percent", 41, None),
    ]
    assert [reason for _, reason, _ in reasons(con)] == ["unit_missing", "phase_unknown"]


def test_a_corrected_lung_function_row_closes_the_whole_earlier_row(con):
    header = "patient_id,measure,value,unit,percent_predicted,at,status\n"
    load(con, header + "p1,FVC,0.95,L,32,2021-10-17,\n")
    load(con, header + "p1,FVC,1.95,L,,2021-10-17,corrected\n")
    assert con.execute("SELECT analyte, value FROM record.observation WHERE known_until IS NULL").fetchall() == [
        ("fvc", Decimal("1.95"))
    ]


def test_an_administration_with_an_unreadable_dose_is_given_dose_unknown(con):
    header = "patient_id,drug,route,dose,dose_unit,per,start,stop,ongoing,action\n"
    rows = [
        "p1,cyclophosphamide,iv,750 mg/BSA,,dose,2021-10-14,,,",
        "p1,prednisolone,oral,20,mg,day,2022-03-16,,true,",
        "p1,valganciclovir,oral,900,mg,day,2021-12-30,2021-01-25,,",
        "p1,prednisolone,oral,5,mg,day,2021-10-14,soon,,",
        "p1,prednisolone,oral,5,mg,day,2021-10-14,2027-01-01,,",
        "p1,prednisolone,oral,5,mg,day,2021-10-14,2027-01-01,,ordered",
        "p1,moonwort,oral,5,mg,day,2021-10-14,,,",
        "p1,prednisolone,by owl,5,mg,day,2021-10-14,,,",
        "p1,prednisolone,oral,5,mg,day,2021-10-14,,perhaps,",
        "p1,,oral,5,mg,day,2021-10-14,,,",
        "p1,prednisolone,oral,20,furlong,day,2022-03-17,,,",
        "p1,prednisolone,oral,20,mg,fortnight,2022-03-18,,,",
    ]
    source = load(con, header + "\n".join(rows))
    found = con.execute(
        "SELECT drug, dose, original_dose, ongoing, action FROM record.administration ORDER BY line"
    ).fetchall()
    assert found == [
        ("cyclophosphamide", None, "750 mg/BSA", False, "given"),
        ("prednisolone", 20, "20", True, "given"),
        ("prednisolone", 5, "5", False, "ordered"),
        ("prednisolone", None, "20", False, "given"),
        ("prednisolone", None, "20", False, "given"),
    ]
    assert [(kind, reason) for kind, reason, _ in reasons(con)] == [
        ("held", "stop_before_start"),
        ("held", "stop_unreadable"),
        ("refused", "date_future"),
        ("refused", "drug_unknown"),
        ("refused", "route_unknown"),
        ("refused", "ongoing_unknown"),
        ("refused", "drug_missing"),
    ]
    assert source.notes == ["3 doses could not be read: dose unknown"]


def test_events_are_checked_against_the_dictionary(con):
    header = "patient_id,at,until,kind,code,value,text,date_assumed\n"
    rows = [
        "p1,2021-07-07,,diagnosis,ild,,CT,",
        "p1,2021-08-04,,diagnosis,RP-ILD,present,,yes",
        "p1,2021-08-23,,symptom,fever,38.7,,",
        "p1,2021-08-23,,symptom,fever,3.87,,",
        "p1,2021-08-23,,symptom,dyspnoea,dreadful,,",
        "p1,2021-08-23,,imaging,mri,,,",
        "p1,2021-08-24,,drug_stopped,azathioprine,,,",
        "p1,2021-12-22,2021-12-01,infection,organism,CMV,,",
        "p1,2021-12-22,,infection,organism,CMV,,",
        "p1,2021-12-22,,decision,,,hold,",
        "p1,2021-12-22,,decision,,,go on,",
    ]
    load(con, header + "\n".join(rows))
    found = con.execute("SELECT kind, code, value, number, date_assumed FROM record.event ORDER BY line").fetchall()
    assert found[:5] == [
        ("diagnosis", "ild", "present", None, False),
        ("diagnosis", "rp_ild", "present", None, True),
        ("symptom", "fever", "38.7", Decimal("38.7"), False),
        ("drug_stopped", "drug", "azathioprine", None, False),
        ("infection", "organism", "cmv", None, False),
    ]
    assert len(found) == 7
    assert [reason for _, reason, _ in reasons(con)] == [
        "value_impossible",
        "event_value_unknown",
        "code_unknown",
        "stop_before_start",
    ]


def test_the_newest_patients_row_wins_and_the_older_stays_accepted(con):
    header = "patient_id,sex,birth_year,site\n"
    load(con, LABS + lab("5"))
    assert con.execute("FROM record.patient").fetchall() == [("p1", None, None, None, None, None)]
    load(con, header + "p1,F,1955,A\np1,F,1955,A\np1,female,1956,A\np2,?,1955,\np3,m,1855,\np4,m,then,\n")
    assert outcomes(con, 2) == ["accepted", "duplicate", "accepted", "rejected", "rejected", "rejected"]
    assert [reason for _, reason, _ in reasons(con, 2)] == ["sex_unknown", "birth_year_impossible", "value_unreadable"]
    assert con.execute("FROM record.patient").fetchall() == [("p1", "female", 1956, "A", 2, 4)]


def test_a_blank_in_a_patients_row_wipes_nothing(con):
    header = "patient_id,sex,birth_year,site\n"
    load(con, header + "p1,F,1955,A\np2,M,1960,A\n")
    load(con, header + "p1,,,B\np2,,,\n")
    assert outcomes(con, 2) == ["accepted", "duplicate"]
    assert [row[:4] for row in con.execute("FROM record.patient ORDER BY 1").fetchall()] == [
        ("p1", "female", 1955, "B"),
        ("p2", "male", 1960, "A"),
    ]


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_where_a_file_is_cut_into_batches_does_not_matter(con, monkeypatch, batch):
    text = (
        LABS
        + lab("5", record_id="a")
        + lab("6", record_id="a")
        + lab("5", record_id="a")
        + lab("4", status="corrected")
        + lab("4")
        + lab("3")
    )
    load(con, text)
    monkeypatch.setattr("pipelines.sources.native_csv.MOST_ROWS", batch)
    other = empty_store()
    load(other, text)
    for table in ("source.row", "record.observation", "record.patient"):
        assert (
            con.execute(f"FROM {table} ORDER BY ALL").fetchall()
            == other.execute(f"FROM {table} ORDER BY ALL").fetchall()
        )
