"""FVC and DLCO in percent of predicted."""

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 50
TITLE = "FVC, DLCO"
GAP_DAYS = 220  # tests are due every 180 days


def rows(page: dict) -> list[dict]:
    """Results that count: before a bronchodilator, no stage of a challenge."""
    return [row for row in results.of(page, "fvc_percent", "dlco_percent") if row["phase"] in (None, "pre")]


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("lung_function", TITLE, "% predicted", height=88)
    drawn.lines = [
        line for name in ("fvc", "dlco") for line in view.lines("referral_lung_function", "% predicted", name)
    ]
    series = [
        ("FVC", [row for row in rows if row["analyte"] == "fvc_percent"], style.GREEN, "circle"),
        ("DLCO", [row for row in rows if row["analyte"] == "dlco_percent"], style.ORANGE, "diamond"),
    ]
    return results.results_panel(drawn, series, view, top=100, gap_days=GAP_DAYS)
