"""SpO2/FiO2 and PaO2/FiO2: how much oxygen reaches the blood for how much is given."""

from dashboard import style
from dashboard.charts import marks, results
from dashboard.charts.labels import labels
from dashboard.charts.panel import Panel, View

PLACE = 20
TITLE = "SpO₂/FiO₂, P/F"


def rows(page: dict) -> list[dict]:
    """Both ratios as points, hollow where the FiO2 was estimated; an imputed P/F is none."""
    found = [
        {
            "x": row["at"],
            "y": row["sf"],
            "kind": "SpO₂/FiO₂",
            "hollow": row["fio2_source"] == "estimated",
            "evidence": row["evidence"],
            "source": row.get("source", ""),
        }
        for row in page["oxygen_support"]
        if row["sf"] is not None
    ]
    found += [
        {
            "x": row["at"],
            "y": row["pf"],
            "kind": "P/F",
            "hollow": False,
            "evidence": row["evidence"],
            "source": row.get("source", ""),
        }
        for row in page["gas_exchange"]
        if row["pf"] is not None and row["pf_method"] == "measured"
    ]
    return sorted(found, key=lambda row: (row["x"], row["kind"]))


def panel(rows: list[dict], view: View) -> Panel:
    """Two series on one scale; left out altogether when neither can be computed."""
    drawn = Panel("oxygenation", TITLE, "mmHg, ratio", height=58)
    if not rows:
        drawn.empty, drawn.height = "cannot be computed: needs SpO₂ of 97 % or less with an FiO₂, or a blood gas", 24
        return drawn
    drawn.lines = view.lines("ecmo_consideration", "mm[Hg]")
    drawn.axis = results.axis([row["y"] for row in rows], drawn, view, floor=0, top=None)
    points = []
    for kind, colour, symbol in (("SpO₂/FiO₂", style.BLUE, "circle"), ("P/F", style.VERMILION, "square")):
        series = [row | {"label": style.number(row["y"]), "text": _hover(row)} for row in rows if row["kind"] == kind]
        drawn.traces += marks.line(series, kind, colour, symbol)
        points += series
    drawn.traces.append(labels(view, sorted(points, key=lambda point: point["x"]), results.pixels(drawn)))
    drawn.points = [(frozenset(row["evidence"]), row["x"], row["y"]) for row in rows]
    drawn.table = [_table_row(row) for row in rows]
    return drawn


def _table_row(row: dict) -> dict:
    return {
        "date": row["x"],
        "what": row["kind"],
        "value": style.number(row["y"]),
        "unit": "mmHg" if row["kind"] == "P/F" else None,
        "remark": _how(row) or None,
        "source": row["source"] or None,
    }


def _how(row: dict) -> str:
    return "FiO₂ estimated" if row["hollow"] else ""


def _hover(row: dict) -> str:
    return style.as_label(
        " · ".join(
            part
            for part in (f"{row['kind']}: {style.number(row['y'])}", _how(row), style.day(row["x"]), row["source"])
            if part
        )
    )
