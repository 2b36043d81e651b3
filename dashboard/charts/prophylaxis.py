"""Cover against Pneumocystis, viruses and fungi: solid where it counts, hatched where it is in doubt, and the days on which the rule
found it missing as empty frames."""

from datetime import date, timedelta
from itertools import pairwise

from dashboard import style
from dashboard.charts import marks, treatment
from dashboard.charts.labels import LANES as BESIDE
from dashboard.charts.labels import labels
from dashboard.charts.panel import Panel, View

PLACE = 85
TITLE = "Prophylaxis"
DEFAULT = False
GAP_RULE = "pjp_prophylaxis_gap"
LANES = {
    "pjp": ("PJP", "pjp_prophylaxis"),
    "antiviral": ("antiviral", "antiviral"),
    "antifungal": ("antifungal", "antifungal"),
}
SHORT = {"tmp_smx": "TMP-SMX"}
ABOVE = ("top right", "top center", "top left", "middle left", "middle right")  # over the first lane is free room
LANE = 18
FAR = date.max


def rows(page: dict) -> list[dict]:
    """Cover by kind, no two of a kind overlapping, then under kind `gap` the days on which the rule was met, in order of time."""
    found = []
    for kind in LANES:
        found += cover([row for row in page.get("prophylaxis", []) if row["kind"] == kind])
    return found + gaps(page)


def cover(stretches: list[dict]) -> list[dict]:
    """What covers on each day, of stretches of one kind that may overlap: certain where one of them is, by the drugs that make it so."""
    days = sorted({day for row in stretches for day in (row["from_date"], row["to_date"] or FAR)})
    found: list[dict] = []
    for start, end in pairwise(days):
        acting = [row for row in stretches if row["from_date"] <= start and (row["to_date"] or FAR) > start]
        acting = [row for row in acting if row["certain"]] or acting
        if not acting:
            continue
        confirmed = [row["last_confirmed"] for row in acting if row["last_confirmed"]]
        part = {
            "kind": acting[0]["kind"],
            "certain": acting[0]["certain"],
            "treatment": all(row["treatment"] for row in acting),
            "drugs": sorted({row["drug"] for row in acting}),
            "last_confirmed": max(confirmed, default=None),
        }
        ids = sorted({one for row in acting for one in row["evidence"]})
        before = found[-1] if found else None
        if before and before["to_date"] == start and all(before[key] == value for key, value in part.items()):
            before["to_date"], before["evidence"] = end, sorted({*before["evidence"], *ids})
        else:
            found.append(part | {"from_date": start, "to_date": end, "evidence": ids})
    return [row | {"to_date": None if row["to_date"] == FAR else row["to_date"]} for row in found]


def gaps(page: dict) -> list[dict]:
    """The spells in which the rule of the gap stood as met: from its first day to the day it ceased (None: it stands)."""
    judged = sorted((row for row in page["judgement"] if row["criterion"] == GAP_RULE), key=lambda row: row["on_date"])
    found: list[dict] = []
    for row in judged:
        if row["status"] != "met":
            continue
        if found and found[-1]["to_date"] == row["on_date"]:
            found[-1]["to_date"] = row["until_date"]
            found[-1]["evidence"] = sorted({*found[-1]["evidence"], *row["evidence"]})
        else:
            found.append(
                {"kind": "gap", "from_date": row["on_date"], "to_date": row["until_date"], "title": row["title"],
                 "evidence": list(row["evidence"])}
            )  # fmt: skip
    return found


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("prophylaxis", TITLE, "cover, gaps")
    if not rows:
        drawn.empty, drawn.height, drawn.unit = "no prophylaxis recorded, no gap judged", 24, ""
        return drawn
    drawn.height = LANE * len(LANES) + 24
    drawn.axis = {
        "type": "linear",
        "range": [len(LANES) - 0.45, -1.2],
        "lanes": True,
        "tickvals": list(range(len(LANES))),
        "ticktext": [name for name, _ in LANES.values()],
    }
    drawn.table = [_told(row) for row in sorted(rows, key=lambda row: (row["from_date"], row["kind"]))]
    since, none = [], []
    for lane, (kind, (name, drug_class)) in enumerate(LANES.items()):
        found = [row for row in rows if row["kind"] == kind]
        missing = [row for row in rows if row["kind"] == "gap"] if kind == "pjp" else []
        drawn.intervals += [
            (frozenset(row["evidence"]), lane, row["from_date"], row["to_date"] or view.end + timedelta(days=1))
            for row in found + missing
        ]
        pieces = [piece for row in found if (piece := _cover_piece(row, style.CLASS_COLOURS[drug_class], view))]
        if pieces:
            drawn.traces.append(marks.interval(lane, pieces, f"{name} prophylaxis"))
        empty = [piece for row in missing if (piece := _gap_piece(row, view))]
        if empty:
            drawn.traces.append(_hatched(marks.interval(lane, empty, "gap in PJP prophylaxis", width=0.78)))
            since += [
                {"x": piece["from_date"].isoformat(), "y": lane, "label": piece["told"], "short": piece["short"]}
                for piece in empty
            ]
        if not found and not missing:
            none.append({"x": view.start.isoformat(), "y": lane, "label": "none recorded"})
    for told, positions in ((since, ABOVE), (none, BESIDE[:1])):
        if told:
            drawn.traces.append(labels(view, told, lambda y: -y * LANE, positions=positions, size=10))
    return drawn


def _cover_piece(row: dict, colour: str, view: View) -> dict | None:
    span = marks.overlapping(row["from_date"], row["to_date"], view)
    if not span:
        return None
    name = ", ".join(treatment.lane_name(drug) for drug in row["drugs"])
    choices = (
        [name + (" (treatment)" if row["treatment"] else ""), name]
        if row["certain"]
        else [f"{name} in doubt", "in doubt"]
    )
    return {
        "from_date": span[0], "to_date": span[1], "colour": colour, "opacity": 0.75 if row["certain"] else 0.55,
        "hatch": "" if row["certain"] else "/", "hover": hover(row),
        "text": next((text for text in choices if marks.fits(text, *span, view)), ""),
    }  # fmt: skip


def _gap_piece(row: dict, view: View) -> dict | None:
    span = marks.overlapping(row["from_date"], row["to_date"], view)
    if not span:
        return None
    return {
        "from_date": span[0], "to_date": span[1], "colour": style.VERMILION, "outlined": True, "hatch": "x", "hover": hover(row),
        "told": f"gap since {style.day(row['from_date'])}", "short": f"gap {style.day(row['from_date'], year=False)}",
    }  # fmt: skip


def _hatched(trace: dict) -> dict:
    """A frame is filled with nothing: its hatching takes the colour that would fill it."""
    trace["marker"]["color"] = style.faded(style.VERMILION, 0.55)
    trace["marker"]["pattern"] |= {"size": 7, "solidity": 0.15}
    return trace


def hover(row: dict) -> str:
    """Drug or rule, days and what is in doubt."""
    return style.as_label(" · ".join(part for part in (_what(row), _days(row), _remark(row)) if part))


def _what(row: dict) -> str:
    if row["kind"] == "gap":
        return "Gap in PJP prophylaxis"
    return f"{LANES[row['kind']][0]} prophylaxis: {', '.join(treatment.lane_name(drug) for drug in row['drugs'])}"


def _days(row: dict) -> str:
    until = f"until {style.day(row['to_date'] - timedelta(days=1))}" if row["to_date"] else "with no end recorded"
    return f"from {style.day(row['from_date'])} {until}"


def _remark(row: dict) -> str:
    if row["kind"] == "gap":
        return f"rule met: {row['title']}"
    parts = [
        "" if row["certain"] else "in doubt: is it still taken?",
        f"last confirmed {style.day(row['last_confirmed'])}" if row["last_confirmed"] else "",
        "treatment, which covers too" if row["treatment"] else "",
    ]
    return ", ".join(part for part in parts if part)


def _told(row: dict) -> dict:
    value = "gap" if row["kind"] == "gap" else "covered" if row["certain"] else "in doubt"
    remark = [_days(row), _remark(row)]
    return {
        "date": row["from_date"].isoformat(),
        "what": _what(row),
        "value": value,
        "unit": None,
        "remark": "; ".join(part for part in remark if part),
        "source": None,
    }
