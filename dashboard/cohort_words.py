"""What is said under a chart with cohort bands: who the others are, how they are aligned, what is refused and why, and that nobody's
reference range is drawn. Texts from data are in it: the screen escapes it."""

from datetime import date

from dashboard import style
from dashboard.charts import cohort_band
from dashboard.charts.panel import View

GROUPS = {
    "died": "whose death is recorded",
    "off_oxygen": "recorded as off oxygen, with no death recorded",
    "not_recorded": "of whom no outcome is recorded: they are not known to have survived",
}


def sentences(found: dict, view: View, titles: dict[str, str], panels: dict[str, str]) -> list[str]:
    """Of `data.cohort_bands`, for under the chart. `titles` by analyte; `panels`: the panel in which each analyte is drawn."""
    if view.baseline is None:
        return [
            f"No cohort is drawn: therapy has not started by {style.day(view.as_of)}, so there is no day to align on."
        ]
    cohort, outcome = found["cohort"], found["outcome"]
    if (sum(cohort["patients"].values()) if outcome is None else cohort["patients"][outcome]) < found["fewest"]:
        return [_who(found), f"Fewer than {found['fewest']} patients: nothing is drawn."]
    said = [_who(found), NO_REFERENCE, _reading(found)]
    for analyte, bands in found["bands"].items():
        title = titles.get(analyte, style.words(analyte))
        if view.scale_of(panels.get(analyte, analyte)) not in cohort_band.DRAWN_ON:
            said.append(f"{title}: no cohort on a scale of percent, its values are in their own unit.")
        else:
            said += _of_analyte(title, bands, found, view)
    return said


NO_REFERENCE = (
    "Not a reference range: other patients of this store, treated and measured as they were. "
    "As n falls, those left are not those who began."
)


def _who(found: dict) -> str:
    """How many others, of which outcome, aligned on what, and who is left out."""
    cohort, outcome = found["cohort"], found["outcome"]
    patients = sum(cohort["patients"].values()) if outcome is None else cohort["patients"][outcome]
    triple = sum(cohort["triple"].values()) if outcome is None else cohort["triple"][outcome]
    group = f" {GROUPS[outcome]}" if outcome else ""
    aligned = f"aligned on the start of triple therapy ({triple}), else of combination therapy ({patients - triple})"
    until = "over their whole record" if found["as_of"] is None else f"as recorded up to {style.day(found['as_of'])}"
    left_out = "; this patient is left out"
    if cohort["partly_dated"]:
        left_out += f", and {cohort['partly_dated']} whose start has only a partial date"
    whole = (
        ""
        if outcome
        else f" Outcome recorded: {cohort['patients']['died']} died, {cohort['patients']['off_oxygen']} off oxygen."
    )
    return f"Cohort: {patients} of {cohort['others']} other patients{group}, {aligned}, {until}{left_out}.{whole}"


def _reading(found: dict) -> str:
    return (
        f"Dashed: median; dark: 25th to 75th percentile; pale: 10th to 90th. A day has each patient's last result of the "
        f"{found['step_days']} days up to it; days with fewer than {found['fewest']} patients are not drawn (project default)."
    )


def _of_analyte(title: str, bands: list[dict], found: dict, view: View) -> list[str]:
    if bands and bands[0]["day"] is None:
        return [f"{title}: no cohort, {bands[0]['refused']}."]
    said = []
    if bands and bands[0]["series"]:
        said.append(f"{title}: only results with {bands[0]['series']}.")
    at = day_of(bands, view.baseline, view.as_of, found["step_days"])
    if at and at["refused"]:
        few = "fewer than five" if found["fewest"] == 5 else f"fewer than {found['fewest']}"
        patients = f"{at['n']} patient" + "s" * (at["n"] != 1)
        days = f"days {at['day'] - found['step_days'] + 1} to {at['day']} of therapy"
        said.append(f"The cohort has {patients} with {title} at {days}: {few} are not shown.")
    if any(row["open"] for row in cohort_band.shown(cohort_band.in_window(bands, view))):
        said.append(
            f"{title}: where results are beyond an assay's limit a percentile is a bound, drawn with an arrow or left open."
        )
    return said


def day_of(bands: list[dict], start: date, day: date, step_days: int) -> dict | None:
    """The step in which a day lies, refused or not; None before the first and after the last."""
    number = -(-(day - start).days // step_days) * step_days
    return next((row for row in bands if row["day"] == number), None)
