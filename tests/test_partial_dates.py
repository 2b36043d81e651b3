"""A partial date is an interval: judged on its first and on its last day, told only where both agree."""

from datetime import date

from pipelines.engines import on_duckdb
from tests.properties import cohorts


def ferritin_on(rows: list[tuple[str, str]], day: date) -> tuple:
    con = cohorts.new_store()
    labs = [{"patient_id": "p", "analyte": "ferritin", "value": value, "unit": "ng/mL", "at": at} for at, value in rows]
    cohorts.receive(con, {"labs": labs})
    on_duckdb.evaluate(con)
    on_duckdb.replay(con, ["p"])
    for table, until in (("result.spell", "from_date"), ("judgement", "on_date")):
        found = con.execute(
            f"SELECT status, grade, missing FROM {table} WHERE criterion = 'high_ferritin' AND {until} <= $day "
            "AND (until_date IS NULL OR until_date > $day)", {"day": day},
        ).fetchall()  # fmt: skip
        assert len(found) <= 1
    return found[0] if found else ()


def test_a_month_enters_on_its_last_day() -> None:
    rows = [("2024-01", "600")]
    assert ferritin_on(rows, date(2024, 1, 30)) == ()
    assert ferritin_on(rows, date(2024, 1, 31)) == ("met", 1, [])


def test_where_first_and_last_day_disagree_it_cannot_be_told_and_the_date_is_named() -> None:
    rows = [("2024-01", "600"), ("2024-01-15", "400")]
    assert ferritin_on(rows, date(2024, 1, 15))[0] == "not_met"
    status, grade, missing = ferritin_on(rows, date(2024, 1, 31))
    assert (status, grade) == ("not_evaluable", None)
    assert missing == ["exact date of ferritin (2024-01-01 to 2024-01-31)"]


def test_a_later_exact_result_settles_it() -> None:
    rows = [("2024-01", "600"), ("2024-01-15", "400"), ("2024-02-03", "1200")]
    assert ferritin_on(rows, date(2024, 2, 2))[0] == "not_evaluable"
    assert ferritin_on(rows, date(2024, 2, 3)) == ("met", 2, [])


def test_where_both_are_met_the_lower_grade_is_certain() -> None:
    rows = [("2024-01", "1600"), ("2024-01-15", "600")]
    assert ferritin_on(rows, date(2024, 1, 31)) == ("met", 1, [])


def test_two_partial_dates_are_each_over_on_their_own_day() -> None:
    rows = [("2024-01", "600"), ("2024-02", "400"), ("2024-02-10", "700")]
    assert ferritin_on(rows, date(2024, 1, 31)) == ("met", 1, [])
    assert ferritin_on(rows, date(2024, 2, 10)) == ("met", 1, [])
    assert ferritin_on(rows, date(2024, 2, 29))[0] == "not_evaluable"
