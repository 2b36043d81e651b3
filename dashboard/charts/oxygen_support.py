"""The oxygen severity lane: room air at the foot, ECMO at the top, and the levels at which a rule asks for a transplant centre."""

from dashboard import style
from dashboard.charts import marks
from dashboard.charts.labels import STEPPED, labels
from dashboard.charts.panel import Panel, View

PLACE = 10
TITLE = "Oxygen support"
LEVELS = (
    "room air",
    "cannula, low flow",
    "mask",
    "reservoir mask",
    "high flow (HFNC)",
    "NIV, CPAP",
    "ventilated",
    "ECMO",
)
ROW = 17
TRANSFER = ("urgent_transfer", "level")


def rows(page: dict) -> list[dict]:
    """The rows of concept oxygen_support, in order of time."""
    return sorted(page["oxygen_support"], key=lambda row: (row["at"], row["evidence"]))


def panel(rows: list[dict], view: View) -> Panel:
    """A step per record that says on what support the patient was; records without it are named in the note."""
    drawn = Panel("oxygen_support", TITLE, "level of support", height=150)
    known = [row for row in rows if row["level"] is not None]
    if not known:
        drawn.empty, drawn.height = "never recorded", 24
        return drawn
    drawn.lines = [line for line in view.thresholds if line["criterion"] == TRANSFER[0] and TRANSFER[1] in line["name"]]
    highest = max([4.0, *(row["level"] for row in known), *(float(line["value"]) for line in drawn.lines)])
    shown = int(min(7, highest + 1))
    drawn.axis = {
        "type": "linear",
        "range": [-0.6, shown + 1.6],
        "tickvals": list(range(shown + 1)),
        "ticktext": list(LEVELS[: shown + 1]),
        "lanes": True,
    }
    drawn.height = ROW * (shown + 1) + 20
    points = [
        {
            "x": row["at"],
            "y": row["level"],
            "label": setting(row, short=row["fio2_source"] == "set"),
            "short": setting(row, short=True),
            "text": hover(row),
            "hollow": row["fio2_source"] == "estimated",
        }
        for row in known
    ]
    drawn.traces += marks.line([point | {"hollow": False} for point in points], TITLE, style.BLUE, shape="hv")
    drawn.traces.append(
        labels(view, points, lambda y: (y + 0.6) / (shown + 2.2) * drawn.height, drawn.height - 14, STEPPED)
    )
    drawn.points = [(frozenset(row["evidence"]), row["at"], row["level"]) for row in known]
    drawn.table = [_table_row(row) for row in known]
    for line in drawn.lines:
        drawn.shapes.append(
            {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": float(line["value"]) - 0.5, "y1": shown + 1.6, "layer": "below",
             "fillcolor": style.faded(style.VERMILION, 0.07), "line": {"width": 0}}
        )  # fmt: skip
    return drawn


def _table_row(row: dict) -> dict:
    remark = [
        setting(row),
        style.words(row["device"]),
        row["activity"],
        None if row.get("spo2") is None else f"SpO₂ {style.number(row['spo2'])} %",
        "FiO₂ estimated" if row["fio2_source"] == "estimated" else None,
    ]
    return {
        "date": row["at"],
        "what": TITLE,
        "value": LEVELS[row["level"]],
        "unit": None,
        "remark": ", ".join(part for part in remark if part) or None,
        "source": row.get("source") or None,
    }


def setting(row: dict, short: bool = False) -> str:
    """What was set: '6 L/min', 'FiO2 0.50, 35 L/min'; short: '6 L', '0.50/35 L'."""
    if row["level"] == 0:
        return ""
    flow = "" if row["flow"] is None else f"{style.number(row['flow'])} L" + ("" if short else "/min")
    fio2 = (
        "" if row["fio2_source"] != "set" or row["fio2"] is None else ("" if short else "FiO₂ ") + f"{row['fio2']:.2f}"
    )
    return ("/" if short else ", ").join(part for part in (fio2, flow) if part)


def hover(row: dict) -> str:
    """The whole record for the hover box."""
    device = style.words(row["device"]) or ("no device named" if row["level"] == 1 else LEVELS[row["level"]])
    parts = [f"Oxygen: {device}", setting(row), row["activity"] or ""]
    if row.get("spo2") is not None:
        parts.append(f"SpO₂ {style.number(row['spo2'])} %")
    parts += [style.day(row["at"]), row.get("source", "")]
    return style.as_label(" · ".join(part for part in parts if part))
