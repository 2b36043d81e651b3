"""What treatment lanes are called, and what hover box and table say of a course."""

from datetime import date, timedelta
from functools import lru_cache

from dashboard import style
from pipelines import dictionary

LONGEST = 34  # letters of a lane's name in the left margin
SHORT = {
    "cni": "CNI",
    "jak_inhibitor": "JAK inhibitor",
    "tnf_inhibitor": "TNF inhibitor",
    "pjp_prophylaxis": "PJP prophylaxis",
    "ivig": "IVIG",
}
DAY = timedelta(days=1)
FOLDED = {"glucocorticoid": "GC"}  # before the names of its drugs, which are long


def lane_name(drug: str) -> str:
    """The dictionary's title of a drug or procedure, else its id as words."""
    return dictionary.drugs().get(drug, {}).get("title") or style.words(drug)


def class_name(drug_class: str) -> str:
    return SHORT.get(drug_class, style.words(drug_class))


def class_title(drug_class: str) -> str:
    """The class as the first word of a line: 'Glucocorticoid', 'CNI'."""
    name = class_name(drug_class)
    return name[:1].upper() + name[1:]


def lane_label(drug_class: str, drug: str) -> str:
    """The class in grey, then the drug, as a Plotly label."""
    name = style.as_label(lane_name(drug))
    if drug_class == drug or len(class_name(drug_class)) + len(name) > LONGEST:
        return name
    return f"{_grey(class_name(drug_class))} {name}"


def folded_label(drug_class: str, drugs: list[str]) -> str:
    """The class and the drugs folded into its lane, as many as fit: 'CNI: tacrolimus, ciclosporin', else how many more."""
    title, names = FOLDED.get(drug_class) or class_title(drug_class), [_within(lane_name(drug)) for drug in drugs]
    for told in range(len(names), 0, -1):
        more = f", +{len(names) - told}" if told < len(names) else ""
        said = ", ".join(names[:told]) + more
        if len(title) + 2 + len(said) <= LONGEST:
            return f"{_grey(title + ':')} {style.as_label(said)}"
    return f"{_grey(title + ':')} {len(names)} drugs"


def _within(name: str) -> str:
    """A name inside a line: 'tacrolimus', but 'IVIG'."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _grey(text: str) -> str:
    return f"<span style='color:{style.GREY}'>{style.as_label(text)}</span>"


def dose(course: dict) -> str:
    """'3 mg/day', 'at least 19.5 mg/day, a further dose could not be read', 'dose unknown'; '' of a procedure."""
    if course["drug_class"] == "procedure":
        return ""
    if course["dose_per_day"] is None:
        return "dose unknown"
    said = _amount(course["dose_per_day"], course["dose_unit"]) + ("" if course["dosing"] == "dose" else "/day")
    return f"at least {said}, a further dose could not be read" if course["dose_unread"] else said


@lru_cache(maxsize=4096)
def _amount(dose_per_day: float, unit: str | None) -> str:
    return f"{style.number(dose_per_day)} {style.unit(unit)}".strip()


def hover(course: dict) -> str:
    """Drug, dose, route, days, what is assumed and the source."""
    single = course["dosing"] == "dose"
    since = "" if single or _one_day(course) else "from "
    parts = [
        lane_name(course["drug"]), dose(course), course["route"], _action(course), since + style.day(course["from_date"]),
        "" if single else ending(course), *course["notes"], course.get("source"),
    ]  # fmt: skip
    return style.as_label(" · ".join(part for part in parts if part))


def missed_hover(row: dict) -> str:
    """A dose recorded as not given: drug, days and source. Its dose was none."""
    days = style.day(row["from_date"])
    if row["to_date"] is not None and not _one_day(row):
        days = f"{days} to {_last_day(row['to_date'])}"
    parts = [lane_name(row["drug"]), "not given", days, *row["notes"], row["source"]]
    return style.as_label(" · ".join(part for part in parts if part))


def ending(course: dict) -> str:
    """How a course ends. Ongoing, ended by a later record, and not ongoing with no stop on record are three things."""
    if course.get("days"):
        unstopped = ", no stop recorded and not ongoing" if course.get("unstopped") else ""
        return f"until {_last_day(course['to_date'])}, {course['days']} days recorded one by one{unstopped}"
    if course.get("unstopped"):
        return "no stop recorded and not ongoing: one day is known"
    if course["to_date"] is None:
        confirmed = course["last_confirmed"]
        return "ongoing, no stop recorded, " + (
            f"last confirmed {style.day(confirmed)}" if confirmed else "never confirmed since"
        )
    by_record = " (no stop recorded: a later record ends it)" if course.get("no_stop") else ""
    return ("" if _one_day(course) else f"until {_last_day(course['to_date'])}") + by_record


def _ends_known(course: dict) -> date:
    """The day on which what is said of the end was known."""
    if course["to_date"] is not None:
        return course["to_date"] - timedelta(days=1)
    return max(course["from_date"], course["last_confirmed"] or course["from_date"])


def table_row(course: dict) -> dict:
    """A row of the table twin."""
    missed, single = course["action"] == "not_given", course["dosing"] == "dose"
    value = None if missed or course["drug_class"] == "procedure" else "dose unknown"
    if value and course["dose_per_day"] is not None:
        value = ("at least " if course["dose_unread"] else "") + style.number(course["dose_per_day"])
    known = value not in (None, "dose unknown")
    per_day = "" if single else "/day"
    remark = [_action(course), course["route"], *course["notes"], _written(course)]
    ends = f"until {_last_day(course['to_date'])}" if missed and course["to_date"] else "" if single else ending(course)
    until = course["to_date"] or (course["from_date"] + timedelta(days=1) if single else None)
    return {
        "date": course["from_date"].isoformat(),
        "until": until.isoformat() if until else None,
        "what": lane_name(course["drug"]),
        "value": value,
        "unit": f"{style.unit(course['dose_unit'])}{per_day}" if known else None,
        "ends": ends,
        "ends_known": _ends_known(course).isoformat(),
        "remark": ", ".join(part for part in remark if part) or None,
        "source": course.get("source"),
    }


def _action(course: dict) -> str:
    """What an order is must be said; that nothing was given only where no record of the drug says otherwise."""
    if course["action"] == "ordered":
        return "ordered, nothing recorded as given" if course.get("not_seen_given") else "ordered"
    return "not given" if course["action"] == "not_given" else ""


def _written(course: dict) -> str | None:
    """The text of a procedure's record."""
    return course.get("text")


def _one_day(course: dict) -> bool:
    return course["to_date"] is not None and (course["to_date"] - course["from_date"]) == DAY


def _last_day(to_date: date) -> str:
    return style.day(to_date - DAY)
