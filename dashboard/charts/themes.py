"""The dark form of a finished figure: every colour of the light one has its counterpart, so that no panel knows of themes."""

import re

from dashboard import style

DARK = {
    "#FFFFFF": "#0E1117",  # Streamlit's own dark background
    style.INK: "#E8EAED",
    style.GREY: "#A3A9B3",
    style.PALE: "#343A46",
    "#EEF0F3": "#232833",
    "#F3F4F6": "#1D222B",
    style.BLACK: "#FFFFFF",
    style.BLUE: "#4FA8E0",  # lighter where the light page's blue would sink
    "#8A5F00": "#D9A94A",
}
_COLOUR = re.compile("|".join(re.escape(colour) for colour in DARK))
_WHITE_VEIL = re.compile(r"rgba\(255,\s*255,\s*255,")


def dark(figure: dict) -> dict:
    """The same figure on a dark page."""
    return _dark(figure)


def _dark(part: object) -> object:
    if isinstance(part, dict):
        return {name: _dark(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_dark(value) for value in part]
    if isinstance(part, str) and ("#" in part or "rgba(" in part):
        return _WHITE_VEIL.sub("rgba(14,17,23,", _COLOUR.sub(lambda found: DARK[found[0]], part))
    return part
