"""The table twin of the chart: the same rows as text, on screen and as CSV."""

import csv
import io
from datetime import date

from dashboard import style
from dashboard.charts import lung_function, treatment


def twin(page: dict[str, list[dict]], as_of: date) -> list[dict]:
    """Every record drawn on the chart up to the as-of day, newest first: date, kind, what, value, unit, remark, source."""
    rows = [_result(row) for row in page["observation"]]
    rows += [_computed(row) for row in lung_function.computed(page)]
    rows += [_event(row) for row in page["event"]]
    rows += [_course(row) for row in page["treatment_course"] if not row["gap"]]
    rows = [row for row in rows if row["date"] <= as_of.isoformat()]
    return sorted(rows, key=lambda row: (row["date"], row["kind"], row["what"]), reverse=True)


def _result(row: dict) -> dict:
    remark = [
        row["assay"],
        row["activity"],
        row["partial"],
        "unit assumed" if row["unit_assumed"] else None,
        None if row["status"] == "final" else row["status"],
    ]
    return {
        "date": row["at"],
        "kind": "result",
        "what": style.words(row["analyte"]),
        "value": row["original_value"],
        "unit": row["original_unit"] or style.unit(row["unit"]),
        "remark": ", ".join(part for part in remark if part),
        "source": f"{row['file']} line {row['line']}",
    }


def _computed(row: dict) -> dict:
    return _result(row) | {"kind": "computed", "remark": row["remark"]}


def _event(row: dict) -> dict:
    return {
        "date": row["on_date"].isoformat(),
        "kind": row["kind"],
        "what": style.words(row["code"]),
        "value": row["value"] or "",
        "unit": "",
        "remark": "; ".join(part for part in (row["text"], "date assumed" if row["date_assumed"] else None) if part),
        "source": f"{row['file']} line {row['line']}",
    }


def _course(row: dict) -> dict:
    dose = "dose unknown" if row["dose_per_day"] is None else style.number(row["dose_per_day"])
    if row["dose_unread"] and row["dose_per_day"] is not None:
        dose = f"at least {dose}"
    until = (
        ""
        if row["dosing"] == "dose"
        else f"until {row['to_date']} (exclusive)"
        if row["to_date"]
        else "no stop recorded"
    )
    remark = [row["action"] if row["action"] != "given" else None, row["route"], until, *row["notes"]]
    return {
        "date": row["from_date"].isoformat(),
        "kind": "treatment",
        "what": treatment.lane_name(row["drug"]),
        "value": dose,
        "unit": row["dose_unit"] or "",
        "remark": ", ".join(part for part in remark if part),
        "source": "",
    }


def as_csv(rows: list[dict]) -> bytes:
    """Rows as CSV that a spreadsheet opens without running anything in it. UTF-8 with a mark, which spreadsheets look for."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows({name: style.as_cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue().encode("utf-8-sig")
