"""What hover box and table say of a result. What a whole series shares stands once, in its hover template."""

from functools import lru_cache

from dashboard import style
from dashboard.charts.scales import Scale, bound, sign
from dashboard.rows import source_of

SHARED = ("file", "laboratory", "assay", "received_at")
_unit = lru_cache(256)(style.unit)  # few units, many results
LONGEST = 48  # letters of a text from data in the hover box; the table has the whole


def shared(found: list[dict]) -> dict[str, str]:
    """Of laboratory, assay, file and day of receipt, those that all rows of a series have in common."""
    told = {key: {_value(row, key) for row in found} for key in SHARED}
    return {key: next(iter(values)) for key, values in told.items() if len(values) == 1 and values != {""}}


def template(name: str, common: dict[str, str]) -> str:
    """The hover template of a series: its name, the text of the point, what all points share, the day."""
    parts = ["%{hovertext}" + (f" of {plain(_cut(common['file']))}" if "file" in common else "")]
    parts += [plain(_told(key, common[key])) for key in SHARED[1:] if key in common]
    return f"{plain(name)}: {' · '.join(parts)} · %{{x|%-d %b %Y}}<extra></extra>"


def plain(text: str) -> str:
    """Text from data in a hover template, where %{...} would be read as a field."""
    return style.as_label(text).replace("%{", "%\u2060{")


def hover(row: dict, common: dict[str, str], scale: Scale, exchange: str) -> str:
    """The part of a point: value and unit, as printed where that is another, remarks, time, what the series does not share, line."""
    parts = [f"{value(row)} (unit assumed)" if row["unit_assumed"] else value(row)]
    if scale.percent and row["low"] is not None:
        parts.append(f"{scale.percentage(row)} of {scale.kind}")
    parts += [str(row[key]) for key in ("activity", "remark") if row.get(key)]
    if row["partial"]:
        parts.append(f"dated {row['partial']}")
    if row["status"] != "final":
        parts.append(row["status"])
    if exchange:
        parts.append(exchange)
    parts += [_told(key, _value(row, key)) for key in SHARED[1:] if key not in common and row.get(key)]
    if len(row["at"]) > 10:
        parts.append(row["at"][11:16])
    if "file" not in common:
        parts.append(source_of(row | {"file": _cut(row["file"])}, ":"))
    elif row["line"] is not None:
        parts.append(f"line {row['line']}")
    return style.as_label(" · ".join(parts))


def value(row: dict) -> str:
    """The value in its canonical unit; in brackets as printed, where that is another text: '90 ng/mL (printed 0.09 mg/L)'."""
    printed = " ".join(_cut(part) for part in (row["original_value"], row["original_unit"]) if part)
    if row["low"] is None:
        return printed
    shown = canonical(row)
    return (
        f"{_cut(row['original_value'])} {_unit(row['unit'])}".strip()
        if shown is None
        else f"{shown} (printed {printed})"
    )


def canonical(row: dict) -> str | None:
    """The value in its canonical unit, where that is not what is printed."""
    unit = _unit(row["unit"])
    as_printed = row["original_unit"] in (None, unit, row["unit"]) and _number(row["original_value"]) == bound(row)
    return None if as_printed else f"{sign(row)}{style.number(bound(row))} {unit}".strip()


def table_row(row: dict, what: str, scale: Scale, exchange: str) -> dict:
    """A row of the table twin: as printed, with the canonical value in the remark where it is another."""
    numeric = row["low"] is not None
    remark = [
        canonical(row) if numeric else None,
        f"{scale.percentage(row)} of {scale.kind}" if numeric and scale.percent else None,
        "unit assumed" if row["unit_assumed"] else None,
        *(row.get(key) for key in ("assay", "laboratory", "activity", "remark")),
        f"dated {row['partial']}" if row["partial"] else None,
        None if row["status"] == "final" else row["status"],
        exchange or None,
        _told("received_at", _value(row, "received_at")) if row.get("received_at") else None,
    ]
    return {
        "date": row["at"],
        "what": what,
        "value": row["original_value"],
        "unit": row["original_unit"] or _unit(row["unit"]) or None,
        "remark": ", ".join(part for part in remark if part) or None,
        "source": source_of(row),
    }


def _value(row: dict, key: str) -> str:
    found = row.get(key)
    return "" if found is None else str(found)[:16] if key == "received_at" else str(found)


def _told(key: str, text: str) -> str:
    return f"received {style.day(text[:10])} {text[11:]}".rstrip() if key == "received_at" else _cut(text)


def _cut(text: object) -> str:
    text = str(text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _number(text: str) -> float | None:
    try:
        return float(text.lstrip("<>=≤≥ "))
    except ValueError:
        return None
