"""The synthetic cohort: the same seed gives the same bytes, it says that it is synthetic, and the dictionary knows every word of it."""

import csv

import duckdb
import pytest

from pipelines import dictionary
from sample_data.cohort.generate import COLUMNS, generate


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    generate(folder, patients=60, seed=7)
    return folder


def rows(folder, name: str) -> list[dict]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_gives_the_same_bytes(cohort, tmp_path):
    generate(tmp_path / "again", patients=60, seed=7)
    generate(tmp_path / "other", patients=60, seed=8)
    for name in COLUMNS:
        first = (cohort / f"{name}.csv").read_bytes()
        assert (tmp_path / "again" / f"{name}.csv").read_bytes() == first
        assert (tmp_path / "other" / f"{name}.csv").read_bytes() != first


def test_every_row_says_that_it_is_synthetic(cohort):
    for name in COLUMNS:
        assert rows(cohort, name)
        assert all(row["patient_id"].startswith("synthetic-") for row in rows(cohort, name))
    assert {row["site"] for row in rows(cohort, "patients")} <= {"Synthetic A", "Synthetic B", "Synthetic C"}


def test_dates_lie_in_the_promised_span(cohort):
    columns = ("at", "start", "stop", "until")
    dates = [row[column] for name in COLUMNS for row in rows(cohort, name) for column in columns if row.get(column)]
    assert min(dates) >= "2023-01-01"
    assert max(dates)[:10] <= "2026-06-30"


def test_the_dictionary_knows_every_word(cohort):
    con = duckdb.connect()
    dictionary.create_tables(con)

    def column(query: str) -> set:
        return {row if len(row) > 1 else row[0] for row in con.execute(query).fetchall()}

    names = column("SELECT name FROM analyte_name")
    assert {
        dictionary.normal_name(row["analyte"]) for row in rows(cohort, "labs") if row["analyte"] not in names
    } <= names
    assert {dictionary.normal_name(row["drug"]) for row in rows(cohort, "administrations")} <= column(
        "SELECT name FROM drug_name"
    )
    assert {(row["kind"], row["code"]) for row in rows(cohort, "events")} <= column("SELECT kind, code FROM event_code")
    assert {dictionary.normal_name(row["device"]) for row in rows(cohort, "oxygen")} <= column(
        "SELECT name FROM device_name"
    )
    assert {dictionary.normal_name(row["assay"]) for row in rows(cohort, "labs") if row["assay"]} <= column(
        "SELECT name FROM assay_name"
    )


def test_it_covers_what_the_rules_ask_about(cohort):
    labs, drugs, events = rows(cohort, "labs"), rows(cohort, "administrations"), rows(cohort, "events")
    assert {row["status"] for row in labs} == {"", "final", "preliminary", "corrected"}
    assert any(row["value"].startswith("<") for row in labs)
    assert any(row["value"].startswith(">") for row in labs)
    assert any(len(row["at"]) == 7 for row in labs)
    assert {row["action"] for row in drugs} == {"given", "ordered", "not_given"}
    assert {"tofacitinib", "rituximab", "tmp_smx", "pentamidine", "ivig", "azathioprine"} <= {
        row["drug"] for row in drugs
    }
    assert {"plasma_exchange", "death", "rp_ild", "mmrc", "chest_ct", "work_up", "organism"} <= {
        row["code"] for row in events
    }
    assert {"room_air", "hfnc", "invasive_ventilation", "ecmo"} <= {row["device"] for row in rows(cohort, "oxygen")}


def test_the_number_of_laboratory_rows_can_be_asked_for(tmp_path):
    generate(tmp_path, patients=20, seed=1, labs=20_000)
    assert len(rows(tmp_path, "labs")) == pytest.approx(20_000, rel=0.1)
