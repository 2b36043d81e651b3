"""The spells of the flags: when each criterion that was ever met was met, and when it could not be told."""

from datetime import date, timedelta

from dashboard import criterion_names, style
from dashboard.charts import marks
from dashboard.charts.panel import Panel, View

PLACE = 110
TITLE = "Flags"
LANE = 17
SEVERAL = 3  # so many items of one criterion share a lane


def rows(page: dict) -> list[dict]:
    """Runs of one status per criterion and item, of criteria that were met at least once, in order of group."""
    judged = sorted(page["judgement"], key=lambda row: (row["criterion"], row["item"] or "", row["on_date"]))
    met = {(row["criterion"], row["item"]) for row in judged if row["status"] == "met"}
    runs: list[dict] = []
    for row in judged:
        if (row["criterion"], row["item"]) not in met:
            continue
        before = runs[-1] if runs else {}
        same = all(before.get(key) == row[key] for key in ("criterion", "item", "status"))
        if same and before["to_date"] == row["on_date"]:
            before["to_date"] = row["until_date"]
        else:
            keys = ("criterion", "item", "status", "group", "title")
            runs.append({key: row[key] for key in keys} | {"from_date": row["on_date"], "to_date": row["until_date"]})
    order = list(style.GROUPS)
    return sorted(
        runs, key=lambda run: (order.index(run["group"]), run["criterion"], run["item"] or "", run["from_date"])
    )


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("flags", "Flags", "met")
    lanes = _lanes(rows)
    if not lanes:
        drawn.empty, drawn.height = "no criterion was ever met", 24
        return drawn
    drawn.height = LANE * len(lanes) + 26
    drawn.axis = {
        "type": "linear",
        "range": [len(lanes) - 0.45, -1.3],
        "lanes": True,
        "tickvals": list(range(len(lanes))),
        "ticktext": [style.as_label(name) for name in lanes],
    }
    drawn.table = [_table_row(run, view.as_of) for run in rows if run["status"] != "not_met"]
    last = view.end + timedelta(days=1)
    for number, (name, runs) in enumerate(lanes.items()):
        spans = [(run, marks.overlapping(run["from_date"], run["to_date"] or last, view)) for run in runs]
        pieces = [_piece(run, span) for run, span in spans if span]
        if pieces:
            drawn.traces.append(marks.interval(number, pieces, name, width=0.6))
    return drawn


def _lanes(rows: list[dict]) -> dict[str, list[dict]]:
    """What is drawn in each lane: the runs of an item; of a criterion with several items all of them in one, those met, over each other."""
    items: dict[str, set] = {}
    for run in rows:
        items.setdefault(run["criterion"], set()).add(run["item"])
    lanes: dict[str, list[dict]] = {}
    for run in rows:
        several = len(items[run["criterion"]])
        if several < SEVERAL:
            lane = lanes.setdefault(lane_name(run["criterion"], run["item"]), [])
        else:
            lane = lanes.setdefault(f"{lane_name(run['criterion'], None)}: any of {several}", [])
        if run["status"] == "met" or (run["status"] != "not_met" and several < SEVERAL):
            lane.append(run)
    return lanes


def _table_row(run: dict, as_of: date) -> dict:
    """The run as it was known on the day: that it ended later is not said."""
    ended = run["to_date"] and run["to_date"] <= as_of
    return {
        "date": run["from_date"].isoformat(),
        "until": run["to_date"].isoformat() if run["to_date"] else None,
        "what": lane_name(run["criterion"], run["item"]),
        "value": style.STATUS_WORDS[run["status"]].lower(),
        "unit": None,
        "remark": f"{run['title']}, {_until(run) if ended else f'still so on {style.day(as_of)}'}",
        "source": None,
    }


def _until(run: dict) -> str:
    return f"until {style.day(run['to_date'])}" if run["to_date"] else "to the end of the record"


def _piece(run: dict, span: tuple) -> dict:
    met = run["status"] == "met"
    item = f": {style.words(run['item'])}" if run["item"] else ""
    status = style.STATUS_WORDS[run["status"]].lower()
    hover = f"{run['title']}{item} · {status} from {style.day(run['from_date'])} {_until(run)}"
    return {
        "from_date": span[0], "to_date": span[1], "hover": style.as_label(hover), "opacity": 0.85 if met else 0.12,
        "colour": style.GROUP_COLOURS[run["group"]] if met else style.GREY, "hatch": "" if met else "/",
    }  # fmt: skip


def lane_name(criterion: str, item: str | None) -> str:
    """The criterion in few words, with its item where it judges several things."""
    return criterion_names.criterion(criterion) + (f": {criterion_names.item(item)}" if item else "")
