"""What cultures and other tests for organisms found, a row per day: named where something grew, said to be negative where nothing did."""

from datetime import date

from dashboard.charts import results
from dashboard.rows import source_of


def rows_of(page: dict) -> list[dict]:
    """The days with microbiology and each Pneumocystis PCR, in order of time: from_date, drug (the label), found, told (list of text),
    evidence."""
    found = cultures([row for row in page["event"] if row["kind"] == "microbiology"]) + pneumocystis(page)
    return sorted(found, key=lambda row: (row["from_date"], row["drug"]))


def cultures(events: list[dict]) -> list[dict]:
    """The microbiology of each day as one row: its organisms with what was found of them (`drug`), whether anything was (`found`), the
    whole text in `told`."""
    days: dict = {}
    for row in sorted(events, key=lambda row: (row["on_date"], row["code"])):
        days.setdefault(row["on_date"], []).append(row)
    found = []
    for on_date, rows in days.items():
        told = [f"{row['code']} {row['value'] or ''} {row['text'] or ''}".strip() for row in rows]
        found.append(
            {"drug_class": "microbiology", "drug": culture_name(rows), "found": _grew(rows), "from_date": on_date, "told": told,
             "evidence": [row["record_id"] for row in rows]}
        )  # fmt: skip
    return found


def culture_name(rows: list[dict]) -> str:
    """'klebsiella pneumoniae', 'aspergillus negative', 'sputum negative', 'blood, no result'."""
    said = {code: ", ".join(_said(rows, code)) for code in ("organism", "specimen", "result")}
    name = said["organism"] or said["specimen"] or "specimen"
    if said["organism"] and said["result"] in ("positive", ""):
        return name
    return f"{name} {said['result']}" if said["result"] else f"{name}, no result"


def _grew(rows: list[dict]) -> bool:
    """Whether something was found: a positive result, or an organism with no result beside it."""
    results_said = _said(rows, "result")
    return "positive" in results_said or (not results_said and bool(_said(rows, "organism")))


def _said(rows: list[dict], code: str) -> list[str]:
    return list(dict.fromkeys(row["value"] or row["text"] or "" for row in rows if row["code"] == code))


def pneumocystis(page: dict) -> list[dict]:
    """Each Pneumocystis PCR as a row like a culture's."""
    return [
        {"drug_class": "microbiology", "drug": f"Pneumocystis PCR {row['coded'] or row['original_value']}",
         "found": row["coded"] == "positive", "from_date": date.fromisoformat(row["at"][:10]),
         "told": [f"Pneumocystis PCR {row['original_value']}", row["laboratory"] or "", source_of(row, ":")],
         "evidence": [row["record_id"]]}
        for row in results.of(page, "pneumocystis_pcr")
    ]  # fmt: skip
