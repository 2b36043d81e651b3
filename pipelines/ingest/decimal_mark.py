"""The decimal mark is a property of a file, settled from all its numbers together: never from a single cell.

0,5 can only have a decimal comma and 0.5 only a decimal dot; 1,234 can be either. 1.234 is read as it stands in a file whose cells
are separated by commas; in any other it can be either too, for such files come from where the comma is the decimal mark. Numbers
with a decimal comma and none with a decimal dot: comma. Numbers with a decimal dot and none with a decimal comma, or no mark
at all: dot. Anything else is not settled, and numbers that depend on it are held until someone declares the mark.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ingest.columns import NUMBERS
from pipelines.sources import Source

NUMBER_WITH_MARK = re.compile(
    r"^(?:<=|>=|[<>≤≥=＜＞])?\s*[+−-]?"
    r"(?P<digits>\d[\d., \u00a0\u202f\u2009]*|[.,]\d+)"
    r"(?:[eE][+-]?\d+)?\s*%?\s*(?:HH|LL|[HL*NA])?$"
)
BY_COMMA = r"[1-9]\d{0,2}(?:,\d{3})"  # one group of thousands; a quantifier follows
BY_DOT = r"[1-9]\d{0,2}(?:\.\d{3})"
BY_BLANK = r"[1-9]\d{0,2}(?:[ \u00a0\u202f\u2009]\d{3})"
AMBIGUOUS_COMMA = re.compile(rf"{BY_COMMA}$")
AMBIGUOUS_DOT = re.compile(rf"{BY_DOT}$")
DECIMAL_COMMA = re.compile(rf"(?:\d*|{BY_DOT}+|{BY_BLANK}+),\d+$|{BY_DOT}{{2,}}$")
DECIMAL_DOT = re.compile(rf"(?:\d*|{BY_COMMA}+)\.\d+$|{BY_COMMA}{{2,}}$")


def decimal_mark(source: Source) -> str:
    """'comma', 'dot' or 'unsettled'. Reads the whole file once more where a cell can contain a comma.

    What was `settled` while the file was whole holds for what an erasure leaves of it.
    """
    if source.decimal or getattr(source, "settled", None):
        return source.decimal or source.settled
    if not source.may_hold_commas:
        return "dot"
    seen = {"comma": False, "dot": False, "either": False}
    notes = list(source.notes)
    for kind, table in source.batches():
        for column in NUMBERS.get(kind, ()):
            for text in _texts_with_mark(table, column):
                seen[_speaks_for(text, source.separated_by_comma)] = True
        if seen["comma"] and seen["dot"]:
            break
    source.notes[:] = notes  # this was not the reading that counts
    if seen["comma"] and seen["dot"]:
        return "unsettled"
    if seen["comma"]:
        return "comma"
    return "unsettled" if seen["either"] and not seen["dot"] else "dot"


def _texts_with_mark(batch: pa.Table, column: str) -> list[str]:
    if column not in batch.column_names:
        return []
    distinct = pc.unique(batch.column(column))
    texts = pc.filter(distinct, pc.fill_null(pc.match_substring_regex(distinct, "[.,]"), False)).to_pylist()
    digits = (NUMBER_WITH_MARK.match(text.strip()) for text in texts)
    return [found["digits"].strip() for found in digits if found]


def _speaks_for(digits: str, separated_by_comma: bool) -> str:
    """'comma', 'dot', 'either' (1,234) or 'none' of a number's digits."""
    if AMBIGUOUS_COMMA.match(digits):
        return "either"
    if AMBIGUOUS_DOT.match(digits):  # a number in a dot file, a thousand in a comma file
        return "none" if separated_by_comma else "either"
    if DECIMAL_COMMA.match(digits):
        return "comma"
    return "dot" if DECIMAL_DOT.match(digits) else "none"
