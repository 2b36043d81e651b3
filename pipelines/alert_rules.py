"""Which criteria raise an alert, how grave it is, and the numbers of its life cycle: dictionary/alerts.toml, checked.

Every severity and every number in it is a project default.
"""

import functools
from dataclasses import dataclass

import duckdb

from pipelines import dictionary
from pipelines.catalog import catalog

SEVERITIES = ("warning", "urgent")  # from the lower to the higher; their places are the ranks of the queries
RANKS = {severity: rank for rank, severity in enumerate(SEVERITIES, start=1)}
STALE = "stale_data"
STALE_TITLE = "No recent data"
TAG = "project default"


@dataclass(frozen=True)
class AlertRule:
    """How one criterion alerts. severity: below urgent_from_grade, where that is given. silent: why it does not, else None."""

    criterion: str
    severity: str | None = None
    urgent_from_grade: int | None = None
    silent: str | None = None
    unless_worse: bool = False
    two_sided: bool = False
    graded: bool = True

    @property
    def can_be_urgent(self) -> bool:
        return self.severity == "urgent" or self.urgent_from_grade is not None

    @property
    def words(self) -> str:
        """One line for a person, with its tag."""
        if self.silent:
            return f"Raises no alert: {self.silent} ({TAG})."
        said = f"a warning, urgent from grade {self.urgent_from_grade}" if self.urgent_from_grade else self.severity
        sides = "; out of range on either side, so that no result can be told to be no worse" if self.two_sided else ""
        return f"Alert: {said}{sides} ({TAG})."


def alert_rules() -> dict[str, AlertRule]:
    """Every block of alerts.toml by criterion, in its order. Raises ValueError for a block that says nothing, or two things."""
    return _alert_rules()


def alerting() -> dict[str, AlertRule]:
    """Those that raise an alert."""
    return {criterion: rule for criterion, rule in alert_rules().items() if not rule.silent}


def is_urgent(criterion: str, grade: int | None) -> bool:
    """Whether a flag of a criterion and grade is urgent; one that raises no alert is not."""
    rule = alerting().get(criterion)
    if rule is None:
        return False
    from_grade = rule.urgent_from_grade
    return rule.severity == "urgent" or (from_grade is not None and grade is not None and grade >= from_grade)


def number(name: str) -> int:
    """A number of the life cycle, in the unit of its block."""
    return dictionary.alerts()["number"][name]["value"]


def title(criterion: str) -> str:
    return STALE_TITLE if criterion == STALE else catalog().criteria[criterion].title


def group(criterion: str) -> str:
    return "monitoring" if criterion == STALE else catalog().criteria[criterion].group


def create_alerting(cursor: duckdb.DuckDBPyConnection, urgent_only: bool = False) -> None:
    """TEMP table alerting(criterion, rank, urgent_from, unless_worse, graded): those that raise an alert, or that can be urgent, and
    stale data."""
    rules = [
        rule
        for rule in alerting().values()
        if rule.criterion in catalog().criteria and (rule.can_be_urgent or not urgent_only)
    ]
    rules.append(AlertRule(STALE, "warning"))
    cursor.execute(
        """CREATE OR REPLACE TEMP TABLE alerting AS
        SELECT unnest($criteria) AS criterion, unnest($ranks) AS rank, unnest($urgent_from) AS urgent_from,
            unnest($unless_worse) AS unless_worse, unnest($graded) AS graded""",
        {
            "criteria": [rule.criterion for rule in rules],
            "ranks": [RANKS[rule.severity or "warning"] for rule in rules],
            "urgent_from": [rule.urgent_from_grade for rule in rules],
            "unless_worse": [rule.unless_worse for rule in rules],
            "graded": [rule.graded for rule in rules],
        },
    )


@functools.cache
def _alert_rules() -> dict[str, AlertRule]:
    rules = {}
    for criterion, block in dictionary.alerts()["rule"].items():
        rule = AlertRule(criterion, **block)
        said = [name for name in ("severity", "urgent_from_grade", "silent") if name in block]
        if len(said) != 1 or (rule.severity and rule.severity not in SEVERITIES):
            raise ValueError(f"alerts.toml: {criterion} has one of severity, urgent_from_grade and silent, not {said}")
        if rule.two_sided and rule.unless_worse:
            raise ValueError(f"alerts.toml: {criterion} is two-sided, so that 'unless_worse' cannot be told")
        rules[criterion] = rule
    return rules
