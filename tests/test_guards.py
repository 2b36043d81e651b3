"""What is held although it can be read: values off by a power of ten, units contradicting the printed range; how people settle them."""

from datetime import datetime
from pathlib import Path

import pytest

from pipelines import decisions
from pipelines.load import load, rebuild
from pipelines.store.database import Store, open_snapshot
from pipelines.verify import verify
from tests.ingesting import LABS, empty_store, lab, reasons
from tests.ingesting import load as load_text

RECEIVED = datetime(2026, 11, 21, 9, 0)


def held(rows: list[tuple[str, str]], analyte: str = "ferritin", unit: str = "ng/mL", **more: str) -> list[str]:
    """The values held of one series given as (day, value), in one file."""
    con = empty_store()
    load_text(con, LABS + "".join(lab(value, unit, analyte, f"2021-{day}", **more) for day, value in rows))
    return [
        found
        for (found,) in con.execute(
            "SELECT found FROM source.rejected WHERE reason = 'value_slip' ORDER BY line"
        ).fetchall()
    ]


STEADY = [("07-01", "500"), ("07-08", "520"), ("07-15", "480")]

SLIPS = [
    # case, rows after the steady series, values held
    ("ten times", [("07-20", "5000")], ["5000"]),
    ("a hundred times", [("07-20", "50000")], ["50000"]),
    ("a thousandth", [("07-20", "0.5")], ["0.5"]),
    ("a tenth", [("07-20", "50")], ["50"]),
    ("ten times, at the upper bound of a quarter", [("07-20", "6250")], ["6250"]),
    ("one step above it", [("07-20", "6250.000001")], []),
    ("at the lower bound", [("07-20", "4000")], ["4000"]),
    ("one step below it", [("07-20", "3999.999999")], []),
    ("five times is a course, no slip", [("07-20", "2500")], []),
    ("28 days after the last two", [("08-05", "5000")], ["5000"]),
    ("one of three within 28 days is too few", [("08-06", "5000")], []),
    ("censored values are no slip", [("07-20", ">5000")], []),
    ("ten times seen twice is a new level", [("07-20", "5000"), ("07-22", "5600")], []),
    ("a hundred times seen twice is not", [("07-20", "50000"), ("07-22", "52000")], ["50000", "52000"]),
    ("back to the level before", [("07-20", "5000"), ("07-22", "510")], ["5000"]),
    ("a steady series", [("07-20", "510")], []),
]  # fmt: skip


@pytest.mark.parametrize(("case", "rows", "expected"), SLIPS, ids=[case for case, _, _ in SLIPS])
def test_values_off_by_a_power_of_ten(case, rows, expected):
    assert held(STEADY + rows) == expected


def test_one_value_is_no_history():
    assert held([("07-01", "500"), ("07-08", "5000")]) == []


def test_what_changes_tenfold_in_illness_is_held_at_a_hundred_times_only():
    steady = [("07-01", "0.5"), ("07-08", "0.6")]
    assert held([*steady, ("07-12", "5.5")], "crp", "mg/dL") == []
    assert held([*steady, ("07-12", "55")], "crp", "mg/dL") == ["55"]


def test_a_correction_by_the_source_is_not_held():
    con = empty_store()
    load_text(
        con,
        LABS
        + "".join(lab(value, at=f"2021-{day}") for day, value in STEADY)
        + lab("5000", at="2021-07-20", status="corrected"),
    )
    assert reasons(con) == []


def test_history_is_that_of_the_patient_the_analyte_and_the_assay():
    con = empty_store()
    load_text(
        con,
        LABS
        + "".join(lab(value, at=f"2021-{day}") for day, value in STEADY)
        + lab("5000", at="2021-07-20", patient_id="p2")
        + lab("5000", at="2021-07-20", assay="another"),
    )
    assert reasons(con) == []


def test_history_may_come_from_earlier_files_and_the_held_row_says_what_it_was_compared_with():
    con = empty_store()
    load_text(con, LABS + "".join(lab(value, at=f"2021-{day}") for day, value in STEADY))
    load_text(con, LABS + lab("5000", at="2021-07-20"))
    ((kind, reason, hint, raw, cells),) = con.execute(
        "SELECT class, reason, hint, raw, cells FROM source.rejected"
    ).fetchall()
    assert (kind, reason) == ("held", "value_slip")
    assert (
        "About 10 times the values before it: 500 on 2021-07-01, 520 on 2021-07-08, 480 on 2021-07-15 (ng/mL)." in hint
    )
    assert "5000" in raw and '"value": "5000"' in cells
    assert con.execute("SELECT count(*) FROM record.observation").fetchone() == (3,)


def test_a_level_seen_twice_is_accepted_in_a_feed_of_one_result_a_file_too():
    con = empty_store()
    values = [*STEADY, ("07-20", "5000"), ("07-22", "5600"), ("07-25", "5300")]
    for day, value in values:
        load_text(con, LABS + lab(value, at=f"2021-{day}"))
    assert con.execute("SELECT found FROM source.rejected").fetchall() == [("5000",)]
    assert con.execute("SELECT count(*) FROM record.observation").fetchone() == (5,)


def test_what_is_held_is_held_again_when_it_comes_again():
    con = empty_store()
    load_text(con, LABS + "".join(lab(value, at=f"2021-{day}") for day, value in STEADY))
    for _ in range(2):
        load_text(con, LABS + lab("5000", at="2021-07-20"))
    load_text(con, LABS + lab("5600", at="2021-07-22"))
    load_text(con, LABS + lab("5000", at="2021-07-20", specimen_id="another sheet"))
    assert con.execute("SELECT found FROM source.rejected").fetchall() == [("5000",)] * 3


def test_a_later_version_of_a_fact_is_not_held_for_it_closed_the_earlier_one():
    con = empty_store()
    load_text(con, LABS + "".join(lab(value, at=f"2021-{day}") for day, value in STEADY))
    load_text(
        con, LABS + lab("505", at="2021-07-20T08:00", record_id="c") + lab("5050", at="2021-07-20T09:00", record_id="c")
    )
    assert reasons(con) == []
    assert con.execute(
        "SELECT CAST(value AS INTEGER) FROM record.observation WHERE known_until IS NULL ORDER BY 1"
    ).fetchall()[-1] == (5050,)


RANGES = [
    # case, analyte, unit, ref_high, reasons
    ("CRP in mg/dL with the range of mg/L", "crp", "mg/dL", "5", ["unit_contradicts_range"]),
    ("CRP in mg/L", "crp", "mg/L", "5", []),
    ("ferritin in ng/mL", "ferritin", "ng/mL", "60", []),
    ("ferritin in pmol/L with the range of ng/mL", "ferritin", "pmol/L", "60", ["unit_contradicts_range"]),
    ("ferritin, a unit that is not known for it", "ferritin", "ng/dL", "60", ["unit_unknown"]),
    ("at the upper bound", "ferritin", "ng/mL", "1500", []),
    ("one step above it", "ferritin", "ng/mL", "1500.000001", ["unit_contradicts_range"]),
    ("at the lower bound", "ferritin", "ng/mL", "30", []),
    ("one step below it", "ferritin", "ng/mL", "29.999999", ["unit_contradicts_range"]),
    ("no range printed", "ferritin", "ng/mL", "", []),
    ("an analyte without known limits", "esr", "mm/h", "1000", []),
]  # fmt: skip


@pytest.mark.parametrize(("case", "analyte", "unit", "ref_high", "expected"), RANGES, ids=[case for case, *_ in RANGES])
def test_a_unit_that_contradicts_the_printed_range(case, analyte, unit, ref_high, expected):
    con = empty_store()
    load_text(con, LABS + lab("40", unit, analyte, ref_high=ref_high))
    assert [reason for _, reason, _ in reasons(con)] == expected
    assert {kind for kind, _, _ in reasons(con)} <= {"held"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    write(
        tmp_path / "labs.csv",
        "".join(lab(value, at=f"2021-{day}") for day, value in [*STEADY, ("07-20", "5000")]) + lab("7", "", "crp"),
    )
    load(store, [tmp_path / "labs.csv"], received_at=RECEIVED)
    return store


def write(path: Path, rows: str) -> Path:
    path.write_text(LABS + rows, encoding="utf-8")
    return path


def waiting(store: Store) -> list[dict]:
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        return decisions.held_rows(cursor)


def decide(store: Store, row: dict, decision: str, unit: str | None = None):
    path = store.folder.parent / f"decision_{row['line']}.csv"
    path.write_text(
        decisions.decision_file(row, decision, "the data manager", "asked the laboratory", RECEIVED, unit),
        encoding="utf-8",
    )
    return load(store, [path], received_at=RECEIVED).files[0]


def values(store: Store) -> list[tuple]:
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        return cursor.execute(
            "SELECT analyte, CAST(value AS DOUBLE), unit FROM record.observation ORDER BY at_low, analyte"
        ).fetchall()


class TestDecisions:
    def test_the_held_rows_wait_with_what_they_say(self, store: Store):
        assert [(row["line"], row["reason"]) for row in waiting(store)] == [(5, "value_slip"), (6, "unit_missing")]
        assert waiting(store)[0]["cells"] == {
            "patient_id": "p1", "analyte": "ferritin", "value": "5000", "unit": "ng/mL", "at": "2021-07-20",
        }  # fmt: skip

    def test_accepted_as_printed(self, store: Store):
        report = decide(store, waiting(store)[0], "accept")
        assert (report.received, report.accepted, report.rejected) == (1, 1, 0)
        assert ("ferritin", 5000, "ng/mL") in values(store)
        assert [row["reason"] for row in waiting(store)] == ["unit_missing"]

    def test_the_unit_corrected(self, store: Store):
        decide(store, waiting(store)[1], "correct_unit", "mg/L")
        assert ("crp", 0.7, "mg/dL") in values(store)
        assert [row["reason"] for row in waiting(store)] == ["value_slip"]

    def test_rejected(self, store: Store):
        before = values(store)
        report = decide(store, waiting(store)[0], "reject")
        assert (report.received, report.accepted) == (1, 1)
        assert values(store) == before
        assert [row["reason"] for row in waiting(store)] == ["unit_missing"]

    def test_what_a_person_rejected_stays_rejected(self, store: Store):
        decide(store, waiting(store)[0], "reject")
        write(store.folder.parent / "more.csv", lab("5100", at="2021-07-23") + lab("5300", at="2021-07-24"))
        load(store, [store.folder.parent / "more.csv", store.folder.parent / "labs.csv"], received_at=RECEIVED)
        assert ("ferritin", 5000, "ng/mL") not in values(store)
        assert ("ferritin", 5100, "ng/mL") in values(store)

    def test_they_are_listed_with_who_and_why(self, store: Store):
        decide(store, waiting(store)[0], "accept")
        with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
            (made,) = decisions.decisions(cursor)
        assert (made["decided_by"], made["why"], made["decision"], made["file"], made["line"], made["found"]) == (
            "the data manager", "asked the laboratory", "accept", "labs.csv", 5, "5000",
        )  # fmt: skip

    def test_a_unit_that_is_wrong_too_is_held_again(self, store: Store):
        assert decide(store, waiting(store)[1], "correct_unit", "furlong").rejected == 1
        assert [(row["reason"], row["found"]) for row in waiting(store)] == [
            ("value_slip", "5000"),
            ("unit_unknown", "furlong"),
        ]

    def test_the_same_file_again_asks_nothing_again(self, store: Store):
        row = waiting(store)[0]
        decide(store, row, "accept")
        assert load(store, [store.folder.parent / "labs.csv"], received_at=RECEIVED).files[0].duplicate == 4
        assert [row["reason"] for row in waiting(store)] == ["unit_missing"]

    def test_a_second_decision_on_a_row_is_refused(self, store: Store):
        row = waiting(store)[0]
        decide(store, row, "accept")
        assert decide(store, row, "reject").rejected == 1

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("of_line", "99"),
            ("of_file", "0" * 64),
            ("decision", "guess"),
            ("decided_by", ""),
            ("why", " "),
            ("of_line", "5e0"),
            ("unit", "mg/L"),
            ("decided_at", "2021-W30-1"),
            ("decided_at", "2021-13-01T00:00:00"),
            ("decided_at", "2999-01-01T00:00:00"),
        ],
    )
    def test_a_decision_about_nothing_or_by_nobody_is_refused(self, store: Store, field: str, value: str):
        import csv
        import io

        text = decisions.decision_file(waiting(store)[0], "accept", "the data manager", "asked", RECEIVED)
        (row,) = csv.DictReader(io.StringIO(text))
        path = store.folder.parent / "odd.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, row)
            writer.writeheader()
            writer.writerow(row | {field: value})
        assert load(store, [path], received_at=RECEIVED).files[0].rejected == 1
        assert len(waiting(store)) == 2

    def test_what_cannot_be_read_as_printed_cannot_be_accepted(self, store: Store):
        missing = waiting(store)[1]
        with pytest.raises(ValueError, match="cannot be read"):
            decisions.decision_file(missing, "accept", "the data manager", "asked", RECEIVED)
        path = store.folder.parent / "by_hand.csv"
        text = decisions.decision_file(missing, "reject", "the data manager", "asked", RECEIVED)
        path.write_text(text.replace("reject", "accept"), encoding="utf-8")
        assert load(store, [path], received_at=RECEIVED).files[0].rejected == 1
        assert len(waiting(store)) == 2

    def test_a_decision_needs_a_person_a_reason_and_the_unit_it_corrects(self, store: Store):
        row = waiting(store)[0]
        for decision, by, why, unit in [
            ("accept", " ", "why", None), ("accept", "who", "", None), ("guess", "who", "why", None), ("correct_unit", "who", "why", None),
            ("reject", "who", "why", "mg/L"),
        ]:  # fmt: skip
            with pytest.raises(ValueError, match="decision"):
                decisions.decision_file(row, decision, by, why, RECEIVED, unit)

    def test_a_rebuild_makes_them_again_and_everything_is_proved(self, store: Store):
        decide(store, waiting(store)[0], "accept")
        decide(store, waiting(store)[0], "reject")
        assert rebuild(store).equal
        assert [check.promise for check in verify(store) if not check.holds] == []
