"""A patient of 2,000 records on six panels: rows to figure JSON, and what the reader waits for (page_drawing.py)."""

import csv
from datetime import date, timedelta
from pathlib import Path

from tests.benchmarks import cohort, page_drawing

SIZE = "2,000 records of one patient on six panels, warm"
PEER = page_drawing.PEER
PEER_RUNS = 1  # the peer takes most of a minute
FIRST = date(2024, 1, 1)
DAYS = 250
LABS = {
    "ferritin": (800, "ng/mL"),
    "ldh": (400, "U/L"),
    "kl6": (1200, "U/mL"),
    "crp": (30, "mg/L"),
    "lymphocytes": (0.9, "10*9/L"),
}
PANELS = ("oxygen_support", "ferritin", "ldh", "kl6", "crp", "treatment")


def prepare() -> page_drawing.Page:
    from pipelines.load import load
    from pipelines.store.database import Store

    folder = cohort.folder()
    count = write(folder / "files")
    load(Store(folder / "store"), [folder / "files"], received_at=cohort.RECEIVED)
    rows = page_drawing.read(folder / "store", "p2000")
    return page_drawing.Page(
        folder / "store",
        "p2000",
        PANELS,
        FIRST + timedelta(days=200),
        rows,
        f"{count:,} records of one patient on six panels, warm",
    )


def write(files: Path) -> int:
    """The patient's native files. Returns the number of records."""
    files.mkdir()
    days = [FIRST + timedelta(days=day) for day in range(DAYS)]
    labs = [
        ("p2000", analyte, round(base * (1 + at % 17 / 20), 2), unit, day)
        for analyte, (base, unit) in LABS.items()
        for at, day in enumerate(days)
    ]
    oxygen = [("p2000", day, "nasal cannula", 2 + at % 4, 92 + at % 6) for at, day in enumerate(days)]
    pulses = [("p2000", "cyclophosphamide", "iv", 750, "mg", "dose", day, "", "given") for day in days[::10]]
    tapers = [
        ("p2000", "prednisolone", "oral", 60 - at, "mg", "day", day, day + timedelta(days=4), "given")
        for at, day in enumerate(days[::5])
    ]
    for name, header, rows in (
        ("labs", "patient_id,analyte,value,unit,at", labs),
        ("oxygen", "patient_id,at,device,flow_l_min,spo2", oxygen),
        ("administrations", "patient_id,drug,route,dose,dose_unit,per,start,stop,action", pulses + tapers),
    ):
        with (files / f"{name}.csv").open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([header.split(","), *rows])
    return len(labs) + 3 * len(oxygen) + len(pulses) + len(tapers)


def ours(page: page_drawing.Page) -> str:
    return page_drawing.ours(page)


def peer(page: page_drawing.Page) -> str:
    def of(analyte: str) -> tuple[list, list]:
        points = [row for row in page.rows["observation"] if row["analyte"] == analyte]
        return [row["at"] for row in points], [row["value"] for row in points]

    support = page.rows["oxygen_support"]
    series = [of(analyte) for analyte in LABS] + [([row["at"] for row in support], [row["level"] for row in support])]
    return page_drawing.naive(series, [row["from_date"].isoformat() for row in page.rows["treatment_course"]])


def detail(page: page_drawing.Page) -> dict:
    def another_day(shown, number: int) -> None:
        shown.get_by_role("button", name="Later change" if number % 2 else "Earlier change").click()

    query = f"panels={','.join(PANELS)}&as_of={page.as_of}"
    return page_drawing.detail(page, peer(page), query, another_day)
