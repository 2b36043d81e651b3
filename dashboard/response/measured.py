"""The five things read after a start: ferritin, the anti-MDA5 titre, CRP, SpO2/FiO2 and FVC %, each as results in order of time.

Results that must not be compared (another assay, unit or reference set, computed instead of reported) belong to different series.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from dashboard import style
from dashboard.charts import lung_function, result_text, results, scales
from dashboard.rows import source_of
from pipelines import dictionary


class Result(NamedTuple):
    """One result: its day, where it stands (None: a word), the sign before it ('' exact), its row and the series it belongs to."""

    on: date
    y: float | None
    sign: str
    row: dict
    series: tuple

    @property
    def shown(self) -> str:
        """Without its unit: '640', '>1650', 'positive'."""
        return self.row["coded"] or "no value" if self.y is None else self.sign + style.number(self.y)

    @property
    def unsure(self) -> str:
        """Why no change is computed from it; empty where one is."""
        row = self.row
        if self.y is None:
            return "a word"
        if self.sign:
            return "a limit of the test"
        if row.get("status") == "preliminary":
            return "preliminary"
        return "date not exact" if row.get("partial") else ""


@dataclass(frozen=True)
class Measure:
    """One row of the strip. `read` gives its results; `points`: a change is a difference in points, not in percent; `removed`: plasma
    exchange lowers it; `named` tells the series in words."""

    name: str
    title: str
    colour: str
    symbol: str
    read: Callable[[dict], list[Result]]
    named: Callable[[tuple], str]
    never: str = "never measured"
    apart: str = "of another unit"
    points: bool = False
    removed: bool = False


def unit(series: tuple) -> str:
    """The unit of a series as it is printed, empty where there is none."""
    return series[0]


def _result(row: dict, series: tuple) -> Result:
    on = date.fromisoformat(row["at"][:10])
    if row["low"] is None:
        return Result(on, None, "", row, series)
    return Result(on, scales.bound(row), scales.sign(row), row, series)


def _ferritin(page: dict) -> list[Result]:
    return [_result(row, (style.unit(row["unit"]),)) for row in results.of(page, "ferritin")]


def _crp(page: dict) -> list[Result]:
    return [_result(row, (style.unit(row["unit"]),)) for row in results.of(page, "crp")]


def _titre(page: dict) -> list[Result]:
    """A blank assay is one assay only within a laboratory, as the rules have it."""
    return [
        _result(
            row,
            (
                style.unit(row["unit"]),
                row["assay"] or "",
                "" if row["assay"] else row["laboratory"] or "",
                row.get("sample_timing") or "",
            ),
        )
        for row in results.of(page, "anti_mda5")
    ]


def _fvc(page: dict) -> list[Result]:
    """Before a bronchodilator; computed percentages apart from reported ones, and each reference set apart."""
    return [
        _result(row, ("% predicted", "computed" if row.get("computed") else "", row["reference_set"] or ""))
        for row in lung_function.rows(page)
        if row["analyte"] == "fvc_percent"
    ]


def _oxygenation(page: dict) -> list[Result]:
    rows = [row for row in page["oxygen_support"] if row["sf"] is not None]
    made = [Result(date.fromisoformat(row["at"][:10]), row["sf"], "", row, ("",)) for row in rows]
    return sorted(made, key=lambda result: result.row["at"])


def _assay(series: tuple) -> str:
    _, assay, laboratory, timing = series
    title = dictionary.assays().get(assay, {}).get("title") or assay
    return ", ".join(part for part in (title or "assay not named", laboratory, style.words(timing)) if part)


def _reference(series: tuple) -> str:
    return ", ".join(part for part in series[1:] if part)


MEASURES = (
    Measure("ferritin", "Ferritin", style.VERMILION, "circle", _ferritin, lambda series: "", removed=True),
    Measure(
        "titre", "Anti-MDA5", style.PURPLE, "diamond", _titre, _assay, apart="of another assay or unit", removed=True
    ),
    Measure("crp", "CRP", style.ORANGE, "square", _crp, lambda series: ""),
    Measure(
        "oxygenation", "SpO₂/FiO₂", style.BLUE, "circle", _oxygenation, lambda series: "",
        never="cannot be computed: needs SpO₂ of 97 % or less with an FiO₂",
    ),
    Measure(
        "fvc", "FVC", style.GREEN, "pentagon", _fvc, _reference, never="no % predicted recorded",
        apart="of another reference set, or computed", points=True,
    ),
)  # fmt: skip
HELD = {
    "ferritin": ("ferritin",),
    "titre": ("anti_mda5",),
    "crp": ("crp",),
    "fvc": ("fvc_percent", "fvc"),
}  # by analyte


def hover(measure: Measure, result: Result) -> str:
    """What the hover box says of a result."""
    if measure.name == "oxygenation":
        row = result.row
        parts = [
            f"{measure.title}: {result.shown}",
            remark(measure, result),
            style.day(row["at"]),
            source(measure, result),
        ]
        return style.as_label(" · ".join(part for part in parts if part))
    said = result_text.hover(result.row, {}, scales.AS_IT_IS, "")
    return f"{style.as_label(measure.title)}: {said} · {style.day(result.row['at'])}"


def remark(measure: Measure, result: Result) -> str:
    """What must be known of a result beside its number."""
    row = result.row
    if measure.name == "oxygenation":
        of = "" if row["spo2"] is None else f"SpO₂ {style.number(row['spo2'])} %"
        fio2 = "" if row["fio2"] is None else f"FiO₂ {style.number(row['fio2'])}"
        estimated = "FiO₂ estimated" if row["fio2_source"] == "estimated" else ""
        return ", ".join(part for part in (of, fio2, estimated, style.words(row["activity"])) if part)
    assumed = "unit assumed" if row["unit_assumed"] else ""
    status = "" if row["status"] == "final" else row["status"]
    parts = (row.get("remark"), row["assay"], row["laboratory"], row["reference_set"], row["partial"], assumed, status)
    return ", ".join(part for part in parts if part)


def source(measure: Measure, result: Result) -> str:
    """File and line."""
    row = result.row
    return row.get("source", "") if measure.name == "oxygenation" else source_of(row, ":")
