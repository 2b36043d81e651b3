"""The spells of the flags of infection alone."""

from dashboard.charts import flags
from dashboard.charts.panel import Panel, View

PLACE = 111
TITLE = "Infection flags"
DEFAULT = False


def rows(page: dict) -> list[dict]:
    return [row for row in flags.rows(page) if row["group"] == "infection"]


def panel(rows: list[dict], view: View) -> Panel:
    drawn = flags.panel(rows, view)
    drawn.name, drawn.title = "infection_flags", TITLE
    drawn.empty = drawn.empty and "no criterion of infection was ever met"
    return drawn
