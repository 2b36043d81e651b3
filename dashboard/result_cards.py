"""The cards of the header strip that show a result: ferritin, anti-MDA5, FVC, DLCO, each against an earlier one it may be compared with."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from dashboard import anchors, comparison, held, style
from dashboard.charts import lung_function as percent_predicted
from dashboard.charts import results, scales
from pipelines.catalog import catalog


@dataclass(frozen=True)
class Card:
    """One fact: its name, its value as text, and a line that dates it. `known` is False where there is nothing to show.

    `stale` says that the test is overdue, and how long. `on` is the day of the value.
    """

    name: str
    value: str
    detail: str
    known: bool = True
    stale: str = ""
    on: date | None = field(default=None, compare=False)


def ferritin(page: dict, as_of: date) -> Card:
    """The last ferritin, and its fold of the one before therapy."""
    found = counted(page, as_of, "ferritin")
    if not found:
        return absent(page, as_of, "Ferritin", "ferritin")
    row = found[-1]
    if not anchors.therapy(page, as_of):
        return result_card("Ferritin", row, "")
    before = before_therapy(page, found, as_of)
    if before is None:
        return result_card("Ferritin", row, "none before therapy to compare")
    if before["record_id"] == row["record_id"]:
        return result_card("Ferritin", row, "the last before therapy")
    change = comparison.fold(row, before)
    if not change:
        return result_card("Ferritin", row, untold(row, before))
    return result_card("Ferritin", row, f"{change} of {shown(before, ' ')} before therapy, {near(before, row)}")


def before_therapy(page: dict, found: list[dict], as_of: date) -> dict | None:
    """The ferritin from which the last of `found` is counted: as concept ferritin_course has it, else the last one on or before the
    start of triple, else combination therapy, and no older than that concept takes."""
    course = {row["record_id"]: row["before_id"] for row in page.get("ferritin_course", [])}
    named = course.get(found[-1]["record_id"])
    if named:
        return next((row for row in found if row["record_id"] == named), None)
    start = anchors.therapy(page, as_of).day
    oldest = start - timedelta(days=int(catalog().concepts["ferritin_course"].thresholds["before_days"].used))
    return next((row for row in reversed(found) if oldest <= on(row) <= start), None)


def titre(page: dict, as_of: date) -> Card:
    """The last anti-MDA5, against the one before it of the same assay, unit and laboratory; any other is only named."""
    name = "Anti-MDA5"
    found = counted(page, as_of, "anti_mda5")
    if not found:
        return absent(page, as_of, name, "anti_mda5")
    row = found[-1]
    earlier = [one for one in found if on(one) < on(row)]
    same = [one for one in earlier if _measured_by(one) == _measured_by(row)]
    assay = style.words(row["assay"]) or "assay not named"
    if same:
        said = "same assay" if row["assay"] else assay
        return result_card(name, row, f"{_titre_change(row, same[-1])}, {said}")
    if earlier:
        return result_card(name, row, f"{_other(earlier[-1], row)} before, {near(earlier[-1], row)}")
    return result_card(name, row, assay)


def _measured_by(row: dict) -> tuple:
    return row["assay"], row["unit"], row["laboratory"], row.get("sample_timing")


def _other(before: dict, row: dict) -> str:
    """What forbids the comparison."""
    names = {"assay": "other assay", "unit": "other unit", "laboratory": "other laboratory"}
    return next((said for key, said in names.items() if before[key] != row[key]), "other sample timing")


def _titre_change(row: dict, before: dict) -> str:
    if row["low"] is None or before["low"] is None:
        return f"was {shown(before, ' ')}, {near(before, row)}"
    change = comparison.fold(row, before)
    return f"{change} of {shown(before, ' ')}, {near(before, row)}" if change else untold(row, before)


def lung_function(page: dict, as_of: date, measure: str) -> Card:
    """The newest FVC or DLCO in % of predicted, as reported; a computed one only where nothing newer was reported, and said to be.

    Its change is against the last test that does not count together with it (concept lung_function_pair), of the same reference set.
    """
    name, analyte = percent_predicted.NAMES[measure], f"{measure}_percent"
    found = [
        row
        for row in sorted(percent_predicted.rows(page), key=lambda row: row["at"])
        if row["analyte"] == analyte and on(row) <= as_of and row["low"] is not None and row["status"] != "preliminary"
        and not (row.get("computed") and row["has_reported"])
    ]  # fmt: skip
    if not found:
        litres = [row for row in counted(page, as_of, measure) if row["phase"] in (None, "pre")]
        return (
            result_card(name, litres[-1], "no % predicted") if litres else absent(page, as_of, name, analyte, measure)
        )
    row = found[-1]
    said = "% computed" if row.get("computed") else "% pred."
    return result_card(name, row, _lung_change(row, found), said)


def _lung_change(row: dict, found: list[dict]) -> str:
    together = timedelta(days=int(catalog().concepts["lung_function_pair"].thresholds["pair_days"].used))
    earlier = [one for one in found if on(one) + together < on(row)]
    same = [one for one in earlier if _predicted_by(one) == _predicted_by(row)]
    if same:
        change = comparison.points(row, same[-1]) or "change cannot be told"
        return f"{change} since {near(same[-1], row)}"
    if earlier:
        return f"other reference set before, {near(earlier[-1], row)}"
    return "no test to compare with"


def _predicted_by(row: dict) -> tuple:
    return row["reference_set"], row.get("computed", False)


def counted(page: dict, as_of: date, analyte: str) -> list[dict]:
    """The results of an analyte up to a day, in order of time, without preliminary ones."""
    return [row for row in results.of(page, analyte) if on(row) <= as_of and row["status"] != "preliminary"]


def absent(page: dict, as_of: date, name: str, *analytes: str) -> Card:
    """Nothing to show: held for a person to settle, or never measured up to the day."""
    waiting = held.counted(page.get("held", []), analytes, as_of)
    if waiting:
        return Card(name, "held", f"{waiting} not accepted, see below", known=False)
    return Card(name, "never measured", f"up to {style.day(as_of)}", known=False)


def result_card(name: str, row: dict, remark: str, unit: str = "") -> Card:
    """A result with its unit and date, and what is to be said of it."""
    dated = f"between {row['partial'].replace(' to ', ' and ')}" if row["partial"] else style.day(row["at"])
    assumed = "unit assumed" if row.get("unit_assumed") else ""
    return Card(name, shown(row, unit), ", ".join(part for part in (dated, assumed, remark) if part), on=on(row))


def untold(row: dict, before: dict) -> str:
    """Why the fold of two results cannot be told: '>1650 then and now'."""
    now, then = shown(row, " "), shown(before, " ")
    return f"fold cannot be told: {f'{now} then and now' if now == then else f'{then}, {near(before, row)}'}"


def shown(row: dict, unit: str = "") -> str:
    """A result with its unit, or the unit given (blank: none): '>100 SI', '1500 ng/mL', 'positive'."""
    if row["low"] is None:
        return row["coded"] or row["original_value"]
    text = f"{scales.sign(row)}{style.number(scales.bound(row))}"
    return f"{text} {unit or style.unit(row['unit'])}".strip()


def near(row: dict, later: dict) -> str:
    """The day of a record, without the year where the later one beside it has the same."""
    return style.day(row["at"], year=row["at"][:4] != later["at"][:4])


def on(row: dict) -> date:
    return date.fromisoformat(row["at"][:10])
