"""Chest CT and X-ray, each with the reading a person recorded; one that nobody read is hollow."""

from dashboard import style
from dashboard.charts import marks
from dashboard.charts.labels import LANES as BESIDE
from dashboard.charts.labels import labels
from dashboard.charts.panel import Panel, View
from dashboard.rows import source_of

PLACE = 95
TITLE = "Imaging"
DEFAULT = False
LANES = {"chest_ct": "chest CT", "chest_xray": "chest X-ray"}
SCORES = {"ggo_fields": "ground glass in {} of 6 fields", "hrct_score": "HRCT score {}"}
SYMBOLS = {
    "worse": ("triangle-up", style.VERMILION),
    "improved": ("triangle-down", style.GREEN),
    "stable": ("square", style.BLUE),
    "not_comparable": ("x", style.GREY),
}
NOT_READ = ("circle", style.GREY)
LANE = 18


def rows(page: dict) -> list[dict]:
    """The images in order of time, each CT with the scores of its day under `scores`."""
    events = [row for row in page["event"] if row["kind"] == "imaging"]
    scored: dict = {}
    for row in events:
        if row["code"] in SCORES and row["number"] is not None:
            scored.setdefault(row["on_date"], []).append(row)
    images = [
        row | {"scores": scored.get(row["on_date"], []) if row["code"] == "chest_ct" else []}
        for row in events
        if row["code"] in LANES
    ]
    return sorted(images, key=lambda row: (row["on_date"], row["code"], row["record_id"]))


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("imaging", TITLE)
    codes = [code for code in LANES if any(row["code"] == code for row in rows)]
    if not codes:
        drawn.empty, drawn.height = "no chest CT or X-ray recorded", 24
        return drawn
    drawn.height = LANE * len(codes) + 24
    drawn.axis = {
        "type": "linear",
        "range": [len(codes) - 0.45, -1.2],
        "lanes": True,
        "tickvals": list(range(len(codes))),
        "ticktext": [LANES[code] for code in codes],
    }
    points = []
    for row in rows:
        symbol, colour = SYMBOLS.get(row["value"], NOT_READ)
        lane = codes.index(row["code"])
        points.append(
            {"x": row["on_date"].isoformat(), "y": lane, "symbol": symbol, "colour": colour,
             "hollow": row["value"] not in SYMBOLS, "label": label(row), "short": reading(row), "text": hover(row)}
        )  # fmt: skip
        ids = frozenset([row["record_id"], *(score["record_id"] for score in row["scores"])])
        drawn.points.append((ids, row["on_date"].isoformat(), lane))
        drawn.table.append(_told(row))
    drawn.traces.append(marks.point(points, TITLE, style.INK, size=9))
    drawn.traces.append(labels(view, points, lambda y: -y * LANE, positions=BESIDE, size=10))
    return drawn


def reading(row: dict) -> str:
    """'worse', 'not comparable', 'not read'."""
    return style.words(row["value"]) if row["value"] in SYMBOLS else "not read"


def scores(row: dict) -> list[str]:
    """'ground glass in 4 of 6 fields', 'HRCT score 180'."""
    return [SCORES[score["code"]].format(style.number(score["number"])) for score in row["scores"]]


def label(row: dict) -> str:
    return ", ".join([reading(row), *scores(row)])


def hover(row: dict) -> str:
    day = style.day(row["on_date"]) + (", assumed" if row["date_assumed"] else "")
    parts = [f"{LANES[row['code']]}: {label(row)}", row["text"] or "", day, source_of(row, ":")]
    return style.as_label(" · ".join(part for part in parts if part))


def _told(row: dict) -> dict:
    remark = [*scores(row), row["text"], "date assumed" if row["date_assumed"] else None]
    return {
        "date": row["on_date"].isoformat(),
        "what": LANES[row["code"]],
        "value": reading(row),
        "unit": None,
        "remark": "; ".join(part for part in remark if part) or None,
        "source": source_of(row),
    }
