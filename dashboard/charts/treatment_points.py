"""Marks of a lane that have no length: doses of pulse drugs and sessions of procedures, doses not given, ends that nobody recorded."""

from datetime import date, timedelta

from dashboard import style
from dashboard.charts import marks
from dashboard.charts.panel import Panel, View
from dashboard.charts.treatment_words import hover, lane_name, missed_hover

DOSE, ORDER = 11, 16  # pixels of a diamond: one that was ordered goes round one that was given
SMALL = 6  # pixels of a mark under a bracket, where a larger one would hide the next
SYMBOLS = {
    "plasma_exchange": "hourglass",
    "polymyxin_hemoperfusion": "bowtie",
    "bronchoscopy": "square",
    "ecmo": "star-square",
}
OTHER = "pentagon"  # a procedure that is none of these
NEAR = 22  # pixels: nearer marks leave no room for their numbers
RUN = 3  # marks so near to each other stand under one bracket
RISE = 0.46  # of a lane: how far a bracket stands above the middle


def dose_point(course: dict, before: list[dict], middle: float) -> dict:
    """A dose or session as a point, numbered among those given."""
    given = course["action"] == "given"
    count = (before[-1]["count"] if before else 0) + given
    order = {} if given else {"symbol": "diamond-open", "size": ORDER, "colour": style.INK}
    return {
        "x": course["from_date"].isoformat(),
        "y": middle,
        "text": hover(course),
        "count": count,
        "number": str(count) if given else "",
        "name": lane_name(course["drug"]),
        "word": "sessions" if course["drug_class"] == "procedure" else "doses",
        **order,
    }


def doses(points: list[dict], name: str, drug: str, colour: str, view: View) -> list[dict]:
    """The points of one drug or procedure, each kind of procedure with a symbol of its own, and brackets over those that touch."""
    procedure = points[0]["word"] == "sessions"
    symbol = SYMBOLS.get(drug, OTHER) if procedure else "diamond"
    points.sort(key=lambda point: bool(point["number"]))  # what was given stands before what was ordered for the day
    found = runs(points, view)
    for point in (point for run in found for point in run):
        point["size"] = SMALL
    drawn = [marks.point(points, name, colour, symbol, size=DOSE)]
    if found:
        xs, ys = [], []
        for run in found:
            first, last, top = run[0]["x"], run[-1]["x"], run[0]["y"] - RISE
            xs += [first, first, last, last, None]
            ys += [top + 0.1, top, top, top + 0.1, None]
        line = {"color": style.INK, "width": 1.2}
        drawn.append(
            {"type": "scatter", "mode": "lines", "name": "bracket", "x": xs, "y": ys, "line": line, "hoverinfo": "skip"}
        )
    return drawn


def runs(points: list[dict], view: View) -> list[list[dict]]:
    """Those given in order of time, RUN or more of them so near to each other that their numbers do not fit between; none across the
    as-of line."""
    found: list[list[dict]] = []
    after = view.after.isoformat()
    for point in sorted((point for point in points if point["number"]), key=lambda point: point["x"]):
        before = found[-1][-1]["x"] if found else ""
        near = before and view.pixel(point["x"]) - view.pixel(before) < NEAR
        if near and (before < after) == (point["x"] < after):
            found[-1].append(point)
        else:
            found.append([point])
    return [run for run in found if len(run) >= RUN]


def labelled(points: list[dict], named: bool, view: View) -> list[dict]:
    """The numbers of a drug's doses, of a run how many and when; where the lane has several drugs, the first with the drug's name."""
    under = {id(point): run for run in runs(points, view) for point in run}
    told = []
    for point in sorted(points, key=lambda point: point["x"]):
        run = under.get(id(point))
        if run is None:
            told.append(point | {"label": point["number"]})
        else:
            told.append(point | (_counted(run) if point is run[-1] else {"label": ""}))
    first = next((point for point in told if point["label"]), None)
    if named and first:
        short = first.get("short", "")
        first["label"] = f"{first['name']} {first['label']}"
        first["short"] = f"{first['name']} {short}".strip()
    elif named and told:
        told[0] |= {"label": told[0]["name"]}
    return told if named or len(told) > 1 else []


def _counted(run: list[dict]) -> dict:
    """'6 sessions 17 to 29 Oct'."""
    first, last = date.fromisoformat(run[0]["x"]), date.fromisoformat(run[-1]["x"])
    how_many = f"{len(run)} {run[0]['word']}"
    start = f"{first.day}" if (first.year, first.month) == (last.year, last.month) else style.day(first, year=False)
    days = style.day(last, year=False) if first == last else f"{start} to {style.day(last, year=False)}"
    return {"label": f"{how_many} {days}", "short": how_many, "weighty": True}


def crosses(row: dict, middle: float) -> list[dict]:
    """The first and the last day on which a dose was recorded as not given."""
    last = row["to_date"] - timedelta(days=1) if row["to_date"] else row["from_date"]
    return [
        {"x": day.isoformat(), "y": middle, "text": missed_hover(row)}
        for day in dict.fromkeys((row["from_date"], last))
    ]


def end(course: dict, middle: float, label: str) -> dict:
    """The end of a course of which no stop is recorded and which is not ongoing."""
    return {
        "x": course["to_date"].isoformat(),
        "y": middle,
        "label": label,
        "drug": course["drug"],
        "text": style.as_label(f"{lane_name(course['drug'])} · no stop recorded and not ongoing · {course['source']}"),
    }


def draw_ends(drawn: Panel, ends: list[dict], colour: str) -> None:
    """Open triangles that point to where the drug may have gone on."""
    if ends:
        name = f"{lane_name(ends[0]['drug'])}, stop not recorded"
        drawn.traces.append(marks.point(ends, name, colour, "triangle-right-open", size=9))
