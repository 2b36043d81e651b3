"""Which format the dates of a column are probably in, and whether they say it. Only ever proposed."""

import re

from pipelines.mapping import dates

NAME = re.compile(
    r"(?:^|_)(?:date|datum|day|dt|at|time|visit_date|collected|collection|sampled|drawn|fecha|datetime)(?:_?\d{1,3})?$|^date_|_date_|^日付$"
)
ISO = re.compile(r"\d{4}(-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?)?)?\Z")
FORMATS = (
    "DD.MM.YYYY", "D.M.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "D/M/YYYY", "M/D/YYYY", "YYYY/MM/DD", "YYYY/M/D", "YYYY.MM.DD", "YYYYMMDD",
    "DD-MM-YYYY", "MM-DD-YYYY", "DD-MMM-YYYY", "D MMM YYYY", "DD/MM/YY", "MM/DD/YY", "DD.MM.YY", "DD.MM.YYYY hh:mm", "DD/MM/YYYY hh:mm",
    "MM/DD/YYYY hh:mm", "DD-MMM-YYYY hh:mm", "YYYY/MM/DD hh:mm",
)  # fmt: skip
SWAPPED = {format: format.replace("DD", "#").replace("MM", "DD", 1).replace("#", "MM") if "DD" in format
           else format.replace("D", "#").replace("M", "D", 1).replace("#", "M") for format in FORMATS
           if "MMM" not in format and not format.startswith("YYYY")}  # fmt: skip
ENOUGH = 0.6  # share of a column's filled cells that must be dates


def is_date_name(plain: str) -> bool:
    """Whether the name of a column (in normal form) says that it holds dates."""
    return bool(NAME.search(plain))


def looks_like_dates(plain: str, texts: list[str]) -> bool:
    """Whether most texts are dates of one format, whatever the name; a lone year or 8 digits count only under such a name."""
    named = is_date_name(plain)
    filled = [text.strip() for text in texts if text.strip()]
    if not filled:
        return named
    candidates = [text for text in filled if named or not text.isdigit()]
    iso = sum(bool(ISO.match(text)) for text in candidates)
    best = max((_fits(format, candidates) for format in FORMATS), default=0)
    return max(iso, best) >= ENOUGH * len(filled)


def _fits(format: str, texts: list[str]) -> int:
    pattern = dates.compiled(format)
    return sum(dates.iso(text, pattern) is not None for text in texts)


def format_of(texts: list[str]) -> tuple[str | None, str]:
    """(format, remark). None where the dates are ISO 8601 already, or do not tell the day from the month."""
    filled = [text.strip() for text in texts if text.strip()]
    iso = sum(bool(ISO.match(text)) for text in filled)
    if not filled or iso == len(filled):
        return None, f"{iso} of {len(filled)} cells are ISO dates" if filled else "no cell is filled"
    fits = {format: _fits(format, filled) for format in FORMATS}
    best = max(fits, key=fits.__getitem__)
    if not fits[best]:
        return None, f"{iso} of {len(filled)} cells are ISO dates; the format of the others is not known"
    said = f"{fits[best]} of {len(filled)} cells are {best}"
    other = SWAPPED.get(best)
    both = _fits(other, filled) if other else 0
    if other and both == fits[best]:
        return None, f"{said}, and as many are {other}: the cells do not tell the day from the month. Look it up"
    return best, said + (f", {iso} are ISO" if iso else "") + (f"; {both} would also fit {other}" if both else "")
