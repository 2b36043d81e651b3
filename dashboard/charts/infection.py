"""Infection: prophylaxis and anti-infective drugs as lanes, infection episodes as intervals, microbiology as points."""

from dashboard import style
from dashboard.charts import marks, treatment
from dashboard.charts.panel import Panel, View

PLACE = 90
TITLE = "Infection"


def rows(page: dict) -> list[dict]:
    """Courses of anti-infective drugs, then episodes and microbiology under the key `episode`."""
    courses = [
        row for row in page["treatment_course"] if row["drug_class"] in treatment.INFECTION_CLASSES and not row["gap"]
    ]
    found = [
        row | {"drug_class": "episode", "drug": row["organism"] or row["site"] or "infection"}
        for row in page["infection_episode"]
    ] + [
        row | {"drug_class": "microbiology", "drug": "microbiology", "from_date": row["on_date"]}
        for row in page["event"]
        if row["kind"] == "microbiology" and row["code"] in ("organism", "result")
    ]
    courses.sort(key=lambda row: (treatment.INFECTION_CLASSES.index(row["drug_class"]), row["drug"], row["from_date"]))
    return sorted(found, key=lambda row: (row["drug_class"], row["from_date"], row["drug"])) + courses


def panel(rows: list[dict], view: View) -> Panel:
    episodes = [row for row in rows if row["drug_class"] == "episode"]
    cultures = [row for row in rows if row["drug_class"] == "microbiology"]
    courses = [row for row in rows if row["drug_class"] not in ("episode", "microbiology")]
    lanes = (["infection episode"] if episodes else []) + (["microbiology"] if cultures else [])
    drawn = treatment.lanes_panel(
        Panel("infection", TITLE), courses, view, "no infection, culture or prophylaxis recorded"
    )
    if not lanes:
        return drawn
    drawn.empty = ""
    drugs = list(dict.fromkeys((row["drug_class"], row["drug"]) for row in courses))
    below = len(drugs)
    drawn.height = treatment.LANE * (below + len(lanes)) + 26
    names = [treatment.lane_label(*drug) for drug in drugs]
    drawn.axis = {
        "type": "linear", "range": [below - 0.45, -1.3 - len(lanes)], "lanes": True,
        "tickvals": [lane - len(lanes) for lane in range(below + len(lanes))], "ticktext": lanes + names,
    }  # fmt: skip
    if episodes:
        lane = -len(lanes)
        pieces = [piece for row in episodes for piece in _episode_pieces(row, view)]
        drawn.traces.append(marks.interval(lane, pieces, "infection episode"))
        drawn.points += [
            (frozenset(row["evidence"]), max(row["from_date"], view.start).isoformat(), lane) for row in episodes
        ]
    if cultures:
        points = [
            {"x": row["on_date"].isoformat(), "y": -1, "label": row["value"] or row["text"] or "",
             "text": style.as_label(f"{row['code']}: {row['value'] or row['text'] or ''} · {style.day(row['on_date'])}")}
            for row in cultures
        ]  # fmt: skip
        drawn.traces.append(marks.point(points, "microbiology", style.BLUE, "cross", size=9))
        drawn.traces.append(marks.labels(view, points, lambda y: -y * treatment.LANE, size=10))
        drawn.points += [(frozenset([row["record_id"]]), row["on_date"].isoformat(), -1) for row in cultures]
    return drawn


def _episode_pieces(row: dict, view: View) -> list[dict]:
    """An episode with a recorded end is whole; with none it is hatched while the rules still count it as open."""
    name = " ".join(style.words(part) for part in (row["organism"], row["site"]) if part) or "infection"
    until = row["to_date"] or row["open_until"]
    span = marks.overlapping(row["from_date"], until, view)
    if not span:
        return []
    how = "" if row["to_date"] else ", no end recorded"
    hover = style.as_label(
        f"Infection: {name}, from {style.day(row['from_date'])}{how}"
        + (" · end-organ disease" if row["end_organ"] else "")
    )
    text = name if marks.fits(name, *span, view) else ""
    return [
        {
            "from_date": span[0],
            "to_date": span[1],
            "colour": style.ORANGE,
            "opacity": 0.8,
            "hatch": "" if row["to_date"] else "/",
            "hover": hover,
            "text": text,
        }
    ]
