"""One result against an earlier one, in words: how many fold, how many points. Censored results are intervals, and what an
interval leaves open is not said.

A result is a dict with low and high (None: unbounded); an exact one has both the same.
"""

import math


def fold(now: dict, before: dict) -> str:
    """'2.4-fold', '≥3.1-fold', '≤0.48-fold', '1.5 to 3-fold'; empty where nothing can be told, or the earlier one is nought.

    A bound is rounded to the side on which it stays true.
    """
    if not before["high"] and before["high"] is not None:
        return ""
    low = (now["low"] or 0) / before["high"] if before["high"] else 0
    high = now["high"] / before["low"] if before["low"] and now["high"] is not None else None
    if low == high:
        return f"{_rounded(low, round)}-fold"
    if low and high:
        return f"{_rounded(low, _down)} to {_rounded(high, _up)}-fold"
    if low:
        return f"≥{_rounded(low, _down)}-fold"
    return "" if high is None else f"≤{_rounded(high, _up)}-fold"


def points(now: dict, before: dict) -> str:
    """'+7 points', '−7.5 points', 'no change', 'at least 7 points lower'; empty where the direction cannot be told."""
    low = None if before["high"] is None else round(now["low"] - before["high"], 6)
    high = None if now["high"] is None else round(now["high"] - before["low"], 6)
    if low == high and low is not None:
        return f"{low:+.3g} point{'s' * (abs(low) != 1)}".replace("-", "−") if low else "no change"
    if low is not None and low > 0:
        return f"at least {low:.3g} points higher"
    return f"at least {-high:.3g} points lower" if high is not None and high < 0 else ""


def _rounded(size: float, to_whole) -> str:
    """Two digits that count, or whole numbers."""
    digits = 0 if size >= 10 else 1 if size >= 1 else 2 if size >= 0.1 else 3
    text = f"{to_whole(size * 10**digits) / 10**digits:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _down(size: float) -> int:
    return math.floor(size + 1e-9)  # 3.2 * 10 may be a hair under 32


def _up(size: float) -> int:
    return math.ceil(size - 1e-9)
