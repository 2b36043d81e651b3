"""FVC and DLCO in percent of predicted: as reported, and hollow and dotted, its numbers in brackets, what is computed where only
litres are known or the two differ."""

from datetime import date

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 50
TITLE = "FVC, DLCO"
ANALYTES = ("fvc_percent", "dlco_percent")
GAP_DAYS = 220  # tests are due every 180 days
NAMES = {"fvc": "FVC", "fev1": "FEV1", "dlco": "DLCO"}
SETS = {"fvc": "GLI 2022 global", "dlco": "GLI 2017"}


def rows(page: dict) -> list[dict]:
    """Results that count: before a bronchodilator, no stage of a challenge. Computed ones are marked `computed`."""
    reported = [row for row in results.of(page, *ANALYTES) if row["phase"] in (None, "pre")]
    return reported + [row for row in computed(page) if row["measure"] in SETS]


def computed(page: dict) -> list[dict]:
    """The percentages of `lung_function_predicted` that are to be shown, each as a result beside the value it was made of."""
    made = {row["record_id"]: row for row in page.get("lung_function_predicted", []) if row["shown"]}
    return [_result(row, made[row["record_id"]]) for row in results.of(page, *NAMES) if row["record_id"] in made]


def _result(value: dict, made: dict) -> dict:
    percent = made["percent"]
    return value | {
        "analyte": f"{made['measure']}_percent",
        "measure": made["measure"],
        "computed": True,
        "has_reported": made["has_reported"],
        "value": percent,
        "low": percent,
        "high": percent,
        "original_value": style.number(percent),
        "original_unit": "%",
        "unit": "%",
        "ref_low": None,
        "ref_high": None,
        "remark": remark(made),
    }


def remark(made: dict) -> str:
    """How a percentage was computed, in the words of hover box and table."""
    reported = "" if made["reported"] is None else f", reported {style.number(made['reported'])} %{_of_set(made)}"
    return (
        f"computed, {made['reference_set']}, z-score {made['z']:.2f}; age from year of birth: "
        f"{style.number(made['percent_low'])} to {style.number(made['percent_high'])} %; "
        f"height {style.number(made['height'])} cm of {style.day(made['height_date'])}{reported}; judged by no rule"
    )


def _of_set(made: dict) -> str:
    return f" ({made['reported_set'] or 'reference set not named'})"


def sentences(page: dict, as_of: date) -> list[str]:
    """What must be said in words of the newest value of each measure up to a day: that reported and computed percentage differ,
    or why there is none."""
    newest = {}
    for row in sorted(page.get("lung_function_predicted", []), key=lambda row: (row["on_date"], row["record_id"])):
        if row["on_date"] <= as_of:
            newest[row["measure"]] = row
    return [said for measure in NAMES if measure in newest and (said := _sentence(newest[measure]))]


def _sentence(made: dict) -> str:
    of = f"{NAMES[made['measure']]} of {style.day(made['on_date'])}"
    if made["shown"] and made["reported"] is not None:
        reported = f"{style.number(made['reported'])} % predicted as reported{_of_set(made)}"
        made_here = f"{style.number(made['percent'])} % computed ({made['reference_set']})"
        apart = style.number(abs(made["difference"]))
        return f"{of}: {reported} and {made_here} differ by {apart} points. Rules judge the reported one."
    if made["missing"] and not made["has_reported"]:
        return f"{of}: no % predicted is reported, and it cannot be computed without {', '.join(made['missing'])}."
    return ""


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("lung_function", TITLE, "% predicted", height=88)
    if any(row.get("computed") for row in rows):
        drawn.unit = "% pred., (computed)"
    drawn.lines = [line for name in SETS for line in view.lines("referral_lung_function", "% predicted", name)]
    marks = {"fvc": (style.GREEN, "circle", "square"), "dlco": (style.ORANGE, "diamond", "pentagon")}
    series = []
    for measure, (colour, symbol, computed_symbol) in marks.items():
        found = [row for row in rows if row["analyte"] == f"{measure}_percent"]
        reported, made = (
            [row for row in found if not row.get("computed")],
            [row for row in found if row.get("computed")],
        )
        series.append((NAMES[measure], reported, colour, symbol))
        series.append((f"{NAMES[measure]} computed, {SETS[measure]}", made, colour, computed_symbol))
    drawn = results.results_panel(
        drawn, [one for one in series if one[1]], view, top=100, gap_days=GAP_DAYS, analytes=ANALYTES
    )
    if drawn.empty:
        drawn.empty = "no % predicted recorded"
    for trace in drawn.traces:
        if trace["mode"] == "lines" and " computed, " in trace["name"]:
            trace["line"] = trace["line"] | {"dash": "dot", "width": 1.2}
    return drawn
