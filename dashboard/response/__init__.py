"""The response strip: what was measured in the 28 days after each therapy start, pulse or exchange, side by side from day 0.

`starts` lists them, `figure` draws the chosen ones, `table` is the same as rows and `alt` as a sentence. All are pure functions of
the page's tables; nothing here queries.
"""

from dashboard.response.cells import MOST
from dashboard.response.drawing import figure, shown_by_default
from dashboard.response.therapies import AFTER, BEFORE, definition, starts
from dashboard.response.twin import alt, table

__all__ = ["AFTER", "BEFORE", "MOST", "alt", "definition", "figure", "shown_by_default", "starts", "table"]
