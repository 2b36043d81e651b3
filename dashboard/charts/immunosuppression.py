"""How many immunosuppressants act at once, as a step, and which; hatched where that rests on a drug with no stop recorded, after the day
it was last confirmed."""

from datetime import date, timedelta

from dashboard import style
from dashboard.charts import marks, results, treatment
from dashboard.charts.labels import STEPPED, labels
from dashboard.charts.panel import DAY_MS, Panel, View

PLACE = 75
TITLE = "Immunosuppression"
DEFAULT = False
SHORT = {
    "glucocorticoid": "GC",
    "cni": "CNI",
    "cyclophosphamide": "CYC",
    "mycophenolate": "MMF",
    "rituximab": "RTX",
    "jak_inhibitor": "JAKi",
    "azathioprine": "AZA",
    "methotrexate": "MTX",
    "leflunomide": "LEF",
    "tnf_inhibitor": "TNFi",
    "abatacept": "ABA",
    "tocilizumab": "TCZ",
}
SAME = ("agents", "drugs", "mg_per_day", "dose_unknown", "confirmed_on")


def rows(page: dict) -> list[dict]:
    """The stretches of concept immunosuppression in order, agents and drugs each named once in order of class; those that follow each
    other and differ in nothing drawn are one."""
    found: list[dict] = []
    for row in sorted(page.get("immunosuppression", []), key=lambda row: row["from_date"]):
        row = row | {"agents": sorted(set(row["agents"]), key=_rank), "drugs": sorted(set(row["drugs"]))}
        before = found[-1] if found else None
        if before and before["to_date"] == row["from_date"] and all(before[key] == row[key] for key in SAME):
            found[-1] = before | {
                "to_date": row["to_date"],
                "evidence": sorted({*before["evidence"], *row["evidence"]}),
            }
        else:
            found.append(row)
    return found


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("immunosuppression", TITLE, "agents", height=70)
    drawn.table = [_told(row, view.as_of) for row in rows]
    shown = [row for row in rows if marks.overlapping(row["from_date"], row["to_date"], view)]
    if not shown:
        drawn.empty = "none acts in these days" if rows else "no immunosuppressant recorded"
        drawn.height = 24
        return drawn
    drawn.lines = view.lines("intense_immunosuppression", "agents")
    highest = max([row["agent_count"] for row in shown] + [int(line["value"]) for line in drawn.lines])
    ticks = list(range(highest + 1))
    drawn.axis = {
        "type": "linear",
        "range": [0, highest * 1.35],
        "tickvals": ticks,
        "ticktext": [str(tick) for tick in ticks],
    }
    drawn.traces += [_area(shown, view), _step(shown, view)]
    points, agents, known = [], None, set()
    for row in shown:
        start = max(row["from_date"], view.start).isoformat()
        if row["agents"] != agents:
            points.append({"x": start, "y": row["agent_count"], "label": short(row)})
        if (
            fresh := set(row["evidence"]) - known
        ):  # a ring stands where a record begins to count, not at each later change
            drawn.points.append((frozenset(fresh), start, row["agent_count"]))
        agents, known = row["agents"], set(row["evidence"])
    drawn.traces.append(labels(view, points, results.pixels(drawn), drawn.height, STEPPED))
    return drawn


def in_doubt_from(row: dict) -> date | None:
    """The first day of a stretch on which an acting drug stands unconfirmed with no stop recorded; None: on no day of it."""
    if row["confirmed_on"] is None:
        return None
    day = max(row["from_date"], row["confirmed_on"] + timedelta(days=1))
    return day if row["to_date"] is None or day < row["to_date"] else None


def short(row: dict) -> str:
    """'GC + CNI + CYC'."""
    return " + ".join(SHORT.get(agent, style.words(agent)) for agent in row["agents"])


def hover(row: dict) -> str:
    """Count, agents, the drugs behind them, dose, days and what is in doubt."""
    number = row["agent_count"]
    parts = [
        f"Immunosuppression: {number} agent{'s' * (number != 1)} ({', '.join(_named(row))})",
        ", ".join(treatment.lane_name(drug) for drug in row["drugs"]),
        dose(row),
        f"from {style.day(row['from_date'])} {_until(row)}",
        _unconfirmed(row),
    ]
    return style.as_label(" · ".join(part for part in parts if part))


def dose(row: dict) -> str:
    """'prednisone eq. 20 mg/day', 'at least 20 mg/day, a dose could not be read'."""
    least = f"{style.number(row['mg_per_day'])} mg/day"
    return (
        f"prednisone eq. at least {least}, a dose could not be read"
        if row["dose_unknown"]
        else f"prednisone eq. {least}"
    )


def _pieces(row: dict, view: View) -> list[tuple[date, date, bool]]:
    """The part of a stretch that is sure and the part in doubt, inside the window: from, to, in doubt."""
    doubtful = in_doubt_from(row)
    parts = [(row["from_date"], row["to_date"], False)]
    if doubtful:
        parts = [(row["from_date"], doubtful, False)] * (row["from_date"] < doubtful) + [
            (doubtful, row["to_date"], True)
        ]
    spans = [(marks.overlapping(start, end, view), doubt) for start, end, doubt in parts]
    return [(*span, doubt) for span, doubt in spans if span]


def _area(shown: list[dict], view: View) -> dict:
    """A bar per stretch from its first day to its last, under the step."""
    drawn = [(row, *piece) for row in shown for piece in _pieces(row, view)]
    hovers = {row["from_date"]: hover(row) for row in shown}
    return {
        "type": "bar", "name": TITLE, "offset": 0,
        "x": [start.isoformat() for _, start, _, _ in drawn], "y": [row["agent_count"] for row, *_ in drawn],
        "width": [(end - start).days * DAY_MS for _, start, end, _ in drawn],
        "hovertext": [hovers[row["from_date"]] for row, *_ in drawn], "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "color": style.faded(style.PURPLE, 0.45), "line": {"width": 0},
            "pattern": {
                "shape": ["/" if doubt else "" for *_, doubt in drawn], "size": 6, "solidity": 0.25, "fgcolor": style.PURPLE,
                "bgcolor": style.faded(style.PURPLE, 0.12),
            },
        },
    }  # fmt: skip


def _step(shown: list[dict], view: View) -> dict:
    """The upper edge of the area; down to 0 where nothing acts between two stretches."""
    corners: list[tuple[date, int]] = []
    for row in shown:
        start, end = marks.overlapping(row["from_date"], row["to_date"], view)
        if not corners or corners[-1][0] < start:
            corners += [(day, 0) for day in (corners[-1][0] if corners else start, start)]
        corners += [(start, row["agent_count"]), (end, row["agent_count"])]
    corners.append((corners[-1][0], 0))
    return {
        "type": "scatter", "mode": "lines", "name": TITLE, "hoverinfo": "skip",
        "x": [day.isoformat() for day, _ in corners], "y": [count for _, count in corners],
        "line": {"color": style.PURPLE, "width": 1.8}, "connectgaps": False,
    }  # fmt: skip


def _told(row: dict, as_of: date) -> dict:
    """A row of the table, as known on the day: that it ended later is not said."""
    ended = row["to_date"] is None or row["to_date"] <= as_of
    remark = [
        ", ".join(_named(row)),
        ", ".join(treatment.lane_name(drug) for drug in row["drugs"]),
        dose(row),
        _until(row) if ended else f"still so on {style.day(as_of)}",
    ]
    return {
        "date": row["from_date"].isoformat(),
        "what": "immunosuppressants acting",
        "value": str(row["agent_count"]),
        "unit": "agents",
        "remark": "; ".join(part for part in [*remark, _unconfirmed(row)] if part),
        "source": None,
    }


def _named(row: dict) -> list[str]:
    return [SHORT[agent] if agent == "cni" else style.words(agent) for agent in row["agents"]]


def _until(row: dict) -> str:
    return f"until {style.day(row['to_date'] - timedelta(days=1))}" if row["to_date"] else "with no end recorded"


def _unconfirmed(row: dict) -> str:
    if row["confirmed_on"] is None:
        return ""
    return f"not every stop is recorded, last confirmed {style.day(row['confirmed_on'])}"


def _rank(agent: str) -> tuple[int, str]:
    order = treatment.CLASS_ORDER
    return order.index(agent) if agent in order else len(order), agent
