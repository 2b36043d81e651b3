"""Computed percentages on the screen: told apart, explained, and both shown where they differ from the reported one."""

from datetime import date

from dashboard import result_cards, table
from dashboard.charts import lung_function
from dashboard.charts.panel import View
from tests.dashboard.hand_made import page, result
from tests.dashboard.test_charts import hover

AS_OF = date(2024, 6, 30)
VIEW = View(date(2024, 1, 1), AS_OF, AS_OF)


def made(value: dict, percent: float | None, **more) -> dict:
    """A row of lung_function_predicted for a value in litres."""
    row = {
        "on_date": date.fromisoformat(value["at"]),
        "measure": value["analyte"],
        "record_id": value["record_id"],
        "reference_set": "GLI 2017" if value["analyte"] == "dlco" else "GLI 2022 global",
        "age": 45.0,
        "height": 170.0,
        "height_date": date(2023, 12, 1),
        "percent": percent,
        "percent_low": percent and percent - 0.2,
        "percent_high": percent and percent + 0.2,
        "z": percent and -1.05,
        "has_reported": False,
        "reported": None,
        "reported_set": None,
        "difference": None,
        "shown": percent is not None,
        "missing": [],
    }
    return row | more


def litres(at: str = "2024-02-01", analyte: str = "fvc", value: float = 3.6) -> dict:
    return result(analyte, at, value, original_unit="L")


def drawn(tables: dict):
    return lung_function.panel(lung_function.rows(tables), VIEW)


def test_a_computed_percentage_has_a_mark_a_line_and_a_name_of_its_own():
    value, diffusion = litres(), litres(analyte="dlco", value=20.0)
    reported = result("fvc_percent", "2024-01-10", 90.0)
    panel = drawn(
        page(observation=[value, diffusion, reported])
        | {"lung_function_predicted": [made(value, 85.0), made(diffusion, 72.4)]}
    )
    marks = {trace["name"]: trace for trace in panel.traces if trace["mode"] == "markers"}
    assert list(marks) == ["FVC", "FVC computed, GLI 2022 global", "DLCO computed, GLI 2017"]
    computed = marks["FVC computed, GLI 2022 global"]
    assert (
        computed["y"] == [85]
        and computed["marker"]["symbol"] == ["square"]
        and computed["marker"]["color"] == ["#FFFFFF"]
    )
    assert marks["FVC"]["y"] == [90] and marks["FVC"]["marker"]["symbol"] == ["circle"]
    lines = {trace["name"]: trace for trace in panel.traces if trace["mode"] == "lines"}
    assert lines["FVC computed, GLI 2022 global"]["line"]["dash"] == "dot"
    assert "dash" not in lines["FVC"]["line"]


def test_the_hover_box_and_the_label_say_that_it_was_computed_and_how():
    value = litres()
    panel = drawn(page(observation=[value]) | {"lung_function_predicted": [made(value, 85.0)]})
    said = hover(next(trace for trace in panel.traces if trace["mode"] == "markers"))
    assert "computed, GLI 2022 global, z-score -1.05" in said and "84.8 to 85.2 %" in said
    assert "height 170 cm of 1 Dec 2023" in said and "judged by no rule" in said and "line 2 of labs.csv" in said
    labels = next(trace for trace in panel.traces if trace["name"] == "labels")
    assert labels["text"] == ["(85)"] and panel.unit == "% pred., (computed)"


def test_only_what_is_to_be_shown_is_drawn():
    value, reported = litres(), result("fvc_percent", "2024-02-01", 84.0)
    agreeing = made(value, 85.0, has_reported=True, reported=84.0, difference=1.0, shown=False)
    tables = page(observation=[value, reported]) | {"lung_function_predicted": [agreeing]}
    assert [row.get("computed", False) for row in lung_function.rows(tables)] == [False]
    assert lung_function.sentences(tables, AS_OF) == []


def test_both_are_shown_and_a_sentence_says_that_they_differ():
    value, reported = litres(), result("fvc_percent", "2024-02-01", 79.9, reference_set="ECSC")
    apart = made(value, 85.0, has_reported=True, reported=79.9, reported_set="ECSC", difference=5.1)
    tables = page(observation=[value, reported]) | {"lung_function_predicted": [apart]}
    assert [row["value"] for row in lung_function.rows(tables)] == [79.9, 85.0]
    assert lung_function.sentences(tables, AS_OF) == [
        "FVC of 1 Feb 2024: 79.9 % predicted as reported (ECSC) and 85 % computed (GLI 2022 global) differ by 5.1 points. "
        "Rules judge the reported one."
    ]
    assert lung_function.sentences(tables, date(2024, 1, 31)) == []
    assert result_cards.lung_function(tables, AS_OF, "fvc").value == "79.9 % pred."
    assert not result_cards.lung_function(tables, AS_OF, "dlco").known


def test_what_stands_in_the_way_is_said_of_the_newest_value_without_a_percentage():
    first, newest = litres("2024-02-01"), litres("2024-03-01")
    rows = [
        made(first, None, missing=["year of birth"]),
        made(newest, None, missing=["sex (female or male)", "height"]),
    ]
    tables = page(observation=[first, newest]) | {"lung_function_predicted": rows}
    assert lung_function.sentences(tables, AS_OF) == [
        "FVC of 1 Mar 2024: no % predicted is reported, and it cannot be computed without sex (female or male), height."
    ]
    assert lung_function.rows(tables) == []


def test_the_table_has_the_computed_percentage_with_its_z_score_and_its_source_line():
    value, reported = litres(), result("fvc_percent", "2024-02-10", 84.0, unit="%", original_unit="%")
    panel = drawn(page(observation=[value, reported]) | {"lung_function_predicted": [made(value, 85.0)]})
    newest, computed = table.twin([panel], VIEW)
    assert (newest["what"], newest["value"], newest["remark"]) == ("FVC", "84.0", "")
    assert computed["what"] == "FVC computed, GLI 2022 global" and computed["panel"] == "FVC, DLCO"
    assert computed["value"] == "85" and computed["unit"] == "%" and "z-score -1.05" in computed["remark"]
    assert computed["source"] == "labs.csv line 2"


def test_the_header_strip_shows_a_computed_percentage_as_such():
    value = litres()
    tables = page(observation=[value]) | {"lung_function_predicted": [made(value, 85.0)]}
    card = result_cards.lung_function(tables, AS_OF, "fvc")
    assert card.value == "85 % computed" and card.known
    assert not result_cards.lung_function(tables, date(2024, 1, 1), "fvc").known
