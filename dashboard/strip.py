"""The header strip of the patient page: what stands on the as-of day, each with its unit and date, and what was never measured."""

from dataclasses import dataclass
from datetime import date

from dashboard import style
from dashboard.charts import lung_function as percent_predicted
from dashboard.charts import oxygen_support, results

SHORT = ("room air", "low flow", "mask", "reservoir", "HFNC", "NIV, CPAP", "ventilated", "ECMO")


@dataclass(frozen=True)
class Card:
    """One fact: its name, its value as text, and a line that dates it. `known` is False where there is nothing to show."""

    name: str
    value: str
    detail: str
    known: bool = True


def cards(page: dict[str, list[dict]], as_of: date) -> list[Card]:
    """The cards of a patient's tables as of a day; nothing dated later is read."""
    return [
        oxygen(page, as_of),
        measured(page, as_of, "Ferritin", "ferritin", "ng/mL"),
        measured(page, as_of, "Anti-MDA5", "anti_mda5", ""),
        lung_function(page, as_of),
        glucocorticoid(page, as_of),
        therapy(page, as_of),
        last_record(page, as_of),
    ]


def oxygen(page: dict, as_of: date) -> Card:
    """The last record that says on what support the patient was, and the one before where it differs."""
    known = [row for row in oxygen_support.rows(page) if row["level"] is not None and _on(row["at"]) <= as_of]
    if not known:
        return Card("Oxygen now", "never recorded", "", known=False)
    row = known[-1]
    value = _support(row)
    before = known[-2] if len(known) > 1 else None
    change = ""
    if before is not None and _need(row) != _need(before):
        value += " ↑" if _need(row) > _need(before) else " ↓"
        change = f", was {_support(before) if row['level'] == before['level'] else SHORT[before['level']]}"
    return Card("Oxygen now", value, style.day(row["at"]) + change)


def _support(row: dict) -> str:
    name, setting = SHORT[row["level"]], oxygen_support.setting(row, short=row["fio2_source"] == "set")
    return setting if row["level"] == 1 and setting else " ".join(part for part in (name, setting) if part)


def _need(row: dict) -> tuple[float, float]:
    """How much support: the level first, then what is set on it, the flow up to a reservoir mask and the FiO2 from HFNC on."""
    setting = row["flow"] if row["level"] <= 3 else row["fio2"] if row["fio2_source"] == "set" else None
    return row["level"], float(setting or 0)


def measured(page: dict, as_of: date, name: str, analyte: str, unit: str) -> Card:
    """The last result of an analyte, as printed when censored or coded."""
    found = [row for row in results.of(page, analyte) if _on(row["at"]) <= as_of and row["status"] != "preliminary"]
    if not found:
        later = any(row["analyte"] == analyte for row in page["observation"])
        held = sum(row["analyte"] == analyte for row in page.get("held", []))
        if held and not later:
            return Card(name, "held", f"{held} not accepted, see below", known=False)
        return Card(
            name,
            "not yet" if later else "never measured",
            "first result is later" if later else "no record",
            known=False,
        )
    kind = f", {found[-1]['assay']}" if found[-1]["low"] is None and found[-1]["assay"] else ""
    return Card(name, shown(found[-1], unit), style.day(found[-1]["at"]) + kind)


def shown(row: dict, unit: str = "") -> str:
    """A result with its unit: '>100 SI', '1500 ng/mL', 'positive'."""
    if row["low"] is None:
        return row["coded"] or row["original_value"]
    text = style.number(row["value"]) if row["value"] is not None else results.arrow(row, "")["label"]
    return f"{text} {unit or style.unit(row['unit'])}".strip()


def lung_function(page: dict, as_of: date) -> Card:
    """The newest of each, as reported; a computed one only where nothing newer was reported, and said to be."""
    latest, tests = {}, sorted(percent_predicted.rows(page), key=lambda row: row["at"])
    for row in tests:
        if _on(row["at"]) <= as_of and row["low"] is not None and not (row.get("computed") and row["has_reported"]):
            latest[row["analyte"]] = row
    if not latest:
        later = bool(tests)
        return Card("FVC · DLCO", "not yet" if later else "never measured", "no baseline", known=False)
    parts = [_percent(latest.get(name)) for name in ("fvc_percent", "dlco_percent")]
    return Card("FVC · DLCO", " · ".join(parts), f"predicted, {style.day(max(row['at'] for row in latest.values()))}")


def _percent(row: dict | None) -> str:
    return "unknown" if row is None else shown(row, "%") + (" computed" if row.get("computed") else "")


def glucocorticoid(page: dict, as_of: date) -> Card:
    """The dose of the day itself."""
    if not any(row["from_date"] <= as_of for row in page["treatment_course"]):
        return Card("Prednisone eq.", "not recorded", "no drug record yet", known=False)
    acting = [
        row
        for row in page["prednisone_equivalent"]
        if row["from_date"] <= as_of and (row["to_date"] is None or as_of < row["to_date"])
    ]
    if not acting:
        return Card("Prednisone eq.", "0 mg/day", "none recorded that day")
    row = max(acting, key=lambda row: row["from_date"])
    return Card(
        "Prednisone eq.",
        style.number(row["mg_per_day"]) + " mg/day" + (" + unread dose" if row["dose_unknown"] else ""),
        f"since {style.day(row['from_date'])}",
    )


def therapy(page: dict, as_of: date) -> Card:
    """The day of the latest clock running on the as-of day: triple therapy, else combination therapy."""
    for name, concept in (("triple", "triple_therapy"), ("combination", "combination_therapy")):
        known = [
            row
            for row in page.get(concept, [])
            if row["applies_from"] <= as_of and (row["applies_to"] is None or as_of < row["applies_to"])
        ]
        if known:
            start = known[-1]["start_date"]
            return Card("Therapy", f"day {(as_of - start).days}", f"{name}, {style.day(start)}")
    return Card("Therapy", "not started", "no combination yet", known=False)


def last_record(page: dict, as_of: date) -> Card:
    """The newest record up to the as-of day, and how old it is."""
    days = [day for day in recorded_days(page) if day <= as_of]
    if not days:
        return Card("Last record", "none yet", f"by {style.day(as_of)}", known=False)
    age = (as_of - max(days)).days
    return Card(
        "Last record", style.day(max(days)), "on the as-of day" if age == 0 else f"{age} day{'s' * (age > 1)} before"
    )


def recorded_days(page: dict) -> list[date]:
    """Every day on which anything is recorded, in order."""
    days = {row["day"] for row in page.get("recorded_day", [])}  # those of long series too
    days |= {_on(row["at"]) for row in page["observation"]} | {row["on_date"] for row in page["event"]}
    days |= {row["from_date"] for row in page["treatment_course"] if not row["gap"]}
    return sorted(days)


def changes(page: dict) -> list[date]:
    """The days on which some answer of a rule became another, in order: where a meeting may want to stop."""
    ordered = sorted(page["judgement"], key=lambda row: (row["criterion"], row["item"] or "", row["on_date"]))
    days, before = set(), {}
    for row in ordered:
        key = (row["criterion"], row["item"])
        if before.get(key) != row["status"] and "met" in (before.get(key), row["status"]):
            days.add(row["on_date"])
        before[key] = row["status"]
    return sorted(days)


def standing(page: dict, as_of: date) -> list[dict]:
    """The answers that stand on a day, of every criterion and item."""
    return [
        row
        for row in page["judgement"]
        if row["on_date"] <= as_of and (row["until_date"] is None or as_of < row["until_date"])
    ]


def _on(at: str) -> date:
    return date.fromisoformat(at[:10])
