"""Writes the two local exports of this folder: `python -m sample_data.local_export.write` (needs openpyxl). All values are made up."""

import csv
from datetime import date
from pathlib import Path

import openpyxl

FOLDER = Path(__file__).parent
VISITS = [
    # patient, name, born, visit, ferritin (µg/L), CRP (mg/L), KL-6, SpO2, device, flow, comment
    ("1001", "NAME^ONE", date(1961, 3, 5), date(2023, 4, 3), 1250, "12,5", 890, 96, "RA", None, "first visit"),
    (None, None, None, date(2023, 4, 11), 2890.5, "31,0", 1120, 93, "NC", 2, None),
    (None, None, None, date(2023, 4, 18), "ND", "8,2", None, 95, "NC", 1, "ferritin not done"),
    ("1002", "NAME^TWO", date(1975, 11, 20), date(2023, 5, 2), 310, "<1,0", 410, 98, "RA", None, None),
    (None, None, None, date(2023, 5, 16), -99, "1,4", 455, 97, "RA", None, None),
]
REDCAP = [
    # the visit's own line holds its date; results of the repeating instrument have one each
    "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,sex,visit_date,fvc_l,fvc_pct,mmrc,lab_date,lab_ferritin,lab_ldh",
    "2001,baseline_arm_1,,,2,03/04/2023,2.41,71,2,,,",
    "2001,baseline_arm_1,labs,1,,,,,,03/04/2023,1430,512",
    "2001,baseline_arm_1,labs,2,,,,,,10/04/2023,NA,498",
    "2001,month_3_arm_1,,,,05/07/2023,2.60,76,1,,,",
    "2002,baseline_arm_1,,,1,17/05/2023,3.20,88,0,,,",
    "2002,baseline_arm_1,labs,1,,,,,,17/05/2023,289,",
]


def workbook(path: Path) -> None:
    """A wide sheet: a title, a header of two rows, a patient's number and name only on the first line of each."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Visits"
    sheet["A1"] = "MDA5 clinic, all visits"
    header = ["Patient", None, None, "Visit", "Laboratory", None, None, "Oxygen", None, None, "Remarks"]
    names = ["Number", "Name", "Birth date", "Date", "Ferritin", "CRP", "KL-6", "SpO2", "Device", "Flow", None]
    for column, (above, below) in enumerate(zip(header, names, strict=True), start=1):
        sheet.cell(3, column, above)
        sheet.cell(4, column, below)
    for row, visit in enumerate(VISITS, start=5):
        for column, value in enumerate(visit, start=1):
            sheet.cell(row, column, value)
    for first, last in ((5, 7), (8, 9)):
        sheet.merge_cells(start_row=first, end_row=last, start_column=1, end_column=1)
    notes = book.create_sheet("Key")
    notes.sheet_state = "hidden"
    book.save(path)


def redcap(path: Path) -> None:
    """A longitudinal export: one line per patient, event and repeated instrument."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(line.split(",") for line in REDCAP)


if __name__ == "__main__":
    workbook(FOLDER / "clinic_visits.xlsx")
    redcap(FOLDER / "redcap_longitudinal.csv")
