"""In which order patients stand on the worklist: by what is met, in words, never by a score."""

from datetime import date

URGENT = ("urgent_transfer", "ecmo_consideration")
NEW_DAYS = 7
QUIET_DAYS = 90

ORDER = (
    ("urgent", "Urgent transfer met"),
    ("refractory", "Refractory disease met"),
    ("new", f"Newly met in the last {NEW_DAYS} days"),
    ("met", "Met earlier and standing"),
    ("unknown", "Nothing met, something cannot be told"),
    ("clear", "Nothing met"),
    ("quiet", f"No record for {QUIET_DAYS} days"),
    ("died", "Death recorded"),
)
WORDS = dict(ORDER)
SENTENCE = (
    "In this order: " + "; ".join(words[0].lower() + words[1:] for _, words in ORDER) + ". "
    "Within each, patients with a flag met come first, the newest flag on top."
)


def of(row: dict, as_of: date) -> str:
    """The key in ORDER of a patient: a dict with met, not_evaluable (lists of criterion, group, since), last_day
    and died."""
    met = row["met"]
    if row["died"]:
        return "died"
    if row["last_day"] is None or (as_of - row["last_day"]).days > QUIET_DAYS:
        return "quiet"
    if any(flag["criterion"] in URGENT for flag in met):
        return "urgent"
    if any(flag["group"] == "refractory" for flag in met):
        return "refractory"
    if any((as_of - flag["since"]).days <= NEW_DAYS for flag in met):
        return "new"
    if met:
        return "met"
    return "unknown" if row["not_evaluable"] else "clear"


def order(row: dict) -> tuple:
    """What patients are sorted by."""
    keys = [key for key, _ in ORDER]
    newest_flag = max((flag["since"].toordinal() for flag in row["met"]), default=0)
    newest_record = row["last_day"].toordinal() if row["last_day"] else 0
    return keys.index(row["urgency"]), -newest_flag, -newest_record, row["patient_id"]
