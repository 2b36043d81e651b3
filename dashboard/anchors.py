"""The days that a time axis may count from: the start of therapy, an admission."""

from datetime import date

from dashboard.charts.panel import Anchor

THERAPIES = (("triple therapy", "triple_therapy"), ("combination therapy", "combination_therapy"))


def therapy(page: dict, as_of: date) -> Anchor | None:
    """The start of the triple therapy whose clock runs on a day, else of the combination therapy. None: neither does."""
    for name, concept in THERAPIES:
        running = [
            row
            for row in page.get(concept, [])
            if row["applies_from"] <= as_of and (row["applies_to"] is None or as_of < row["applies_to"])
        ]
        if running:
            return Anchor(name, max(row["start_date"] for row in running))
    return None


def admission(page: dict, as_of: date) -> Anchor | None:
    """The last admission up to a day."""
    days = [
        row["on_date"]
        for row in page["event"]
        if row["kind"] == "stay" and row["value"] != "absent" and row["on_date"] <= as_of
    ]
    return Anchor("admission", max(days)) if days else None


AXES = {"therapy": therapy, "admission": admission}
MISSING = {
    "therapy": "no therapy clock runs on this day",
    "admission": "no admission is recorded up to this day",
}
