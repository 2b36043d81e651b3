"""The alerts before a meeting, as Markdown to be read, printed or sent. Every text from data is escaped: it shows, and does nothing."""

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
    """What lives on a day, of some patients or of all: per patient what is open or re-opened, urgent first; what is acknowledged and until
    when; which acknowledgements run out within 7 days; which urgent rules cannot be told, and what would settle them. What began after
    `since`, the last meeting, is marked new."""
    found = alerts(cursor, as_of, patients)
    waiting = [alert for alert in found if alert["state"] != "acknowledged"]
    covered = [alert for alert in found if alert["state"] == "acknowledged"]
    lines = [
        "# Alerts before the meeting",
        "",
        f"As of {as_of}" + (f", new since {since} marked ✱" if since else "") + ".",
        "",
    ]
    lines += [f"*{NOT_A_DEVICE} Severities and intervals are project defaults.*", ""]
    lines += [f"{_counted(waiting)} not acknowledged; {len(covered)} acknowledged.", ""]
    lines += _waiting(waiting, since)
    lines += _covered(covered)
    lines += _running_out(covered, as_of)
    lines += _unknown(cursor, as_of, patients, found)
    return "\n".join(lines).rstrip() + "\n"


def _counted(found: list[dict]) -> str:
    urgent = sum(alert["severity"] == "urgent" for alert in found)
    patients = len({alert["patient_id"] for alert in found})
    return f"{len(found)} alerts of {patients} patients, {urgent} of them urgent,"


def _waiting(found: list[dict], since: date | None) -> list[str]:
    """Patients with an urgent alert first, then by the newest."""
    by_patient: dict[str, list[dict]] = {}
    for alert in found:
        by_patient.setdefault(alert["patient_id"], []).append(alert)
    ordered = sorted(
        by_patient.items(),
        key=lambda each: (
            -max(one["rank"] for one in each[1]),
            -max(one["since"].toordinal() for one in each[1]),
            each[0],
        ),
    )
    lines = ["## Open and re-opened", ""]
    for patient_id, theirs in ordered:
        lines += [f"### {escaped(patient_id)}", ""]
        for alert in theirs:
            new = "✱ " if since and alert["since"] > since else ""
            said = [f"* {new}**{MARKS[alert['severity']]}: {_named(alert)}**, since {alert['since']}{_flaps(alert)}"]
            said += [f"    {escaped(alert['finding'])}"]
            said += [f"    Now: {escaped(alert['status_words'])}"] if alert["status_words"] else []
            said += [f"    Re-opened: {escaped(alert['because'])}"] if alert["because"] else []
            lines += ["\\\n".join(said)]
        lines += [""]
    return lines if found else [*lines, "None.", ""]


def _covered(found: list[dict]) -> list[str]:
    lines = ["## Acknowledged", ""]
    for alert in found:
        entry = alert["acknowledgement"]
        lines += [
            f"* {escaped(alert['patient_id'])}: {alert['severity']}, {_named(alert)}, since {alert['since']}; until {entry['until']} by "
            f"{escaped(entry['author'])} ({escaped(entry['author_known'])}): {escaped(entry['why'])}"
        ]
    return [*lines, ""] if found else [*lines, "None.", ""]


def _running_out(found: list[dict], as_of: date) -> list[str]:
    last = as_of + timedelta(days=RUNS_OUT_DAYS)
    soon = sorted(
        (alert for alert in found if alert["acknowledgement"]["until"] < last),
        key=lambda alert: (alert["acknowledgement"]["until"], alert["patient_id"]),
    )
    lines = [f"## Acknowledgements that run out before {last}", ""]
    lines += [
        f"* {alert['acknowledgement']['until']}: {escaped(alert['patient_id'])}, {_named(alert)}" for alert in soon
    ]
    return [*lines, ""] if soon else [*lines, "None.", ""]


# What urgent rules cannot tell of the living, whatever would settle it.
UNKNOWN = """
    SELECT criterion, what, list(DISTINCT patient_id ORDER BY patient_id) AS patients FROM (
        SELECT criterion, patient_id, unnest(missing) AS what FROM result.spell
        WHERE status = 'not_evaluable' AND from_date <= $day AND (until_date IS NULL OR until_date > $day)
        AND criterion IN (SELECT unnest($urgent)) AND ($everyone OR patient_id IN (SELECT unnest($patients)))
        AND patient_id NOT IN (FROM dead)) AS unknown
    GROUP BY criterion, what ORDER BY criterion, len(patients) DESC, what"""


def _unknown(
    cursor: duckdb.DuckDBPyConnection, as_of: date, patients: list[str] | None, found: list[dict]
) -> list[str]:
    """By rule and missing thing; an alert that has become unknown says so itself, above."""
    urgent = [criterion for criterion, rule in alert_rules.alerting().items() if rule.can_be_urgent]
    asked = {"day": as_of, "urgent": urgent, "everyone": patients is None, "patients": patients or []}
    above = {(alert["patient_id"], alert["criterion"]) for alert in found}
    rules, lines = catalog().criteria, ["## Urgent rules that cannot be told, and what would settle them", ""]
    before = None
    for criterion, what, those in cursor.execute(UNKNOWN, asked).fetchall():
        those = [patient for patient in those if (patient, criterion) not in above]
        if not those or criterion not in rules:
            continue
        if criterion != before:
            lines += [f"* **{escaped(rules[criterion].title)}**"]
            before = criterion
        named = ", ".join(escaped(patient) for patient in those[:MOST_PATIENTS])
        more = f" and {len(those) - MOST_PATIENTS} more" if len(those) > MOST_PATIENTS else ""
        lines += [f"    * {escaped(what)}: {len(those)} ({named}{more})"]
    return [*lines, ""] if before else [*lines, "None.", ""]


def _named(alert: dict) -> str:
    item = f" ({escaped(alert['item'].replace('_', ' '))})" if alert["item"] else ""
    return f"{escaped(alert['title'])}{item}"


def _flaps(alert: dict) -> str:
    return f", ceased and returned: {alert['flaps']} flaps" if alert["flaps"] > 1 else ""
