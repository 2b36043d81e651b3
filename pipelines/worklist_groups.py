"""The groups of the worklist in the order in which they stand, and the sentence that says so. Words, never a score."""

from pipelines.alert_rules import number

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
    "quiet": f"nothing new is heard for more than {number('stale_days')} days, {number('stale_days_early')} early in therapy "
    "[project default], and nothing needs a decision now; what is typed in here is no news",
    "died": "a death is recorded",
}
SENTENCE = (
    "In this order: "
    + "; ".join(title[0].lower() + title[1:] for title in TITLES.values())
    + ". In the first the alert that opened last comes first; in the others the newest flag, then the newest record, then the id."
)
