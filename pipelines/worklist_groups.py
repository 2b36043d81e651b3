"""The groups of the worklist in the order in which they stand, and the sentence that says so. Words, never a score."""

QUIET_DAYS = 90  # project default: after so many days without a record a patient's data are not recent
# What does not wait for the next meeting (criteria of the group transplant).
URGENT = ("urgent_transfer", "ecmo_consideration")

TITLES = {
    "decide": "Needs a decision now",
    "new": "Newly met or changed since the last review",
    "unknown": "Cannot be told",
    "stable": "Stable",
    "quiet": "No recent data",
    "died": "Death recorded",
}
GROUPS = tuple(TITLES)
MEANING = {
    "decide": "an urgent alert is open, or a decision has come to its check or due day",
    "new": "a flag is met that the last review did not hold, or a record was corrected or withdrawn since",
    "unknown": "nothing of the above, and some condition cannot be told for want of a record",
    "stable": "every condition is told, and nothing is new since the last review",
    "quiet": f"no record for more than {QUIET_DAYS} days, and nothing that needs a decision now",
    "died": "a death is recorded",
}
SENTENCE = (
    "In this order: "
    + "; ".join(title[0].lower() + title[1:] for title in TITLES.values())
    + ". In the first the alert that opened last comes first; in the others the newest flag, then the newest record, then the id."
)
