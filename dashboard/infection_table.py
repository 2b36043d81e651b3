"""The infection board as a table of text: the twin of the screen, and the file of every row that passes its filters."""

from datetime import date

from dashboard import deidentify, infection_words, style, table
from dashboard.data import infection

TITLES = {
    "acting": "Acting",
    "prophylaxis": "Prophylaxis",
    "counts": "Counts and IgG",
    "cmv_bdg": "CMV, β-D-glucan",
    "gaps": "Surveillance, screening",
    "infections": "Infections, exchanges",
}
RANKS = (
    "Infection open under at least two agents",
    "PJP prophylaxis gap",
    "Counts at stop level",
    "Another infection flag",
    "Surveillance overdue",
    "The rest",
)


def who(row: dict, detail: dict) -> list[str]:
    """Since when the row ranks where it does, the last record, and how many values wait for a person."""
    lines = [f"since {style.day(row['since'])}"] if row["since"] else []
    if detail["last_day"]:
        ago = f", {deidentify.ago(detail['days'])} before" if detail["days"] else ""
        lines.append(f"last record {style.day(detail['last_day'])}{ago}")
    if detail["held"]:
        lines.append(f"{detail['held']} value{'s' * (detail['held'] != 1)} held, not judged")
    return lines


def as_table(rows: list[dict], details: list[dict], as_of: date) -> list[dict]:
    """The rows as text, each column followed by where it stands in the files."""
    return [as_text(row, detail, as_of) for row, detail in zip(rows, details, strict=True)]


def as_text(row: dict, detail: dict, as_of: date) -> dict[str, str]:
    told = {"patient_id": row["patient_id"], "order": RANKS[row["rank"]]}
    if not deidentify.on():  # a calendar day, of no patient
        told["as of"] = style.day(as_of)
    told["who"] = "; ".join(who(row, detail))
    for name, statements in infection_words.cells(detail, as_of).items():
        told[TITLES[name]] = "; ".join(one.said for one in statements)
        told[f"{TITLES[name]}: source"] = "; ".join(
            f"{one.text}: {', '.join(one.sources)}" for one in statements if one.sources
        )
    return told


def as_csv(rows: list[dict], as_of: date) -> bytes:
    """All the rows that pass the filters."""
    return table.as_csv(as_table(rows, infection.all_details(as_of, [row["patient_id"] for row in rows]), as_of))
