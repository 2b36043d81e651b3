"""Treatment lanes, one a drug, ordered by class: given filled, ordered outlined, ongoing fading after its last confirmation.

Doses of pulse drugs and sessions of procedures are points, numbered in the order given.
"""

from datetime import date

from dashboard import style
from dashboard.charts import marks
from dashboard.charts.labels import LANES, labels
from dashboard.charts.panel import Panel, View
from pipelines import dictionary

PLACE = 80
TITLE = "Treatment"
CLASS_ORDER = (
    "glucocorticoid", "cni", "cyclophosphamide", "mycophenolate", "rituximab", "jak_inhibitor", "azathioprine", "methotrexate",
    "leflunomide", "tnf_inhibitor", "abatacept", "tocilizumab", "basiliximab", "daratumumab", "ivig", "antifibrotic", "antimalarial",
)  # fmt: skip
INFECTION_CLASSES = ("pjp_prophylaxis", "antibacterial", "antiviral", "antifungal")
LANE = 17
LONGEST = 34  # letters of a lane's name in the left margin


def rows(page: dict) -> list[dict]:
    """Courses of treatment drugs and sessions of procedures, as lanes of intervals and points."""
    courses = [row for row in page["treatment_course"] if row["drug_class"] not in INFECTION_CLASSES and not row["gap"]]
    sessions = [
        {"drug": row["code"], "drug_class": "procedure", "action": "given", "dosing": "dose", "from_date": row["on_date"],
         "to_date": None, "dose_per_day": None, "dose_unread": False, "dose_unit": None, "route": None, "last_confirmed": None,
         "systemic": True, "evidence": [row["record_id"]], "notes": [], "text": row["text"]}
        for row in page["event"]
        if row["kind"] == "procedure" and row["value"] != "absent"
    ]  # fmt: skip
    return sorted(courses + sessions, key=lambda row: (_rank(row["drug_class"]), row["drug"], row["from_date"]))


def panel(rows: list[dict], view: View) -> Panel:
    return lanes_panel(Panel("treatment", TITLE), rows, view, "no treatment recorded")


def lanes_panel(drawn: Panel, rows: list[dict], view: View, nothing: str) -> Panel:
    """A lane per drug, in the order the rows come."""
    lanes = list(dict.fromkeys((row["drug_class"], row["drug"]) for row in rows))
    if not lanes:
        drawn.empty, drawn.height = nothing, 24
        return drawn
    drawn.height = LANE * len(lanes) + 26
    drawn.axis = {
        "type": "linear", "range": [len(lanes) - 0.45, -1.3], "lanes": True,
        "tickvals": list(range(len(lanes))), "ticktext": [lane_label(*lane) for lane in lanes],
    }  # fmt: skip
    for lane, key in enumerate(lanes):
        courses = [row for row in rows if (row["drug_class"], row["drug"]) == key]
        _draw_lane(drawn, lane, courses, view)
    return drawn


def _draw_lane(drawn: Panel, lane: int, courses: list[dict], view: View) -> None:
    colour = style.CLASS_COLOURS.get(courses[0]["drug_class"], style.GREY)
    pieces, points, given = [], [], 0
    for course in courses:
        if course["dosing"] == "dose":
            given += course["action"] == "given"
            text = str(given) if course["action"] == "given" else ""
            points.append(
                {
                    "x": course["from_date"].isoformat(),
                    "y": lane,
                    "text": hover(course),
                    "hollow": course["action"] != "given",
                    "number": text,
                }
            )
        else:
            pieces += course_pieces(course, colour, view)
        drawn.points.append((frozenset(course["evidence"]), max(course["from_date"], view.start).isoformat(), lane))
    if pieces:
        drawn.traces.append(marks.interval(lane, pieces, lane_name(courses[0]["drug"])))
    points.sort(key=lambda point: not point["hollow"])  # what was given stands before what was ordered for the day
    if points:
        drawn.traces.append(marks.point(points, lane_name(courses[0]["drug"]), colour, "diamond", size=11))
        points.sort(key=lambda point: point["x"])
        numbers = [point | {"label": point["number"]} for point in points if len(points) > 1]
        drawn.traces.append(labels(view, numbers, lambda y: -y * LANE, positions=LANES, size=9))


def course_pieces(course: dict, colour: str, view: View) -> list[dict]:
    """The bars of one course inside the window; the dose stands in the first where it fits."""
    drawn = []
    for start, end, opacity in marks.ongoing(course["from_date"], course["to_date"], course["last_confirmed"]):
        span = marks.overlapping(start, end, view)
        if span:
            drawn.append(
                {"from_date": span[0], "to_date": span[1], "colour": colour, "opacity": 0.75 * opacity,
                 "outlined": course["action"] == "ordered", "hover": hover(course)}
            )  # fmt: skip
    if drawn and course["dose_per_day"] is not None:
        text = style.number(course["dose_per_day"]) + ("+?" if course["dose_unread"] else "")
        with_unit = f"{text} {course['dose_unit'] or ''}".strip()
        reach = drawn[-1]["to_date"] if course["to_date"] is None else drawn[0]["to_date"]
        drawn[0]["text"] = next(
            (shown for shown in (with_unit, text) if marks.fits(shown, drawn[0]["from_date"], reach, view)), ""
        )
    return drawn


def lane_name(drug: str) -> str:
    """The dictionary's title of a drug or procedure, else its id as words."""
    return dictionary.drugs().get(drug, {}).get("title") or style.words(drug)


def lane_label(drug_class: str, drug: str) -> str:
    """The class in grey, then the drug, as a Plotly label."""
    short = {
        "cni": "CNI",
        "jak_inhibitor": "JAK inhibitor",
        "tnf_inhibitor": "TNF inhibitor",
        "pjp_prophylaxis": "PJP prophylaxis",
    }
    name = style.as_label(lane_name(drug))
    class_name = short.get(drug_class, style.words(drug_class))
    if drug_class == drug or len(class_name) + len(name) > LONGEST:
        return name
    return f"<span style='color:{style.GREY}'>{style.as_label(class_name)}</span> {name}"


def hover(course: dict) -> str:
    """Drug, dose, route, days and what is assumed."""
    dose = (
        "dose unknown"
        if course["dose_per_day"] is None
        else f"{style.number(course['dose_per_day'])} {course['dose_unit'] or ''}".strip()
    )
    if course["dosing"] != "dose" and course["dose_per_day"] is not None:
        dose += "/day"
    if course["dose_unread"] and course["dose_per_day"] is not None:
        dose = f"at least {dose}, a further dose could not be read"
    parts = [
        f"{lane_name(course['drug'])}",
        "" if course["drug_class"] == "procedure" else dose,
        course["route"] or "",
        "ordered, not given" if course["action"] == "ordered" else "",
    ]
    if course["dosing"] == "dose":
        parts.append(style.day(course["from_date"]))
    else:
        parts.append(f"from {style.day(course['from_date'])}")
        parts.append(_ending(course["to_date"], course["last_confirmed"]))
    parts += list(course["notes"])
    return style.as_label(" · ".join(part for part in parts if part))


def _ending(to_date: date | None, last_confirmed: date | None) -> str:
    if to_date is not None:
        return f"until {style.day(date.fromordinal(to_date.toordinal() - 1))}"
    return "no stop recorded" + (f", last confirmed {style.day(last_confirmed)}" if last_confirmed else "")


def _rank(drug_class: str) -> int:
    return CLASS_ORDER.index(drug_class) if drug_class in CLASS_ORDER else len(CLASS_ORDER)
