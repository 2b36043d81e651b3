"""Text from files is shown as text, wherever it goes."""

import pytest

from dashboard import style, table
from dashboard.charts.sparkline import sparkline


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "<img src=x onerror=alert(1)>",
        "$E=mc^2$",
        "**b**",
        "# h",
        "> quote",
        "`code`",
        "![i](http://x/y.png)",
        ":red[hi]",
        "~~s~~",
        "a|b",
        "\\[",
    ],
)
def test_no_mark_of_markdown_is_left(text):
    escaped = style.as_markdown(text)
    left = escaped
    for mark in set(text):
        left = left.replace(f"&#{ord(mark)};", "")
    assert not set("[]()<>$*#`!~|\\{}_") & set(left)


@pytest.mark.parametrize("text", [":smile:", "https://evil.example/x", "www.evil.example", "a@b.co", ":material/home:"])
def test_what_is_found_after_parsing_is_kept_apart(text):
    assert "\u2060" in style.as_markdown(text)


def test_ordinary_text_is_left_readable():
    assert style.as_markdown("HFNC 50") == "HFNC 50"


def test_labels_of_the_chart_hold_no_tag():
    assert style.as_label("<b>&") == "&lt;b&gt;&amp;"


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\tx"])
def test_a_spreadsheet_runs_nothing(text):
    assert style.as_cell(text).startswith("'")


@pytest.mark.parametrize("text", ["-1.5", "+3", "12"])
def test_numbers_stay_numbers(text):
    assert style.as_cell(text) == text


def test_the_csv_has_one_line_a_record_and_a_mark_for_spreadsheets():
    rows = [{"what": "=1+1", "value": 3}, {"what": "ferritin", "value": None}]
    assert table.as_csv(rows) == b"\xef\xbb\xbfwhat,value\r\n'=1+1,3\r\nferritin,\r\n"
    assert table.as_csv([]) == b"\xef\xbb\xbf"


def test_a_sparkline_holds_numbers_only():
    from datetime import date

    drawn = sparkline([{"day": date(2024, 1, 1), "value": 1.0, "low": 1.0, "high": 1.0}], [0.5], style.BLUE)
    assert drawn.startswith("<svg") and "text" not in drawn
    assert sparkline([], [1.0], style.BLUE) == ""


def test_the_style_sheet_is_static():
    assert "{" in style.SHEET and "script" not in style.SHEET
