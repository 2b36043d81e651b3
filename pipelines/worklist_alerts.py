"""What the worklist takes for an alert: which criteria alert, and which alerts are open as of a day."""

from datetime import date

import duckdb

from pipelines.catalog import catalog
from pipelines.worklist_groups import URGENT

ALERTING_GROUPS = ("refractory", "transplant", "infection", "therapy", "progression")


def alerting() -> frozenset[str]:
    """The criteria that a review must have seen."""
    return frozenset(rule.id for rule in catalog().criteria.values() if rule.group in ALERTING_GROUPS)


def create_alerts(cursor: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """TEMP table alert (patient_id, criterion, item, severity, since, state): every urgent criterion that is met as of a day is open."""
    cursor.execute(
        """CREATE OR REPLACE TEMP TABLE alert AS
        SELECT patient_id, criterion, item, 'urgent' AS severity, from_date AS since, 'open' AS state FROM result.spell
        WHERE criterion IN (SELECT unnest($urgent)) AND status = 'met'
            AND from_date <= $day AND (until_date IS NULL OR until_date > $day)""",
        {"urgent": list(URGENT), "day": as_of},
    )
