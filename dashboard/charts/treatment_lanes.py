"""How courses are drawn in lanes: bars on the lane's floor, as high as the dose; given filled, ordered outlined, missed as a cross.

A lane has one drug, or the drugs of a class. Drugs of one lane that overlap in time stand on tracks of their own within it.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from dashboard import style
from dashboard.charts import marks, treatment_bars, treatment_points
from dashboard.charts.labels import LANES, labels
from dashboard.charts.panel import Panel, View
from dashboard.charts.treatment_bars import CUT, course_pieces
from dashboard.charts.treatment_words import folded_label, lane_label, lane_name

LANE = 17  # pixels
TRACK = 0.72  # of a lane, each, where drugs of one lane overlap
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


def given_spans(courses: list[dict]) -> dict[str, Spans]:
    """By drug the stretches on which it was given in order, those that touch as one: first day, day after the last."""
    found: dict[str, Spans] = {}
    for row in sorted(courses, key=lambda row: row["from_date"]):
        if row["action"] != "given":
            continue
        spans = found.setdefault(row["drug"], [])
        start, end = row["from_date"], reach(row)
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return found


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
    highest, first = treatment_bars.highest(lane.courses), lane.drugs[0]
    bars: dict[str, list[dict]] = {drug: [] for drug in lane.tracks}
    doses: dict[str, list[dict]] = {drug: [] for drug in lane.tracks}
    missed: dict[str, list[dict]] = {drug: [] for drug in lane.tracks}
    middles = {drug: lane.middle(drug) for drug in lane.tracks}
    pitch, several = lane.pitch, len(lane.tracks) > 1
    named: dict[int, str] = {}  # by track the drug named last
    for course in treatment_bars.joined(lane.courses):
        drug = course["drug"]
        if course["action"] == "not_given":
            missed[drug] += treatment_points.crosses(course, middles[drug])
        elif course["dosing"] == "dose":
            doses[drug].append(treatment_points.dose_point(course, doses[drug], middles[drug]))
        else:
            before = named.get(lane.tracks[drug])
            name = lane_name(drug) if several and before != drug else ""
            bare = not name or (drug == first and before is None)  # else a dose would be read as another drug's
            pieces = course_pieces(course, colour, view, highest.get(drug), name, bare)
            if name and pieces and pieces[0]["text"].startswith(name[:CUT]):
                named[lane.tracks[drug]] = drug
            bars[drug] += [treatment_bars.standing(piece, middles[drug], pitch) for piece in pieces]
    for course in lane.courses:
        _mark(drawn, course, middles[course["drug"]], view)
    ends = _open_ends(lane, view)
    for drug in lane.tracks:
        _draw_drug(drawn, drug, colour, bars[drug], doses[drug], missed[drug], view)
        treatment_points.draw_ends(drawn, [end for end in ends if end["drug"] == drug], colour)
    told = [point for one in doses.values() for point in treatment_points.labelled(one, several, view)] + ends
    if told:
        told.sort(key=lambda point: point["x"])
        drawn.traces.append(labels(view, told, lambda y: -y * LANE, positions=LANES, size=9))


def _draw_drug(
    drawn: Panel, drug: str, colour: str, bars: list[dict], doses: list[dict], missed: list[dict], view: View
) -> None:
    name = lane_name(drug)
    if bars:
        bars.sort(key=lambda piece: piece["outlined"])  # an outline lies over what was given, and stays visible
        drawn.traces.append(treatment_bars.told_once(marks.interval(bars[0]["y"], bars, name)))
    if doses:
        drawn.traces += treatment_points.doses(doses, name, drug, colour, view)
    if missed:
        drawn.traces.append(marks.point(missed, f"{name}, not given", style.INK, "x-thin", size=8))


def _open_ends(lane: Lane, view: View) -> list[dict]:
    """Where it is not known whether a drug was stopped: no stop recorded, not ongoing, and no dose of the drug on the next day. Each is
    asked about in words where no bar of its track follows near."""
    unstopped = [course for course in lane.courses if course.get("unstopped")]
    if not unstopped:
        return []
    ends = {drug: {end for _, end in spans} for drug, spans in given_spans(lane.courses).items()}
    starts: dict[int, list[date]] = {}  # by track, in order
    for course in lane.courses:
        starts.setdefault(lane.tracks[course["drug"]], []).append(course["from_date"])
    found = []
    for course in unstopped:
        day, drug = course["to_date"], course["drug"]
        if day not in ends.get(drug, ()) or not view.start <= day <= view.end + timedelta(days=1):
            continue
        later = starts[lane.tracks[drug]]
        place = bisect_left(later, day)
        free = place == len(later) or marks.fits("> stop?", day, later[place], view)
        found.append(treatment_points.end(course, lane.middle(drug), "stop?" if free else ""))
    return found


def _mark(drawn: Panel, course: dict, middle: float, view: View) -> None:
    """What a chosen flag lights up: a frame about a course, a ring about a dose."""
    evidence = frozenset(course["evidence"])
    if course["dosing"] != "dose":
        drawn.intervals.append((evidence, middle, course["from_date"], course["to_date"]))
    elif view.start <= course["from_date"] <= view.end:
        drawn.points.append((evidence, course["from_date"].isoformat(), middle))
