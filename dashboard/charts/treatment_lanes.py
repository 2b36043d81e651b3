"""How courses are drawn in lanes: bars on the lane's floor, as high as the dose; given filled, ordered outlined, missed as a cross.

A lane has one drug, or the drugs of a class. Drugs of one lane that overlap in time stand on tracks of their own within it.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from dashboard import style
from dashboard.charts import marks
from dashboard.charts.labels import LANES, labels
from dashboard.charts.panel import Panel, View
from dashboard.charts.treatment_words import folded_label, hover, lane_label, lane_name, missed_hover

LANE = 17  # pixels
TRACK = 0.72  # of a lane, each, where drugs of one lane overlap
BAR = 0.74  # of a track: a bar of the highest dose
LEAST = 0.22  # of a bar: the smallest dose is still seen
PULSE = 1.25  # of a bar: higher than any daily dose
DOSE, ORDER = 11, 16  # pixels of a diamond: one that was ordered goes round one that was given
CUT = 7  # letters of a drug's name that stand for it in a short bar
Spans = list[tuple[date, date]]


@dataclass(frozen=True)
class Lane:
    """The courses of one lane, the track of each of its drugs, and where it begins on the axis, in lanes from the top."""

    courses: list[dict]
    tracks: dict[str, int]
    top: float

    @property
    def pitch(self) -> float:
        return 1.0 if len(set(self.tracks.values())) == 1 else TRACK

    @property
    def foot(self) -> float:
        return self.top + self.pitch * len(set(self.tracks.values()))

    @property
    def label(self) -> str:
        drug_class, drugs = self.courses[0]["drug_class"], self.drugs
        return lane_label(drug_class, drugs[0]) if len(drugs) == 1 else folded_label(drug_class, drugs)

    @property
    def drugs(self) -> list[str]:
        """The drugs as the label names them: that with the most courses first."""
        often = Counter(course["drug"] for course in self.courses)
        return sorted(self.tracks, key=lambda drug: -often[drug])

    def middle(self, drug: str) -> float:
        return self.top + (self.tracks[drug] + 0.5) * self.pitch


def lanes_panel(drawn: Panel, rows: list[dict], view: View, nothing: str, one_per_drug: bool = False) -> Panel:
    """A lane per class of drugs, in the order the rows come; per drug in the classes that are `view.opened`, or in all."""
    lanes = lanes_of(rows, view, one_per_drug)
    if not lanes:
        drawn.empty, drawn.height = nothing, 24
        return drawn
    foot = lanes[-1].foot
    drawn.height = round(LANE * (foot + 0.5)) + 26
    drawn.axis = {
        "type": "linear", "range": [foot + 0.05, -1.3], "lanes": True,
        "tickvals": [(lane.top + lane.foot) / 2 for lane in lanes], "ticktext": [lane.label for lane in lanes],
    }  # fmt: skip
    for lane in lanes:
        _draw_lane(drawn, lane, view)
    return drawn


def lanes_of(rows: list[dict], view: View, one_per_drug: bool = False) -> list[Lane]:
    """The lanes of rows. Procedures are no class: each has a lane of its own."""
    grouped: dict[tuple, list[dict]] = {}
    for row in rows:
        apart = one_per_drug or row["drug_class"] == "procedure" or row["drug_class"] in view.opened
        grouped.setdefault((row["drug_class"], row["drug"] if apart else None), []).append(row)
    lanes, top = [], -0.5
    for courses in grouped.values():
        courses = sorted(courses, key=lambda row: row["from_date"])
        lanes.append(Lane(courses, _tracks(courses), top))
        top = lanes[-1].foot
    return lanes


def _tracks(courses: list[dict]) -> dict[str, int]:
    """By drug, in order of its first day, the first track on which no drug overlaps it."""
    spans: dict[str, Spans] = {}
    for course in courses:
        spans.setdefault(course["drug"], []).append((course["from_date"], reach(course)))
    taken: list[Spans] = []
    found = {}
    for drug, own in spans.items():
        free = (number for number, others in enumerate(taken) if not overlap(own, others))
        found[drug] = next(free, len(taken))
        if found[drug] == len(taken):
            taken.append([])
        taken[found[drug]] = sorted(taken[found[drug]] + own)
    return found


def reach(course: dict) -> date:
    """The day after the last on which a course is drawn."""
    if course["dosing"] == "dose" or course["action"] == "not_given":
        return course["from_date"] + timedelta(days=1)
    return course["to_date"] or date.max


def overlap(own: Spans, others: Spans) -> bool:
    """Whether any of some days are any of others, both in order: one walk through each."""
    place, reached = 0, date.min
    for start, end in own:
        while place < len(others) and others[place][0] < end:
            reached = max(reached, others[place][1])
            place += 1
        if reached > start:
            return True
    return False


def _draw_lane(drawn: Panel, lane: Lane, view: View) -> None:
    colour = style.CLASS_COLOURS.get(lane.courses[0]["drug_class"], style.GREY)
    highest, first = _highest(lane.courses), lane.drugs[0]
    bars: dict[str, list[dict]] = {drug: [] for drug in lane.tracks}
    points: dict[str, list[dict]] = {drug: [] for drug in lane.tracks}
    missed: dict[str, list[dict]] = {drug: [] for drug in lane.tracks}
    named: dict[int, str] = {}  # by track the drug named last
    for course in lane.courses:
        drug = course["drug"]
        if course["action"] == "not_given":
            missed[drug] += _crosses(course, lane.middle(drug))
        elif course["dosing"] == "dose":
            points[drug].append(_dose_point(course, points[drug], lane.middle(drug)))
        else:
            before = named.get(lane.tracks[drug])
            name = lane_name(drug) if len(lane.tracks) > 1 and before != drug else ""
            bare = not name or (drug == first and before is None)  # else a dose would be read as another drug's
            pieces = course_pieces(course, colour, view, highest.get(drug), name, bare)
            if name and pieces and pieces[0]["text"].startswith(name[:CUT]):
                named[lane.tracks[drug]] = drug
            bars[drug] += [_standing(piece, lane.middle(drug), lane.pitch) for piece in pieces]
        _mark(drawn, course, lane.middle(drug), view)
    for drug in lane.tracks:
        _draw_drug(drawn, drug, colour, bars[drug], points[drug], missed[drug], lane.middle(drug))
    told = [point for one in points.values() for point in _labelled(one, len(lane.tracks) > 1)]
    if told:
        told.sort(key=lambda point: point["x"])
        drawn.traces.append(labels(view, told, lambda y: -y * LANE, positions=LANES, size=9))


def _draw_drug(
    drawn: Panel, drug: str, colour: str, bars: list[dict], points: list[dict], missed: list[dict], middle: float
) -> None:
    name = lane_name(drug)
    if bars:
        bars.sort(key=lambda piece: piece["outlined"])  # an outline lies over what was given, and stays visible
        drawn.traces.append(marks.interval(middle, bars, name))
    if points:
        points.sort(key=lambda point: "size" not in point)  # what was given stands before what was ordered for the day
        drawn.traces.append(marks.point(points, name, colour, "diamond", size=DOSE))
    if missed:
        drawn.traces.append(marks.point(missed, f"{name}, not given", style.INK, "x-thin", size=8))


def _highest(courses: list[dict]) -> dict[str, float]:
    """By drug the highest daily dose of the record. A pulse stands above them and is no measure: a taper after it would be flat."""
    found: dict[str, float] = {}
    for course in courses:
        if course["dosing"] != "dose" and not course["pulse"] and course["dose_per_day"]:
            found[course["drug"]] = max(found.get(course["drug"], 0), course["dose_per_day"])
    return found


def course_pieces(
    course: dict, colour: str, view: View, highest: float | None = None, name: str = "", bare: bool = True
) -> list[dict]:
    """The bars of one course inside the window, each with its share of the `highest` dose as `share`; the first has as `text` the name,
    where one is to be said, and the dose as far as they fit, the dose without the name only where it may stand `bare`."""
    said, unread = hover(course), course["dose_per_day"] is None
    share = 1.0
    if course.get("pulse"):
        share = PULSE
    elif highest and not unread:
        share = max(LEAST, min(1.0, course["dose_per_day"] / highest))
    drawn = []
    for start, end, opacity in marks.ongoing(course["from_date"], course["to_date"], course["last_confirmed"]):
        span = marks.overlapping(start, end, view)
        if span:
            drawn.append(
                {"from_date": span[0], "to_date": span[1], "colour": colour, "opacity": 0.75 * opacity, "share": share,
                 "outlined": course["action"] == "ordered", "outline": style.INK, "hover": said,
                 "hatch": "/" if course["dose_unread"] or unread else ""}
            )  # fmt: skip
    if drawn:
        room = drawn[0]["from_date"], (drawn[-1] if course["to_date"] is None else drawn[0])["to_date"]
        drawn[0]["text"] = next((text for text in _texts(course, name, bare) if marks.fits(text, *room, view)), "")
    return drawn


def _texts(course: dict, name: str, bare: bool) -> list[str]:
    """What may stand in a bar, the best first."""
    doses = ["?"]
    if course["dose_per_day"] is not None:
        number = style.number(course["dose_per_day"]) + ("+?" if course["dose_unread"] else "")
        doses = [f"{number} {style.unit(course['dose_unit'])}".strip(), number]
    if not name:
        return doses
    cut = f"{name[:CUT]}…" if len(name) > CUT + 2 else name
    named = [f"{shown} {dose}" for shown in (name, cut) for dose in doses]
    return [*named, *doses] if bare else [*named, name, cut]


def _standing(piece: dict, middle: float, pitch: float) -> dict:
    """A bar on the floor of its track. The axis runs downward."""
    height = BAR * pitch
    return piece | {"y": middle + height / 2 - piece["share"] * height / 2, "width": piece["share"] * height}


def _dose_point(course: dict, before: list[dict], middle: float) -> dict:
    """A dose or session as a point, numbered among those given."""
    given = course["action"] == "given"
    count = (before[-1]["count"] if before else 0) + given
    order = {} if given else {"symbol": "diamond-open", "size": ORDER}
    return {
        "x": course["from_date"].isoformat(),
        "y": middle,
        "text": hover(course),
        "count": count,
        "number": str(count) if given else "",
        "name": lane_name(course["drug"]),
        **order,
    }


def _crosses(row: dict, middle: float) -> list[dict]:
    """The first and the last day on which a dose was recorded as not given."""
    last = row["to_date"] - timedelta(days=1) if row["to_date"] else row["from_date"]
    return [
        {"x": day.isoformat(), "y": middle, "text": missed_hover(row)}
        for day in dict.fromkeys((row["from_date"], last))
    ]


def _labelled(points: list[dict], named: bool) -> list[dict]:
    """The numbers of a drug's doses; where the lane has several drugs, the first with the drug's name."""
    told = [point | {"label": point["number"]} for point in sorted(points, key=lambda point: point["x"])]
    if named:
        told[:1] = [
            point | {"label": f"{point['name']} {point['number']}".strip(), "short": point["name"]}
            for point in told[:1]
        ]
    return told if named or len(told) > 1 else []


def _mark(drawn: Panel, course: dict, middle: float, view: View) -> None:
    """What a chosen flag lights up: a frame about a course, a ring about a dose."""
    evidence = frozenset(course["evidence"])
    if course["dosing"] != "dose":
        drawn.intervals.append((evidence, middle, course["from_date"], course["to_date"]))
    elif view.start <= course["from_date"] <= view.end:
        drawn.points.append((evidence, course["from_date"].isoformat(), middle))
