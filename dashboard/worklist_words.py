"""What the worklist says of a patient, in words: why the patient stands in a group, what is new, who reviewed. Plain text, on screen and
in the download alike; it is escaped where it is shown."""

from collections import Counter

from dashboard import deidentify, strip, style
from dashboard.charts import oxygen_support
from dashboard.charts.flags import lane_name
from dashboard.charts.treatment_words import class_name
from pipelines.worklist_groups import TITLES

NAMED = 2  # so many flags, alerts or decisions are named; of the rest their number is said
_DUE = {"due": "due", "check": "to check from"}
SHOWN = 60  # characters of a decision's text on the list


def why(row: dict) -> str:
    """Why a patient stands in the group, and what else is to be known of it."""
    return "; ".join(part for part in (_OF_GROUP[row["group"]](row), *_besides(row)) if part)


def _decide(row: dict) -> str:
    alerts = [f"{lane_name(one['criterion'], one['item'])} since {style.day(one['since'])}" for one in row["alerts"]]
    alerts = [_named("urgent", alerts)] if alerts else []
    due = [
        f"“{_cut(deidentify.or_left(one['text']))}” {_DUE[one['what']]} {style.day(one['due_on'])}"
        for one in row["due"]
    ]
    return "; ".join(alerts + ([_named("decision", due)] if due else []))


def _new(row: dict) -> str:
    fresh, parts = _fresh(row), []
    if fresh:
        parts.append(_named("never reviewed" if row["review"] is None else "newly met", fresh))
    return "; ".join([*parts, _corrected(row)] if row["changed"] else parts)


def _unknown(row: dict) -> str:
    if not row["judged"]:
        return "no condition has been judged"
    most, said = row["settling"], f"{row['unknown']} cannot be told"
    if most is None:
        return said
    if not most["settles"]:
        return f"{said}: none by one record alone; {most['thing']} is asked for by {most['asked_by']}"
    return f"{said}: a record of {most['thing']} would settle {most['settles']}"


def _stable(row: dict) -> str:
    return "every condition is told, nothing is met" if not row["met"] else "every condition is told, nothing is new"


def _quiet(row: dict) -> str:
    return _silence(row)


def _died(row: dict) -> str:
    return f"died {style.day(row['died'])}"


_OF_GROUP = {
    "decide": _decide,
    "new": _new,
    "unknown": _unknown,
    "stable": _stable,
    "quiet": _quiet,
    "died": _died,
}


def _silence(row: dict) -> str:
    """'no record for 52 days, the next was expected within 14 days'; empty where something new is heard."""
    if row["silent_days"] is None:
        return "nothing is recorded"
    if row["expected_within"] is None:
        return ""
    late = row["silent_days"] > row["expected_within"]
    said = f"no record {'for' if late else 'received for'} {_days(row['silent_days'] if late else row['arrival_days'])}"
    return f"{said}, the next was expected within {_days(row['expected_within'])}"


def _besides(row: dict) -> list[str]:
    """What would have put the patient in another group, had not one before it."""
    said = []
    if row["group"] != "decide" and row["due"]:
        said.append(f"{_number(len(row['due']), 'decision')} due")
    if row["group"] == "died" and row["alerts"]:
        said.append(_number(len(row["alerts"]), "urgent alert"))
    if row["group"] in ("decide", "quiet") and _fresh(row):
        said.append(f"{len(_fresh(row))} {'met, never reviewed' if row['review'] is None else 'newly met'}")
    if row["group"] in ("decide", "quiet") and row["changed"]:
        said.append(_corrected(row))
    if row["group"] == "decide" and (row["silent_days"] is None or row["expected_within"] is not None):
        said.append(_silence(row))
    elif row["group"] == "decide" and row["silent_days"]:
        said.append(f"last record {_days(row['silent_days'])} old")
    return said


def _fresh(row: dict) -> list[str]:
    """The alerting flags that the last review did not hold, the newest first."""
    return [lane_name(flag["criterion"], flag["item"]) for flag in row["met"] if flag["alerting"] and flag["fresh"]]


def _corrected(row: dict) -> str:
    return f"{_number(row['corrected_records'] or 1, 'record')} corrected or withdrawn since the review"


def since(row: dict) -> str:
    """What has come since the last review; empty where there was none, or nothing came."""
    if row["review"] is None:
        return ""
    parts = [f"{row['new']} new"] if row["new"] else []
    parts += [f"{row['corrected_records'] or 1} corrected"] if row["changed"] else []
    said = [f"{' and '.join(parts)} records since the review"] if parts else []
    return "; ".join(said + ([f"{len(row['lost'])} no longer met"] if row["lost"] else []))


def reviewed(row: dict) -> str:
    """By whom and when, and how much of the record has passed since."""
    review = row["review"]
    if review is None:
        return "never reviewed"
    typed = " (typed)" if review["author_known"] == "typed" else ""
    if deidentify.on():  # by whom and when something was entered is left out
        return "reviewed; " + ("this day seen" if not review["days"] else f"seen as of {_days(review['days'])} before")
    passed = "this day seen" if not review["days"] else f"seen as of {_days(review['days'])} before"
    return f"{review['author']}{typed}, {style.day(review['entered_at'])}; {passed}"


def who(row: dict) -> str:
    """Sex, birth year and site as far as known."""
    parts = [row["sex"], style.born(row), row["site"]]
    return ", ".join(part for part in parts if part) or "sex and age unknown"


def agents(row: dict) -> str:
    """The classes of immunosuppressants acting, or that none is; nothing after a death."""
    if row["died"]:
        return ""
    return ", ".join(class_name(agent) for agent in row["agents"]) or "no agent acting"


def oxygen(row: dict | None) -> str:
    """The support of a row of concept oxygen_support."""
    if row is None:
        return "never recorded"
    level = strip.SHORT[row["level"]]
    return f"{level} {oxygen_support.setting(row, short=row['fio2_source'] == 'set')}".strip()


def dates(row: dict) -> str:
    """When the oxygen was recorded, and how old the last record is."""
    if row["silent_days"] is None:
        return "no record"
    last = f"last record {_days(row['silent_days'])} before" if row["silent_days"] else "last record this day"
    if row["oxygen"] is None:
        return last
    on = style.day(row["oxygen"]["on_date"])
    return on if row["oxygen"]["on_date"] == row["last_day"] and not row["silent_days"] else f"{on}; {last}"


def newest(row: dict) -> str:
    """The alerting flag met last; with none, how many cannot be told."""
    flag = next((flag for flag in row["met"] if flag["alerting"]), None)
    if flag is None:
        return f"{row['unknown']} cannot be told" if row["unknown"] else ""
    return f"newest: {lane_name(flag['criterion'], flag['item'])}, since {style.day(flag['since'])}"


def met_by_group(row: dict) -> dict[str, int]:
    """How many criteria are met in each group, in order of groups."""
    count = Counter(group for group, _ in {(flag["group"], flag["criterion"]) for flag in row["met"]})
    return {group: count[group] for group in style.GROUPS if count[group]}


def as_table(rows: list[dict]) -> list[dict]:
    """Everything the rows say as a table of text, for the download."""
    return [
        {
            "patient": row["patient_id"],
            "sex": row["sex"],
            **(
                {"age band": row["age_band"]}
                if deidentify.on()
                else {"birth year": row["birth_year"], "site": row["site"]}
            ),
            "group": TITLES[row["group"]],
            "why": why(row),
            "oxygen now": oxygen(row["oxygen"]),
            "oxygen on": row["oxygen"]["on_date"] if row["oxygen"] else None,
            "agents acting": agents(row),
            "met": "; ".join(sorted({lane_name(flag["criterion"], flag["item"]) for flag in row["met"]})),
            "newest flag": newest(row),
            "cannot be told": row["unknown"],
            "last record": row["last_day"],
            "days without a record": _days(row["silent_days"])
            if deidentify.on() and row["silent_days"]
            else row["silent_days"],
            "reviewed": reviewed(row),
            "since the review": since(row),
        }
        for row in rows
    ]


def _named(what: str, names: list[str]) -> str:
    more = f", and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{what}: {', '.join(names[:NAMED])}{more}"


def _cut(text: str | None) -> str:
    text = " ".join((text or "").split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _days(count: int) -> str:
    return deidentify.ago(count)
