"""The alerts before a meeting, as Markdown to be read, printed or sent. Every text from data is escaped: it shows, and does nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from pipelines import alert_rules
from pipelines.alerts import alerts
from pipelines.catalog import catalog
from pipelines.rulebook.markdown import escaped

RUNS_OUT_DAYS = 7
MOST_PATIENTS = 10  # named behind one missing thing
NOT_A_DEVICE = (
    "Not a medical device. An alert says that a published condition is met on these records; what to do is not said."
)
MARKS = {"urgent": "▲▲ URGENT", "warning": "▲ warning"}


def digest(
    cursor: duckdb.DuckDBPyConnection, as_of: date, since: date | None = None, patients: list[str] | None = None
) -> str:
    """What `read` reads, as Markdown."""
    return markdown(read(cursor, as_of, since, patients))


@dataclass(frozen=True)
class Digest:
    """What lives on a day: the alerts (`alerts.alerts`, with `new`: began after the last meeting) that wait and that are `covered` by an
    acknowledgement, each in the order told, those `running_out` before `last`, and of urgent rules that cannot be told `unknown` (title,
    thing: what would settle it, patients: ids). The days are None where they are not to be said."""

    as_of: date | None
    since: date | None
    last: date | None
    marked: bool
    waiting: list[dict]
    covered: list[dict]
    running_out: list[dict]
    unknown: list[dict]


def read(
    cursor: duckdb.DuckDBPyConnection, as_of: date, since: date | None = None, patients: list[str] | None = None
) -> Digest:
    """What lives on a day, of some patients or of all: per patient what is open or re-opened, urgent first; what is acknowledged and until
    when; which acknowledgements run out within 7 days; which urgent rules cannot be told, and what would settle them. What began after
    `since`, the last meeting, is marked new."""
    found = [alert | {"new": bool(since and alert["since"] > since)} for alert in alerts(cursor, as_of, patients)]
    covered = [alert for alert in found if alert["state"] == "acknowledged"]
    last = as_of + timedelta(days=RUNS_OUT_DAYS)
    return Digest(
        as_of,
        since,
        last,
        since is not None,
        _in_order([alert for alert in found if alert["state"] != "acknowledged"]),
        covered,
        _running_out(covered, last),
        _unknown(cursor, as_of, patients, found),
    )


def markdown(told: Digest, day: Callable[[date], str] = str) -> str:
    """The digest as text; `day` prints a day of a patient."""
    dated = f"As of {told.as_of}" if told.as_of else "As of the day of the meeting"
    new = (
        f", new since {told.since} marked ✱" if told.since else ", new since the last meeting marked ✱"
    ) * told.marked
    lines = ["# Alerts before the meeting", "", f"{dated}{new}.", ""]
    lines += [f"*{NOT_A_DEVICE} Severities and intervals are project defaults.*", ""]
    lines += [f"{_counted(told.waiting)} not acknowledged; {len(told.covered)} acknowledged.", ""]
    lines += _waiting_lines(told.waiting, day)
    lines += _covered_lines(told.covered, day)
    before = f"before {told.last}" if told.last else f"within {RUNS_OUT_DAYS} days"
    lines += _section(
        f"## Acknowledgements that run out {before}",
        [
            f"* {day(alert['acknowledgement']['until'])}: {escaped(alert['patient_id'])}, {_named(alert)}"
            for alert in told.running_out
        ],
    )
    lines += _section("## Urgent rules that cannot be told, and what would settle them", _unknown_lines(told.unknown))
    return "\n".join(lines).rstrip() + "\n"


def _section(heading: str, lines: list[str]) -> list[str]:
    return [heading, "", *(lines or ["None."]), ""]


def _counted(found: list[dict]) -> str:
    urgent = sum(alert["severity"] == "urgent" for alert in found)
    patients = len({alert["patient_id"] for alert in found})
    return f"{len(found)} alerts of {patients} patients, {urgent} of them urgent,"


def _by_patient(found: list[dict]) -> dict[str, list[dict]]:
    by_patient: dict[str, list[dict]] = {}
    for alert in found:
        by_patient.setdefault(alert["patient_id"], []).append(alert)
    return by_patient


def _in_order(found: list[dict]) -> list[dict]:
    """Patients with an urgent alert first, then by the newest."""
    ordered = sorted(
        _by_patient(found).items(),
        key=lambda each: (
            -max(one["rank"] for one in each[1]),
            -max(one["since"].toordinal() for one in each[1]),
            each[0],
        ),
    )
    return [alert for _, theirs in ordered for alert in theirs]


def _waiting_lines(found: list[dict], day: Callable[[date], str]) -> list[str]:
    lines = ["## Open and re-opened", ""]
    for patient_id, theirs in _by_patient(found).items():
        lines += [f"### {escaped(patient_id)}", ""]
        for alert in theirs:
            new = "✱ " if alert["new"] else ""
            since = f"since {day(alert['since'])}{_flaps(alert)}"
            said = [f"* {new}**{MARKS[alert['severity']]}: {_named(alert)}**, {since}"]
            said += [f"    {escaped(alert['finding'])}"]
            said += [f"    Now: {escaped(alert['status_words'])}"] if alert["status_words"] else []
            said += [f"    Re-opened: {escaped(alert['because'])}"] if alert["because"] else []
            lines += ["\\\n".join(said)]
        lines += [""]
    return lines if found else [*lines, "None.", ""]


def _covered_lines(found: list[dict], day: Callable[[date], str]) -> list[str]:
    lines = []
    for alert in found:
        entry = alert["acknowledgement"]
        by = f" by {escaped(entry['author'])} ({escaped(entry['author_known'])}): {escaped(entry['why'])}"
        lines += [
            f"* {escaped(alert['patient_id'])}: {alert['severity']}, {_named(alert)}, since {day(alert['since'])}; "
            f"until {day(entry['until'])}{by if entry['author'] else ''}"
        ]
    return _section("## Acknowledged", lines)


def _running_out(found: list[dict], last: date) -> list[dict]:
    return sorted(
        (alert for alert in found if alert["acknowledgement"]["until"] < last),
        key=lambda alert: (alert["acknowledgement"]["until"], alert["patient_id"]),
    )


# What urgent rules cannot tell of the living, whatever would settle it.
UNKNOWN = """
    SELECT criterion, what, list(DISTINCT patient_id ORDER BY patient_id) AS patients FROM (
        SELECT criterion, patient_id, unnest(missing) AS what FROM result.spell
        WHERE status = 'not_evaluable' AND from_date <= $day AND (until_date IS NULL OR until_date > $day)
        AND criterion IN (SELECT unnest($urgent)) AND ($everyone OR patient_id IN (SELECT unnest($patients)))
        AND patient_id NOT IN (SELECT patient_id FROM dead)) AS unknown
    GROUP BY criterion, what ORDER BY criterion, len(patients) DESC, what"""


def _unknown(
    cursor: duckdb.DuckDBPyConnection, as_of: date, patients: list[str] | None, found: list[dict]
) -> list[dict]:
    """By rule and missing thing; an alert that has become unknown says so itself, above."""
    urgent = [criterion for criterion, rule in alert_rules.alerting().items() if rule.can_be_urgent]
    asked = {"day": as_of, "urgent": urgent, "everyone": patients is None, "patients": patients or []}
    above = {(alert["patient_id"], alert["criterion"]) for alert in found}
    rules, told = catalog().criteria, []
    for criterion, what, those in cursor.execute(UNKNOWN, asked).fetchall():
        those = [patient for patient in those if (patient, criterion) not in above]
        if those and criterion in rules:
            told.append({"title": rules[criterion].title, "thing": what, "patients": those})
    return told


def _unknown_lines(told: list[dict]) -> list[str]:
    lines, before = [], None
    for one in told:
        if one["title"] != before:
            before = one["title"]
            lines += [f"* **{escaped(before)}**"]
        those = one["patients"]
        named = ", ".join(escaped(patient) for patient in those[:MOST_PATIENTS])
        more = f" and {len(those) - MOST_PATIENTS} more" if len(those) > MOST_PATIENTS else ""
        lines += [f"    * {escaped(one['thing'])}: {len(those)} ({named}{more})"]
    return lines


def _named(alert: dict) -> str:
    item = f" ({escaped(alert['item'].replace('_', ' '))})" if alert["item"] else ""
    return f"{escaped(alert['title'])}{item}"


def _flaps(alert: dict) -> str:
    return f", ceased and returned: {alert['flaps']} flaps" if alert["flaps"] > 1 else ""
