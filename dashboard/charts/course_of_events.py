"""What happened besides results and drugs: diagnoses, symptoms, imaging, impressions, decisions, referral, stays."""

from dashboard import style
from dashboard.charts import marks
from dashboard.charts.labels import labels
from dashboard.charts.panel import Panel, View
from dashboard.rows import source_of

PLACE = 100
TITLE = "Events"
LANES = {
    "diagnosis": ("diagnosis", "square", style.INK),
    "stay": ("diagnosis", "square-open", style.INK),
    "symptom": ("symptoms", "triangle-up", style.VERMILION),
    "measure": ("symptoms", "circle", style.VERMILION),
    "imaging": ("imaging", "circle", style.BLUE),
    "impression": ("decisions", "pentagon", style.PURPLE),
    "decision": ("decisions", "hexagon", style.PURPLE),
    "drug_stopped": ("decisions", "x", style.PURPLE),
    "referral": ("referral", "star", style.GREEN),
    "outcome": ("referral", "star", style.GREEN),
}
SHOWN_MEASURES = ("mmrc", "walk_distance_m", "walk_lowest_spo2")
LANE = 20
LONGEST = 40
LANES_AND_ABOVE = ("middle right", "middle left", "top center")


def rows(page: dict) -> list[dict]:
    """Events of the kinds drawn here, in order of time."""
    found = [
        row
        for row in page["event"]
        if row["kind"] in LANES and (row["kind"] != "measure" or row["code"] in SHOWN_MEASURES)
    ]
    return sorted(found, key=lambda row: (row["on_date"], row["kind"], row["code"]))


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("events", TITLE)
    lanes = [
        lane
        for lane in dict.fromkeys(lane for lane, _, _ in LANES.values())
        if any(LANES[row["kind"]][0] == lane for row in rows)
    ]
    if not lanes:
        drawn.empty, drawn.height = "no diagnosis, symptom, imaging, decision or referral recorded", 24
        return drawn
    drawn.height = LANE * len(lanes) + 24
    drawn.axis = {
        "type": "linear",
        "range": [len(lanes) - 0.4, -1.2],
        "lanes": True,
        "tickvals": list(range(len(lanes))),
        "ticktext": lanes,
    }
    points = []
    for row in rows:
        name, symbol, colour = LANES[row["kind"]]
        lane = lanes.index(name)
        points.append(
            {"x": row["on_date"].isoformat(), "y": lane, "symbol": symbol, "colour": colour, "hollow": bool(row["date_assumed"]),
             "label": label(row), "weighty": row["kind"] in ("diagnosis", "symptom", "referral"), "text": hover(row)}
        )  # fmt: skip
        drawn.points.append((frozenset([row["record_id"]]), row["on_date"].isoformat(), lane))
        drawn.table.append(_table_row(row))
    drawn.traces.append(marks.point(points, TITLE, style.INK, size=9))
    drawn.traces.append(labels(view, points, lambda y: -y * LANE, positions=LANES_AND_ABOVE, size=10))
    return drawn


def _table_row(row: dict) -> dict:
    number = style.number(row["number"]) if row["number"] is not None else None
    remark = [row["text"], "date assumed" if row["date_assumed"] else None]
    return {
        "date": row["on_date"].isoformat(),
        "what": f"{style.words(row['kind'])}: {style.words(row['code'])}",
        "value": row["value"] or number,
        "unit": None,
        "remark": "; ".join(part for part in remark if part) or None,
        "source": source_of(row),
    }


def label(row: dict) -> str:
    """A word or two: 'RP-ILD', 'dyspnoea worse', 'CT worse', 'work up'."""
    code = {
        "ild": "ILD",
        "rp_ild": "RP-ILD",
        "dm": "DM",
        "cadm": "CADM",
        "chest_ct": "CT",
        "chest_xray": "X-ray",
        "mmrc": "mMRC",
    }
    name = code.get(row["code"], style.words(row["code"]))
    if row["kind"] == "stay":
        return "admitted" if row["value"] != "absent" else "no stay"
    if row["kind"] in ("decision", "impression"):
        said = style.words(row["value"] or row["text"] or name)
        return said if len(said) <= LONGEST else name  # the hover box and the table hold the whole text
    value = "" if row["value"] in (None, "present", "blank") else style.words(row["value"])
    return f"{name} {value}".strip()


def hover(row: dict) -> str:
    parts = [
        f"{row['kind']}: {label(row)}",
        row["text"] or "",
        style.day(row["on_date"]) + (", assumed" if row["date_assumed"] else ""),
        source_of(row, ":"),
    ]
    return style.as_label(" · ".join(part for part in parts if part))
