"""Treatment lanes, one a class of drugs, which opens into one a drug: given filled, ordered outlined, not given crossed, ongoing fading
after its last confirmation; a bar is as high as the dose.

Doses of pulse drugs and sessions of procedures are points, numbered in the order given.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

from dashboard.charts.panel import Panel, View
from dashboard.charts.treatment_bars import course_pieces as course_pieces
from dashboard.charts.treatment_lanes import LANE as LANE
from dashboard.charts.treatment_lanes import given_spans, overlap, reach
from dashboard.charts.treatment_lanes import lanes_panel as lanes_panel
from dashboard.charts.treatment_words import class_title, table_row
from dashboard.charts.treatment_words import hover as hover
from dashboard.charts.treatment_words import lane_label as lane_label
from dashboard.charts.treatment_words import lane_name as lane_name
from dashboard.rows import source_of
from pipelines import dictionary

PLACE = 80
TITLE = "Treatment"
CLASS_ORDER = (
    "glucocorticoid", "cni", "cyclophosphamide", "mycophenolate", "rituximab", "jak_inhibitor", "azathioprine", "methotrexate",
    "leflunomide", "tnf_inhibitor", "abatacept", "tocilizumab", "basiliximab", "daratumumab", "ivig", "antifibrotic", "antimalarial",
)  # fmt: skip
INFECTION_CLASSES = ("pjp_prophylaxis", "antibacterial", "antiviral", "antifungal")


def rows(page: dict) -> list[dict]:
    """Courses of treatment drugs with what was not given, and sessions of procedures, as lanes of intervals and points."""
    found = courses(page, lambda drug_class: drug_class not in INFECTION_CLASSES) + sessions(page)
    return sorted(found, key=_place)


def courses(page: dict, wanted: Callable[[str], bool]) -> list[dict]:
    """The courses of drugs whose class is wanted, and as rows like them what was recorded as not given; each with `source` (file and
    line of its first record), `unstopped`: no stop is recorded and it is not ongoing, and of an order `not_seen_given`: of none of its days
    is a dose recorded as given."""
    records = {row["record_id"]: row for row in page.get("administration", [])}
    found = [
        row | _recorded(row, [records[one] for one in row["evidence"] if one in records])
        for row in page["treatment_course"]
        if wanted(row["drug_class"]) and not row["gap"]
    ]
    orders = [row for row in found if row["action"] == "ordered"]
    given = given_spans(found) if orders else {}
    for row in orders:
        row["not_seen_given"] = not overlap([(row["from_date"], reach(row))], given.get(row["drug"], []))
    missed = (_missed(row) for row in records.values() if row["action"] == "not_given")
    return found + [row for row in missed if wanted(row["drug_class"])]


def _recorded(course: dict, records: list[dict]) -> dict:
    """What the records of a course add to it."""
    single = course["dosing"] == "daily" and course["to_date"] == course["from_date"] + timedelta(days=1)
    unstopped = bool(records) and all(
        row["stop"] is None and not row["ongoing"] and row["per"] != "dose" for row in records
    )
    return {"source": source(records), "unstopped": single and unstopped}


def source(records: list[dict]) -> str:
    """File and line of the first record, and how many more there are."""
    if not records:
        return ""
    more = f" and {len(records) - 1} more" if len(records) > 1 else ""
    return source_of(records[0]) + more


def _missed(row: dict) -> dict:
    """A record of a dose that was not given, as a row of a lane. A partial date stands on its last day and says so."""
    partial = row["start_first"] != row["start"]
    return {
        "drug": row["drug"], "drug_class": dictionary.drugs()[row["drug"]]["drug_class"], "action": "not_given", "dosing": "dose",
        "from_date": row["start"], "to_date": row["stop"] + timedelta(days=1) if row["stop"] else None,
        "dose_per_day": None, "dose_unread": False, "dose_unit": row["dose_unit"], "route": row["route"], "last_confirmed": None,
        "systemic": True, "pulse": False, "evidence": [row["record_id"]], "source": source([row]),
        "notes": [f"dated {row['start_first']} to {row['start']}"] if partial else [],
    }  # fmt: skip


def sessions(page: dict) -> list[dict]:
    """Sessions of procedures as rows of a lane."""
    return [
        {"drug": row["code"], "drug_class": "procedure", "action": "given", "dosing": "dose", "from_date": row["on_date"],
         "to_date": None, "dose_per_day": None, "dose_unread": False, "dose_unit": None, "route": None, "last_confirmed": None,
         "systemic": True, "pulse": False, "evidence": [row["record_id"]], "notes": [], "text": row["text"], "source": source([row])}
        for row in page["event"]
        if row["kind"] == "procedure" and row["value"] != "absent"
    ]  # fmt: skip


def classes(rows: Iterable[dict]) -> list[tuple[str, str, int]]:
    """The classes of drugs among rows of this panel, in order: id, title, number of drugs. One with several is drawn in one lane unless
    its id is in `View.opened`."""
    drugs: dict[str, set[str]] = {}
    for row in rows:
        if row["drug_class"] != "procedure":
            drugs.setdefault(row["drug_class"], set()).add(row["drug"])
    return [(drug_class, class_title(drug_class), len(found)) for drug_class, found in drugs.items()]


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("treatment", TITLE, "height = dose")
    drawn.table = [table_row(row) for row in rows]
    return lanes_panel(drawn, rows, view, "no treatment recorded")


def _place(row: dict) -> tuple:
    drug_class = row["drug_class"]
    rank = CLASS_ORDER.index(drug_class) if drug_class in CLASS_ORDER else len(CLASS_ORDER)
    return rank, drug_class == "procedure", drug_class, row["drug"], row["from_date"]
