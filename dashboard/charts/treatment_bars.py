"""Courses as bars on the floor of a lane, as high as the dose; days recorded one by one are joined where nothing differs."""

from collections.abc import Iterable
from datetime import timedelta

from dashboard import style
from dashboard.charts import marks
from dashboard.charts.panel import View
from dashboard.charts.treatment_words import hover

BAR = 0.74  # of a track: a bar of the highest dose
LEAST = 0.22  # of a bar: the smallest dose is still seen
PULSE = 1.25  # of a bar: higher than any daily dose
CUT = 7  # letters of a drug's name that stand for it in a short bar
UNKNOWN = "."  # dotted, not hatched: hatching says that no end is recorded
SEPARATOR, LINE = " · ", " line "  # in a hover box: between its parts, before a line of a file
DAY = timedelta(days=1)
SAME = ("drug", "action", "route", "dose_per_day", "dose_unread", "dose_unit", "pulse", "notes")
TOLD = ("unstopped", "no_stop", "not_seen_given")


def joined(courses: Iterable[dict]) -> list[dict]:
    """Courses in order of time; those of one day that follow each other and differ in nothing drawn or said are one, with their number as
    `days` and the sources counted."""
    runs: list[list[dict]] = []
    latest: dict[str, list[dict]] = {}
    for course in courses:
        if course["dosing"] == "dose" or course["to_date"] != course["from_date"] + DAY:
            runs.append([course])
            continue
        run = latest.get(course["drug"])
        if run and run[-1]["to_date"] == course["from_date"] and _alike(run[-1], course):
            run.append(course)
        else:
            run = latest[course["drug"]] = [course]
            runs.append(run)
    return [run[0] if len(run) == 1 else _one(run) for run in runs]


def _alike(one: dict, other: dict) -> bool:
    return all(one[key] == other[key] for key in SAME) and all(one.get(key) == other.get(key) for key in TOLD)


def _one(run: list[dict]) -> dict:
    first = run[0].get("source") or ""
    source = first if " and " in first else f"{first} and {len(run) - 1} more" if first else ""
    return run[0] | {"to_date": run[-1]["to_date"], "days": len(run), "source": source}


def highest(courses: list[dict]) -> dict[str, float]:
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
    if course["to_date"] is not None:  # the most by far
        parts = [(course["from_date"], course["to_date"], 1.0)]
    else:
        parts = marks.ongoing(course["from_date"], None, course["last_confirmed"])
    spans = [(span, opacity) for start, end, opacity in parts if (span := marks.overlapping(start, end, view))]
    if not spans:
        return []
    unread = course["dose_per_day"] is None
    share = 1.0
    if course.get("pulse"):
        share = PULSE
    elif highest and not unread:
        share = max(LEAST, min(1.0, course["dose_per_day"] / highest))
    alike = {
        "colour": colour, "share": share, "outlined": course["action"] == "ordered", "outline": style.INK, "hover": hover(course),
        "hatch": UNKNOWN if course["dose_unread"] or unread else "", "text": "",
    }  # fmt: skip
    drawn = [alike | {"from_date": start, "to_date": end, "opacity": 0.75 * opacity} for (start, end), opacity in spans]
    room = drawn[0]["from_date"], (drawn[-1] if course["to_date"] is None else drawn[0])["to_date"]
    if marks.fits("?", *room, view):
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


def standing(piece: dict, middle: float, pitch: float) -> dict:
    """A bar on the floor of its track. The axis runs downward."""
    height = BAR * pitch
    piece["y"], piece["width"] = round(middle + height / 2 - piece["share"] * height / 2, 4), piece["share"] * height
    return piece


def told_once(bars: dict) -> dict:
    """Many bars of a drug: what all their hover boxes share is sent once, as the template, and of their sources the line alone each."""
    texts = bars["hovertext"]
    if len(texts) <= marks.MANY:
        return bars
    parts = [text.split(SEPARATOR) for text in texts]
    shared = set(parts[0]).intersection(*parts[1:])
    files = {one[-1].rpartition(LINE)[0] for one in parts}
    file = files.pop() if len(files) == 1 else ""
    if "%" in file or any("%" in part for part in shared):  # text of data, which the template would read as its own
        return bars
    common = [part for part in parts[0] if part in shared and not (file and part == parts[0][-1])]
    own = slice(None, -1 if file else None)
    told = [SEPARATOR.join(part for part in one[own] if part not in shared) for one in parts]
    source = {"customdata": [one[-1].rpartition(LINE)[2] for one in parts]} if file else {}
    template = [*common, "%{hovertext}", *([f"{file}{LINE}%{{customdata}}"] if file else [])]
    return bars | {"hovertext": told, **source, "hovertemplate": SEPARATOR.join(template) + "<extra></extra>"}
