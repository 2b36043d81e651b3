"""How things look and how text from data is made safe: colours, marks, words, escaping. Nothing here knows a patient.

Text from hospital files is hostile until shown otherwise. It goes to the screen through `st.text`, tables, or one of the two
functions here: `as_markdown` where Streamlit reads Markdown, `as_label` where Plotly reads its own small HTML.
"""

import re
from datetime import date, datetime
from functools import lru_cache

from dashboard import deidentify, relative_days
from pipelines import catalog

# Okabe and Ito's colours, told apart by most colour-blind readers; every use has a second mark (shape, dash or hatching).
BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#6B7280"
PALE = "#E5E7EB"
INK = "#1F2937"

FONT = "'Source Sans', 'Source Sans Pro', 'Liberation Sans', Arial, sans-serif"

CLASS_COLOURS = {
    "glucocorticoid": ORANGE,
    "cni": GREEN,
    "cyclophosphamide": PURPLE,
    "mycophenolate": BLUE,
    "rituximab": SKY,
    "jak_inhibitor": VERMILION,
    "ivig": YELLOW,
    "pjp_prophylaxis": GREEN,
    "antibacterial": BLUE,
    "antiviral": SKY,
    "antifungal": ORANGE,
    "procedure": SKY,
}

GROUPS = catalog.GROUP_TITLES
GROUP_COLOURS = {
    "refractory": VERMILION,
    "transplant": BLUE,
    "progression": PURPLE,
    "therapy": ORANGE,
    "infection": GREEN,
    "monitoring": GREY,
    "prognosis": SKY,
}
STATUS_WORDS = catalog.STATUS_WORDS
STATUS_MARKS = {"met": "▲", "not_evaluable": "?", "not_met": "✓"}

CHART_CONFIG = {
    "showSendToCloud": False,  # plotly.js would offer to send the patient's figure to its makers
    "displaylogo": False,
    "displayModeBar": False,
    "responsive": True,
    "doubleClick": "reset",
}

_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
_FOUND_LATER = re.compile(r":(?=\S)|@|\bwww(?=\.)", re.IGNORECASE)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_markdown(text: object) -> str:
    """Text of any origin as Markdown that shows exactly that text: no link, image, formula, emoji, colour or icon.

    Punctuation is written as character references, which the reader turns into plain text after it has looked for marks. What is looked for
    in plain text afterwards (shortcodes such as `:smile:`, bare addresses) is kept apart by an unseen word joiner.
    """
    plain = _FOUND_LATER.sub(lambda found: found[0] + "\u2060", " ".join(str(text).split()))
    return _MARKDOWN.sub(lambda found: f"&#{ord(found[1])};", plain)


def as_label(text: object) -> str:
    """Text of any origin as a Plotly label, which reads a few HTML tags: shown as written."""
    plain = " ".join(str(text).split())
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_cell(text: object) -> str:
    """A value for a CSV file that a spreadsheet will not run as a formula. Numbers stay numbers; days are told as the screen does."""
    shown = "" if text is None else str(relative_days.cell(text))
    if shown.startswith(_FORMULA) and not re.fullmatch(r"[-+]?\d+(\.\d+)?", shown):
        return "'" + shown
    return shown


def day(value: date | datetime | str | None, year: bool = True) -> str:
    """A date as people in the room say it: 3 Sep 2021; one that counts from a first record (relative_days.py): day 12.

    While the de-identification switch is on a calendar date is not said: it belongs to no patient.
    """
    if value is None:
        return "no date"
    said = _day(value, year)
    return said if said.startswith("day ") or not deidentify.on() else NO_DATE


NO_DATE = "a date left out"


@lru_cache(maxsize=32768)  # each day is said several times, in hover boxes and tables
def _day(value: date | datetime | str, year: bool) -> str:
    if isinstance(value, str):
        value = date.fromisoformat(value[:10])
    if relative_days.is_relative(value):
        return relative_days.said(value)
    return f"{value.day} {value:%b %Y}" if year else f"{value.day} {value:%b}"


def born(person: dict) -> str | None:
    """'born 1955'; de-identified the band of the age at the first record. None: unknown."""
    if person.get("age_band"):
        return f"aged {person['age_band']}"
    return f"born {person['birth_year']}" if person["birth_year"] else None


def number(value: float | int | None) -> str:
    """A number without noise: 156.25 -> 156.2, 1650.0 -> 1650, 0.062 -> 0.062."""
    if value is None:
        return "unknown"
    size = abs(value)
    digits = 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def unit(ucum: str | None) -> str:
    """A UCUM unit as it is printed: {SI} -> SI, mm[Hg] -> mmHg, 10*9/L -> 10⁹/L; 1, which is no unit, is not."""
    if ucum == "1":
        return ""
    return re.sub(r"[\[\]{}]", "", ucum or "").replace("10*9", "10⁹")


def words(identifier: str | None) -> str:
    """An identifier of the dictionary or catalog as words: transplant_early_referral -> transplant early referral."""
    return (identifier or "").replace("_", " ")


def faded(colour: str, alpha: float) -> str:
    """#RRGGBB with an opacity, as CSS."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


# The left edge of a flag's card has the colour of its group, as its spells on the chart have.
_EDGES = "".join(
    f'[class*="st-key-flag-met-{group}"], [class*="st-key-flag-chosen-{group}"] {{ border-left-color: {colour}; }}\n'
    for group, colour in GROUP_COLOURS.items()
)

# Static, the same for everyone: density and hierarchy that Streamlit's own options do not reach.
SHEET = (
    """<style>
[data-testid="stMainBlockContainer"] { padding: 3.6rem 1.4rem 2rem 1.4rem; }
[data-testid="stVerticalBlock"] { gap: 0.5rem; }
.st-key-strip { display: grid; align-items: stretch; gap: 0.45rem; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); }
.st-key-strip > * { width: auto; min-width: 0; height: auto; }
.st-key-strip > * > [class*="st-key-card-"] { height: 100%; }
@media (min-width: 1000px) {   /* one row: the cards that say more are the wider ones */
    .st-key-strip { grid-template-columns: 1.3fr 1.3fr 1.2fr 0.95fr 0.95fr 1.55fr 0.8fr 0.8fr; } }
[class*="st-key-card-"] { padding: 0.3rem 0.55rem 0.35rem; gap: 0; border-radius: 8px; }
[class*="st-key-card-"] p { font-size: 0.77rem; opacity: 0.8; overflow-wrap: anywhere; }
[class*="st-key-card-"] p:has(strong) { opacity: 1; }
[class*="st-key-card-"] p:nth-of-type(2) strong { font-size: 1.08rem; }
[class*="st-key-card-stale-"], [class*="st-key-card-unknown-stale-"] { border: 2px dashed currentColor; }
.st-key-changes [data-testid="stMarkdownContainer"], .st-key-new-flags [data-testid="stMarkdownContainer"] { margin-bottom: 0; }
.st-key-facts [data-testid="stText"] { font-size: 0.86rem; line-height: 1.35; }
.st-key-changes p, .st-key-new-flags p { font-size: 0.86rem; line-height: 1.35; margin: 0; }
.st-key-changes [data-testid="stDateInput"],
.st-key-changes [data-testid="stNumberInput"] { display: flex; align-items: center; gap: 0.5rem; }
.st-key-changes [data-testid="stDateInput"] label,
.st-key-changes [data-testid="stNumberInput"] label { margin: 0; min-height: 0; white-space: nowrap; }
@media (min-width: 1000px) {
    .st-key-changes { flex-wrap: nowrap; }
    .st-key-changes > :first-child { flex: 1 1 0; min-width: 0; } }
[class*="st-key-change-list-"] { gap: 0.35rem; }
[class*="st-key-change-list-"] p, [class*="st-key-change-list-"] li { font-size: 0.86rem; line-height: 1.35; margin: 0; }
[class*="st-key-change-list-"] ul { margin: 0; padding-left: 1.2rem; }
[class*="st-key-change-list-"] [data-testid="stMarkdownContainer"],
[class*="st-key-change-list-"] [data-testid="stCaptionContainer"] { margin-bottom: 0; }
[class*="-new-"][class*="st-key-flag-met-"] { border-width: 2px 2px 2px 5px; }
[class*="st-key-flag-"] [data-testid="stMarkdown"] strong { font-size: 0.82rem; }
[class*="st-key-card-"] [data-testid="stMarkdownContainer"], [class*="st-key-flag-"] [data-testid="stMarkdownContainer"],
[class*="st-key-row-"] [data-testid="stMarkdownContainer"],
[class*="st-key-head-"] [data-testid="stMarkdownContainer"] { margin-bottom: 0; }
[class*="st-key-card-"] [data-testid="stCaptionContainer"], [class*="st-key-flag-"] [data-testid="stCaptionContainer"],
[class*="st-key-row-"] [data-testid="stCaptionContainer"] { margin-bottom: 0; }
[class*="st-key-flag-"] [data-testid="stPageLink"] a { padding: 0; margin: 0; }
[class*="st-key-row-"] [data-testid="stPageLink"] a { padding: 0 0 0.15rem; margin: 0; height: auto; }
[class*="st-key-row-"] [data-testid="stPageLink"] p {
    font-weight: 600; font-size: 0.95rem; white-space: normal; overflow-wrap: anywhere;
    color: color-mix(in srgb, #0072B2 65%, currentColor); }
[class*="st-key-row-"] p { font-size: 0.9rem; }
[class*="st-key-row-"] [data-testid="stCaptionContainer"] p { font-size: 0.8rem; }
[class*="st-key-row-"] [data-testid="stImage"] { line-height: 0; }
[class*="st-key-card-"] p { margin: 0; line-height: 1.3; }
[class*="st-key-card-unknown-"] p:nth-of-type(2) { opacity: 0.8; }
[class*="st-key-card-unknown-"] p:nth-of-type(2) strong { font-weight: 500; font-size: 0.92rem; }
[class*="st-key-flag-"] { padding: 0.45rem 0.7rem 0.55rem; gap: 0.15rem; border-radius: 8px; border-left: 5px solid #9CA3AF; }
[class*="st-key-flag-"] p { margin: 0; line-height: 1.35; }
[class*="st-key-flag-"] [data-testid="stText"] { line-height: 1.35; }
[class*="st-key-flag-"] [data-testid="stText"] { font-size: 0.875rem; }
[class*="st-key-flag-"] button { padding: 0; min-height: 0; text-align: left; justify-content: flex-start; }
[class*="st-key-flag-"] button p { font-weight: 600; font-size: 0.95rem; text-align: left; }
@media (min-width: 640px) { [class*="st-key-flags-of"] { max-height: 1500px; overflow-y: auto; flex-wrap: nowrap; padding: 3px; } }
[class*="st-key-flags-of"] > * { flex-shrink: 0; }
[class*="st-key-flag-alert-urgent"] { border-left: 9px solid #D55E00; }
[class*="st-key-flag-chosen"] { box-shadow: 0 0 0 2px #D55E00; }
[class*="st-key-flag-"] td, [class*="st-key-flag-"] th { padding: 2px 5px !important; font-size: 0.8rem; }
[class*="st-key-row-"] { border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); padding: 0.25rem 0 0.35rem; }
[class*="st-key-row-"] [data-testid="stVerticalBlock"] { gap: 0; }
[class*="st-key-open-"] button { padding: 0; min-height: 0; text-align: left; justify-content: flex-start; }
[class*="st-key-open-"] button p { font-weight: 600; overflow-wrap: anywhere; text-align: left; }
[class*="st-key-row-"] p { margin: 0; line-height: 1.35; }
[class*="st-key-row-"] [data-testid="stButton"] button { padding: 0.05rem 0.55rem; min-height: 0; text-align: left; }
[class*="st-key-row-"] [data-testid="stButton"] button p { overflow-wrap: anywhere; }
@media (max-width: 640px) { [class*="st-key-head-"] { display: none; } }
.st-key-worklist-author [data-testid="stTextInput"] { display: flex; align-items: center; gap: 0.5rem; }
.st-key-worklist-author label { margin: 0; min-height: 0; white-space: nowrap; }
[class*="st-key-rules-"] { gap: 0.1rem; }
[class*="st-key-rules-"] button { padding: 0.1rem 0.4rem; min-height: 0; justify-content: flex-start; width: 100%; }
[class*="st-key-rules-"] button p { text-align: left; font-size: 0.9rem; line-height: 1.3; }
[class*="st-key-rules-list"] button p { font-size: 0.85rem; }
[class*="st-key-rules-list"] { max-height: calc(100vh - 20rem); min-height: 14rem; overflow-y: auto; flex-wrap: nowrap; }
[class*="st-key-rules-list"] > * { flex-shrink: 0; }
[data-testid="stColumn"]:has([class*="st-key-rules-list"]) > div { position: sticky; top: 3.6rem; height: auto; }
[class*="st-key-rule-page"] td > div { max-width: none !important; }
[class*="st-key-example-"] table { width: auto; }
[class*="st-key-example-"] td, [class*="st-key-example-"] th { padding: 2px 10px 2px 4px !important; font-size: 0.85rem; }
[class*="st-key-example-expected-"] td { background: #F0F7F4; }
.st-key-changes [data-testid="stNumberInput"] > div { flex: 1 1 0; min-width: 0; }
.st-key-deidentify { position: fixed; top: 1rem; right: 4.5rem; z-index: 999991; width: auto; }
.st-key-deidentify p { font-size: 0.85rem; }
.st-key-deidentified-banner {
    background: color-mix(in srgb, #0072B2 14%, transparent); border-left: 4px solid #0072B2; border-radius: 4px;
    padding: 0.2rem 0.6rem; }
.st-key-deidentified-banner p { font-size: 0.82rem; line-height: 1.35; margin: 0; }
.st-key-deidentified-banner [data-testid="stMarkdownContainer"] { margin-bottom: 0; }
[class*="st-key-head-"] p { font-weight: 600; font-size: 0.8rem; color: #6B7280; margin: 0; }
"""
    + _EDGES
    + "</style>"
)
