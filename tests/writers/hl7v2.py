"""Native rows as HL7 v2 messages: what pipelines/sources/hl7v2 reads, in reverse. One message per row.

A native column goes into the field that HL7 has for it, and into the local segment (ZMD) where it has none or where reading the
field would not give the same text again.
"""

import re
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pipelines.sources import kinds

Rows = dict[str, list[dict[str, str]]]
ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\", "\n": "\\.br\\", "\r": "\\X0D\\"}
STATUS = {
    "": "",
    "final": "F",
    "preliminary": "P",
    "corrected": "C",
    "amended": "A",
    "entered_in_error": "W",
    "cancelled": "X",
}
SEX = {"female": "F", "male": "M", "other": "O", "unknown": "U"}
OXYGEN_UNITS = {"oxygen_flow": "L/min", "spo2": "%", "respiratory_rate": "/min", "pao2": "mm[Hg]", "paco2": "mm[Hg]"}
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
ISO = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?(Z|[+-]\d{2}:?\d{2})?)?)?)?", re.ASCII
)
OBR = "OBR|1|||99^results^99MDA5|||{at}|||||||||||||||{reported}"


def write(rows: Rows, path: Path) -> None:
    """Writes native rows, by kind, as one batch. Absent columns are missing keys or empty texts."""
    writers = {
        "patients": patient_message, "labs": lab_message, "pft": pft_message, "oxygen": oxygen_message,
        "administrations": pharmacy_message, "events": event_message,
    }  # fmt: skip
    messages = [
        writers[kind]({name: cell for name, cell in row.items() if cell}) for kind, some in rows.items() for row in some
    ]
    lines = ["FHS|^~\\&", "BHS|^~\\&"]
    for number, message in enumerate(messages, start=1):
        kind, site, segments = message
        lines.append(f"MSH|^~\\&|TEST|{escaped(site)}|||20260101||{kind}|{number}|P|2.5.1||||||UNICODE UTF-8")
        lines += segments
    lines += [f"BTS|{len(messages)}", "FTS|1"]
    path.write_bytes("".join(f"{line}\r" for line in lines).encode())


Message = tuple[str, str, list[str]]


def patient_message(row: dict[str, str]) -> Message:
    sex = row.get("sex", "")
    pid = f"PID|1||{escaped(row.get('patient_id', ''))}^^^^MR||||{escaped(row.get('birth_year', ''))}|{escaped(SEX.get(sex, sex))}"
    return "ADT^A08", row.get("site", ""), [pid]


def lab_message(row: dict[str, str]) -> Message:
    name, code = row.get("analyte", ""), row.get("code", "")
    local = {column: row[column] for column in ("sample_timing",) if column in row}
    if re.fullmatch(r"\d{1,7}-\d", code):
        identifier = f"{code}^{escaped(name)}^LN"
    else:
        identifier = f"{escaped(name)}^{escaped(name)}^L"
        local |= {"code": code}
    local |= kind_where_it_differs("labs", kinds.analyte_of_name(name) or kinds.analyte_of_code(code))
    low, high = row.get("ref_low", ""), row.get("ref_high", "")
    printed = ""
    if NUMBER.fullmatch(low) and NUMBER.fullmatch(high):
        printed = f"{low}-{high}"
    elif NUMBER.fullmatch(low) and not high:
        printed = f">={low}"
    elif NUMBER.fullmatch(high) and not low:
        printed = f"<{high}"
    else:
        local |= {"ref_low": low, "ref_high": high}
    obx = result(row, identifier, row.get("value", ""), row.get("unit", ""), printed=printed)
    specimen = [f"SPM|1|^{escaped(row['specimen_id'])}"] if "specimen_id" in row else []
    return "ORU^R01", "", [pid(row), order(row), obx, *zmd(local), *specimen]


def pft_message(row: dict[str, str]) -> Message:
    name = row.get("measure", "")
    identifier = f"{escaped(name)}^{escaped(name)}^L"
    local = {column: row[column] for column in ("phase", "reference_set") if column in row}
    other = kind_where_it_differs("pft", kinds.analyte_of_name(name))
    local |= other
    sub = "mda5-pair-1" if "percent_predicted" in row else ""
    lines = [result(row, identifier, row.get("value", ""), row.get("unit", ""), sub), *zmd(local)]
    if sub:
        lines += [result(row, identifier, row["percent_predicted"], "%", sub), *zmd(other)]
    return "ORU^R01", "", [pid(row), order(row), *lines]


def oxygen_message(row: dict[str, str]) -> Message:
    lines = []
    for analyte, column in kinds.OXYGEN.items():
        value = row.get(column, "")
        if value or (analyte == "spo2" and not any(cell in row for cell in kinds.OXYGEN.values())):
            unit = fio2_unit(value) if analyte == "fio2" else OXYGEN_UNITS.get(analyte, "")
            lines.append(result(row, f"{analyte}^{analyte}^L", value, unit))
    lines[1:1] = zmd({"activity": row.get("activity", "")})
    return "ORU^R01", "", [pid(row), order(row), *lines]


def event_message(row: dict[str, str]) -> Message:
    identifier = f"{escaped(row.get('kind', ''))}.{escaped(row.get('code', ''))}^^99MDA5"
    local = {column: row[column] for column in ("until", "text", "date_assumed") if column in row}
    return "ORU^R01", "", [pid(row), order(row), result(row, identifier, row.get("value", ""), ""), *zmd(local)]


def pharmacy_message(row: dict[str, str]) -> Message:
    name, code = row.get("drug", ""), row.get("code", "")
    system = "ATC" if re.fullmatch(r"[A-Z]\d{2}[A-Z]{2}\d{2}", code) else "RXNORM"
    drug = f"{escaped(code)}^{escaped(name)}^{system}" if code else f"{escaped(name)}^{escaped(name)}^L"
    local = {column: row[column] for column in ("purpose", "ongoing", "last_confirmed_on") if column in row}
    per, status, action = row.get("per", ""), row.get("status", ""), row.get("action", "given")
    dose, unit = escaped(row.get("dose", "")), escaped(row.get("dose_unit", ""))
    start, stop, issued = (timestamp(row.get(column, "")) for column in ("start", "stop", "reported_at"))
    route = [f"RXR|{escaped(row['route'])}^{escaped(row['route'])}^L"] if "route" in row else []
    own = escaped(row.get("record_id", ""))
    if action == "ordered":
        pattern = {"day": "QD", "dose": "ONCE", "week": "QW"}.get(per, escaped(per))
        local |= {"status": status} if status else {}
        rxe = f"RXE||{drug}|{dose}||{unit}"
        lines = [f"ORC|NW||{own}||||||{issued}", rxe, *zmd(local), f"TQ1|1||{pattern}||||{start}|{stop}", *route]
        return "RDE^O11", "", [pid(row), *lines]
    local |= {"record_id": row.get("record_id", "")}
    local |= {"per": per} if per != "dose" else {}
    local |= {"stop": row["stop"]} if row.get("stop", "")[:10] == row.get("start", "")[:10] and stop else {}
    change = {"": "A", "entered_in_error": "D", "amended": "U"}.get(status, "X")
    local |= {"status": status} if change == "X" else {}
    local |= {} if "action" in row else {"action": ""}
    completion = {"given": "CP", "not_given": "NA"}.get(action, escaped(action))
    given = f"RXA|0|1|{start}|{stop}|{drug}|{dose}|{unit}" + "|" * 13 + f"{completion}|{change}|{issued}"
    return "RAS^O17", "", [pid(row), f"ORC|RE||{own}", given, *zmd(local), *route]


def pid(row: dict[str, str]) -> str:
    return f"PID|1||{escaped(row.get('patient_id', ''))}^^^^MR"


def order(row: dict[str, str]) -> str:
    return OBR.format(at=timestamp(row.get("at", "")), reported=timestamp(row.get("reported_at", "")))


def result(row: dict[str, str], identifier: str, value: str, unit: str, sub: str = "", printed: str = "") -> str:
    """One OBX: NM, SN, CWE or ST by what the value is."""
    kind, text = "ST", escaped(value)
    if NUMBER.fullmatch(value):
        kind = "NM"
    elif re.fullmatch(r"(<=?|>=?)\d+(\.\d+)?", value):
        digits = value.lstrip("<>=")
        kind, text = "SN", f"{value[: -len(digits)]}^{digits}"
    elif value.isalpha():
        kind, text = "CWE", f"^{value}"
    status = STATUS.get(row.get("status", ""), row.get("status", ""))
    fields = [
        "OBX", "1", kind, identifier, sub, text, escaped(unit), escaped(printed), "", "", "", escaped(status), "", "",
        timestamp(row.get("at", "")), escaped(row.get("laboratory", "")), "", escaped(row.get("assay", "")), "", "", "",
        escaped(row.get("record_id", "")),
    ]  # fmt: skip
    return "|".join(fields)


def zmd(columns: dict[str, str]) -> list[str]:
    """The local segment, for the segment before."""
    pairs = [f"{name}^{escaped(text)}" for name, text in columns.items()]
    return [f"ZMD|{'~'.join(pairs)}|99MDA5"] if pairs else []


def kind_where_it_differs(kind: str, analyte: str | None) -> dict[str, str]:
    """A mark for rows that stand in another file than their analyte usually does."""
    return {} if kind == (kinds.kind_of(analyte) if analyte else "labs") else {"kind_of_row": kind}


def fio2_unit(value: str) -> str:
    try:
        return "%" if Decimal(value) > 1 else "1"
    except InvalidOperation:
        return "1"


def timestamp(printed: str) -> str:
    """An ISO 8601 date as HL7 prints it; another text as it is."""
    read = ISO.fullmatch(printed)
    if not read:
        return escaped(printed)
    zone = (read[7] or "").replace("Z", "+0000").replace(":", "")
    return "".join(part or "" for part in read.groups()[:6]) + zone


def escaped(text: str) -> str:
    return "".join(ESCAPES.get(letter, letter) for letter in text)
