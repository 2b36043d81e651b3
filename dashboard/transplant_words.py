"""The transplant board in words: what a row says, and the same as a table of text."""

from dashboard import deidentify, style
from dashboard.data import transplant

GRADES = {3: "absolute", 2: "high risk", 1: "risk factor"}
CLOSED = {"died": "died", "transplanted": "transplanted", "not_needed": "no longer needed"}
ABBREVIATIONS = {"bmi": "BMI", "egfr": "eGFR", "ecmo": "ECMO"}
SHORT = {
    "urgent_transfer": "urgent transfer",
    "transplant_listing": "listing",
    "transplant_referral": "referral",
    "transplant_early_referral": "early referral",
    "ecmo_consideration": "ECMO to be considered",
    "referral_oxygen": "oxygen",
    "referral_lung_function": "lung function",
    "referral_decline": "decline",
    "referral_refractory": "progression on treatment",
    "listing_decline": "decline on treatment",
    "listing_walk": "6-minute walk",
    "listing_events": "events",
}
PARTS = {
    "transplant_referral": [name for name in transplant.CONDITIONS if name.startswith("referral_")],
    "transplant_listing": [name for name in transplant.CONDITIONS if name.startswith("listing_")],
}


def triggers(row: dict) -> list[str]:
    """The triggers that stand met with since when, each with the conditions that make it: 'referral since 4 Aug 2021 (oxygen; ...)'."""
    since = {one["criterion"]: one["since"] for one in row["met"]}
    return [
        f"{SHORT[name]} since {style.day(since[name])}{_parts(name, since)}"
        for name in transplant.TRIGGERS
        if name in since
    ]


def _parts(trigger: str, since: dict) -> str:
    """Each condition with its own day where that differs from the trigger's."""
    met = [name for name in PARTS.get(trigger, ()) if name in since]
    said = [SHORT[name] + ("" if since[name] == since[trigger] else f" since {style.day(since[name])}") for name in met]
    return f" ({', '.join(said)})" if said else ""


def no_longer(row: dict) -> list[str]:
    """The triggers that were met and are not now."""
    return [
        f"{SHORT[one['criterion']]} from {style.day(one['first_met'])}, ceased {style.day(one['ceased'])}"
        for one in row["no_longer_met"]
        if one["criterion"] in transplant.TRIGGERS
    ]


def unknown(row: dict, most: int | None = None) -> str:
    """What cannot be told, and the records that are asked for, at most so many of them: of a trigger that is met its other conditions."""
    names = {one["criterion"] for one in row["unknown"]}
    told = [one for one in row["unknown"] if not any(one["criterion"] in PARTS[name] for name in PARTS.keys() & names)]
    if not told:
        return ""
    needs = list(dict.fromkeys(thing for one in told for thing in one["missing"] or ()))
    shown = needs[:most]
    if len(needs) > len(shown):
        shown.append(f"and {len(needs) - len(shown)} more")
    if any(
        one["missing"] is None for one in told
    ):  # judged again later: what was missing on the day is told by the records alone
        shown.append("and what the opened row says")
    return f"{', '.join(SHORT[one['criterion']] for one in told)}; asked for: {', '.join(shown)}"


def last_record(row: dict) -> str:
    """'last record 4 Oct 2021, 12 days before'."""
    ago = row["last_day_ago"]
    return f"last record {style.day(row['last_day'])}" + (f", {deidentify.ago(ago)} before" if ago else "")


def clock(row: dict) -> str:
    if row["days"] is None:
        return "no clock"
    return f"{row['days']:,} day" + "s" * (row["days"] != 1)


def clock_said(row: dict) -> str:
    """From when to when, and whether it runs."""
    if row["days"] is None:
        return "no trigger of the clock was met"
    begun = f"from {style.day(row['first_met'])} ({SHORT[row['first_trigger']]})"
    if row["referred_on"]:
        return f"{begun} to {transplant.STATUS_WORDS[row['referred_as']]} on {style.day(row['referred_on'])}"
    if row["died_on"]:
        return f"{begun}, no referral; died {style.day(row['died_on'])}"
    return f"{begun}, running"


def clocks(row: dict) -> str:
    """Each trigger's own count."""
    return ", ".join(f"{SHORT[one['trigger']]} {one['days']:,}" for one in row["clocks"] or ())


def barrier(item: str) -> str:
    return ABBREVIATIONS.get(item, style.words(item))


def barriers(row: dict) -> str:
    """The barriers by grade, the gravest first."""
    told = []
    for grade, words in GRADES.items():
        names = [barrier(one["item"]) for one in row["barriers"] if one["grade"] == grade]
        if names:
            told.append(f"{words}: {', '.join(names)}")
    return "; ".join(told) or "none recorded"


def barriers_unknown(row: dict) -> str:
    return ", ".join(barrier(item) for item in row["barriers_unknown"])


def status(row: dict) -> str:
    said = transplant.STATUS_WORDS[row["status"]]
    return f"{said}, {style.day(row['status_on'])}" if row["status_on"] else said


def status_source(row: dict) -> str:
    return f"{row['status_file']} line {row['status_line']}" if row["status_file"] else ""


def due(action: dict) -> str:
    """'due 28 Mar 2024, 4 days overdue'."""
    if not action["due_on"]:
        return "no due day"
    late = action["overdue_days"]
    return f"due {style.day(action['due_on'])}" + (f", {late} day{'s' * (late != 1)} overdue" if late else "")


def as_table(rows: list[dict]) -> list[dict]:
    """The rows as a table of text, one line a patient."""
    return [
        {
            "patient": row["patient_id"],
            "last record": row["last_day"],
            "group": transplant.BAND_WORDS[row["band"]],
            "closed because": CLOSED.get(row["closed_because"], ""),
            "triggers met": "; ".join(triggers(row)),
            "no longer met": "; ".join(no_longer(row)),
            "cannot be told": unknown(row),
            "referral clock (days)": row["days"],
            "clock": clock_said(row),
            "days by trigger": clocks(row),
            "barriers": barriers(row),
            "barriers that cannot be told": barriers_unknown(row),
            "referral status": transplant.STATUS_WORDS[row["status"]],
            "status on": row["status_on"],
            "status text": row["status_text"],
            "status source": status_source(row),
        }
        | _action_cells(row["next_action"])
        for row in rows
    ]


def _action_cells(action: dict | None) -> dict:
    return {
        "next action": action and action["text"],
        "owner": action and action["owner"],
        "due on": action and action["due_on"],
        "days overdue": action and action["overdue_days"],
    }
