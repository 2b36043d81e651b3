"""What the number formats of a workbook make of a number: a date, a time, a percentage, or a number as it is.

Excel keeps a date as a count of days; only the cell's number format says that it is one.
"""

import re
from datetime import date, timedelta
from decimal import Decimal

# Formats that every Excel has without writing them down (ECMA-376 part 1, 18.8.30), with those of the East Asian editions.
BUILT_IN = {
    **dict.fromkeys((14, 15, 16, 18, 19, 20, 21, 22, 45, 47, *range(27, 37), *range(50, 59)), "date"),
    17: "month",  # mmm-yy
    46: "duration",  # [h]:mm:ss
    9: "percent",
    10: "percent",
}
LONGEST_FORMAT = 1000  # Excel allows 255 characters
# What is shown as it stands: quoted, escaped, filled or left out; colours, conditions and locales in brackets
LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]')
LAST_DAY = 2_958_465  # 9999-12-31
ZEROS = re.compile(r"0{2,40}")
PLAIN_INTEGER = re.compile(r"(?:0|-?[1-9]\d{0,14})\Z")


def format_kind(code: str) -> str | None:
    """What a format code shows: 'date' (or a time), 'month' (no day), 'year', 'duration', 'percent', None for a number;
    '00000' for a whole number that is shown with leading zeros (a patient's number is often such)."""
    shown = LITERAL.sub("", code[:LONGEST_FORMAT]).lower().split(";")[0]
    if re.search(r"\[[hms]+\]", shown):
        return "duration"
    if ZEROS.fullmatch(shown):
        return shown
    if re.search(r"[#?]|(?<![.0,])0", shown) or shown.strip() in ("general", "@", ""):
        return "percent" if "%" in shown else None
    if "h" in shown or "s" in shown or "d" in shown:
        return "date"
    if "y" in shown or "e" in shown:
        return "month" if "m" in shown else "year"
    return "month" if "mmm" in shown else None


def number_text(printed: str) -> str:
    """A number of a cell, to the 15 digits that Excel shows: 0.30000000000000004 is 0.3, and 123.0 is 123. Other texts as they stand."""
    printed = printed.strip()
    if PLAIN_INTEGER.match(printed):
        return printed
    try:
        number = Decimal(f"{float(printed):.15g}")
    except (ValueError, OverflowError, ArithmeticError):
        return printed
    if not number.is_finite():
        return printed
    return _plain(number)


def _plain(number: Decimal) -> str:
    number = number.normalize()
    if number.is_zero():
        return "0"
    return f"{number:f}" if -15 <= number.adjusted() <= 20 else str(number)


def percent_text(printed: str) -> str:
    """A share in a cell shown as a percentage, as it is shown: 0.45 is 45%."""
    text = number_text(printed)
    try:
        return _plain(Decimal(text) * 100) + "%"
    except ArithmeticError:
        return text


def date_text(printed: str, shown: str, from_1904: bool) -> str:
    """ISO 8601 of a count of days: a date, a date with its time, or a time of day. What is none of them is given as a number.

    A date in a format without a day ('month', 'year') that lies on the first is what Excel makes of "Jul 2021": it is given
    as 2021-07. The day 60 of the 1900 system is 1900-02-29, which Excel invented: it is given so, and no reader takes it.
    """
    try:
        days = float(printed)
    except ValueError:
        return printed
    if not 0 <= days < LAST_DAY + 1:
        return number_text(printed)
    thousandths = round((days % 1) * 86_400_000)
    whole = int(days) + thousandths // 86_400_000
    time = _time(thousandths % 86_400_000)
    if shown == "duration":
        return _hours(whole, time)
    if whole == 0 and not (from_1904 and days == 0):
        return time or "00:00"
    day = _day(whole, from_1904)
    if day is None:
        return number_text(printed)
    if time:
        return f"{day}T{time}"
    if shown == "year" and day.endswith("-01-01"):
        return day[:4]
    return day[:7] if shown in ("month", "year") and day.endswith("-01") else day


def _day(whole: int, from_1904: bool) -> str | None:
    if not from_1904 and whole == 60:
        return "1900-02-29"
    start = date(1904, 1, 1) if from_1904 else date(1899, 12, 31 if whole < 60 else 30)
    try:
        return (start + timedelta(days=whole)).isoformat()
    except OverflowError:
        return None


def _time(thousandths: int) -> str:
    """'08:30', with seconds and thousandths where there are any; '' at midnight."""
    if not thousandths:
        return ""
    minutes, rest = divmod(thousandths, 60_000)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}"
    if rest:
        text += f":{rest // 1000:02d}"
    return f"{text}.{rest % 1000:03d}" if rest % 1000 else text


def _hours(days: int, time: str) -> str:
    hours, _, rest = (time or "00:00").partition(":")
    return f"{days * 24 + int(hours)}:{rest}"
