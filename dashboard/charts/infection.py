"""Infection: prophylaxis and anti-infective drugs as lanes, infection episodes as intervals, microbiology as points, hollow where nothing
was found."""

from datetime import date, timedelta

from dashboard import style
from dashboard.charts import marks, microbiology, treatment
from dashboard.charts.labels import LANES, labels
from dashboard.charts.panel import Panel, View

PLACE = 90
TITLE = "Infection"


def rows(page: dict) -> list[dict]:
    """Courses of anti-infective drugs, then episodes and microbiology under the key `episode`."""
    courses = treatment.courses(page, lambda drug_class: drug_class in treatment.INFECTION_CLASSES)
    found = [
        row | {"drug_class": "episode", "drug": row["organism"] or row["site"] or "infection"}
        for row in page["infection_episode"]
    ]
    found += microbiology.rows_of(page)
    courses.sort(key=lambda row: (treatment.INFECTION_CLASSES.index(row["drug_class"]), row["drug"], row["from_date"]))
    return sorted(found, key=lambda row: (row["drug_class"], row["from_date"], row["drug"])) + courses


def panel(rows: list[dict], view: View) -> Panel:
    episodes = [row for row in rows if row["drug_class"] == "episode"]
    specimens = [row for row in rows if row["drug_class"] == "microbiology"]
    courses = [row for row in rows if row["drug_class"] not in ("episode", "microbiology")]
    lanes = (["infection episode"] if episodes else []) + (["microbiology"] if specimens else [])
    lanes[-1:-1] = [""] * (len(specimens) > 1)  # a free row over several specimens, for their names
    drawn = treatment.lanes_panel(
        Panel("infection", TITLE), courses, view, "no infection, culture or prophylaxis recorded", one_per_drug=True
    )
    drawn.table = [_told(row, view.as_of) for row in episodes + specimens] + [
        treatment.table_row(row) for row in courses
    ]
    if not lanes:
        return drawn
    drawn.empty = ""
    below = drawn.axis or {"range": [-0.45, -1.3], "tickvals": [], "ticktext": []}
    drawn.height = (drawn.height if drawn.axis else 26) + treatment.LANE * len(lanes)
    drawn.axis = {
        "type": "linear", "range": [below["range"][0], -1.3 - len(lanes)], "lanes": True,
        "tickvals": [*range(-len(lanes), 0), *below["tickvals"]], "ticktext": lanes + below["ticktext"],
    }  # fmt: skip
    if episodes:
        lane = -len(lanes)
        pieces = [piece for row in episodes for piece in _episode_pieces(row, view)]
        drawn.traces.append(marks.interval(lane, pieces, "infection episode"))
        ends = [{"x": piece["to_date"].isoformat(), "y": lane, "label": piece["name"]} for piece in pieces]
        drawn.traces.append(labels(view, ends, lambda y: -y * treatment.LANE, positions=LANES, size=10))
        drawn.points += [
            (frozenset(row["evidence"]), max(row["from_date"], view.start).isoformat(), lane) for row in episodes
        ]
    if specimens:
        points = [
            {"x": row["from_date"].isoformat(), "y": -1, "label": row["drug"], "hollow": not row["found"],
             "text": style.as_label("; ".join([*row["told"], style.day(row["from_date"])]))}
            for row in specimens
        ]  # fmt: skip
        drawn.traces.append(marks.point(points, "microbiology", style.BLUE, "cross", size=9))
        beside = (*LANES, "top right", "top left") if len(points) > 1 else LANES
        drawn.traces.append(labels(view, points, lambda y: -y * treatment.LANE, positions=beside, size=10))
        drawn.points += [(frozenset(row["evidence"]), row["from_date"].isoformat(), -1) for row in specimens]
    return drawn


def _name(row: dict) -> str:
    return " ".join(style.words(part) for part in (row["organism"], row["site"]) if part) or "infection"


def _told(row: dict, as_of: date) -> dict:
    """A row of the table twin: an episode with its days, or the specimens of a day."""
    if row["drug_class"] == "microbiology":
        remark = "; ".join(part for part in row["told"] if part)
        return {"date": row["from_date"].isoformat(), "what": "microbiology", "value": row["drug"], "unit": None,
                "remark": remark or None, "source": None}  # fmt: skip
    until = row["to_date"] or row["open_until"]
    ended = row["to_date"] and row["to_date"] <= as_of  # a later end was not known on the day
    remark = [
        f"until {style.day(row['to_date'] - timedelta(days=1))}"
        if ended
        else f"no end recorded up to {style.day(as_of)}",
        "end-organ disease" if row["end_organ"] else "",
    ]
    return {"date": row["from_date"].isoformat(), "until": until.isoformat() if until else None, "what": "infection episode",
            "value": _name(row), "unit": None, "remark": ", ".join(part for part in remark if part), "source": None}  # fmt: skip


def _episode_pieces(row: dict, view: View) -> list[dict]:
    """An episode with a recorded end is whole; with none it is hatched while the rules still count it as open."""
    name = _name(row)
    until = row["to_date"] or row["open_until"]
    span = marks.overlapping(row["from_date"], until, view)
    if not span:
        return []
    how = "" if row["to_date"] else ", no end recorded"
    hover = style.as_label(
        f"Infection: {name}, from {style.day(row['from_date'])}{how}"
        + (" · end-organ disease" if row["end_organ"] else "")
    )
    return [
        {
            "from_date": span[0],
            "to_date": span[1],
            "colour": style.ORANGE,
            "opacity": 0.8,
            "hatch": "" if row["to_date"] else "/",
            "hover": hover,
            "name": name,
        }
    ]
