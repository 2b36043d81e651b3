"""The alerts of patients, the digest, the alarm budget, and acknowledging: what the screens ask and enter about alerts."""

from dataclasses import replace
from datetime import date

from dashboard import deidentify, relative_days
from dashboard.data import deidentified
from dashboard.data.snapshot import as_stored, ask, provenance
from pipelines import alert_budget, alert_digest, alert_rules, alerts

CODES = {
    "evidence": "this evidence only: any new record re-opens it",
    "unless_worse": "also new records, unless they are worse",
}
SETTLE_DAYS = alert_rules.number("settle_days")
ACKNOWLEDGE_DAYS = alert_rules.number("acknowledge_days")


def alerts_of(patients: tuple[str, ...], as_of: date) -> list[dict]:
    """The alerts that live on a day of some patients (`pipelines.alerts.alerts`). Raises StoreEmpty."""
    return ask(_alerts_of, as_of, patients)


def _alerts_of(cursor, as_of: date, patients: tuple[str, ...]) -> list[dict]:
    return alerts.alerts(cursor, as_of, list(patients))


def digest_markdown(as_of: date, since: date | None = None, patients: tuple[str, ...] | None = None) -> str:
    """The digest before a meeting (`pipelines.alert_digest`) of some patients or of all; de-identified it says no day of its own.
    Raises StoreEmpty."""
    asked = None if patients is None else tuple(deidentified.whose(one).patient_id for one in patients)
    told = as_stored(_digest, as_of, since, asked)
    if not deidentify.on():
        return alert_digest.markdown(told)
    return alert_digest.markdown(_deidentified(told), lambda day: str(relative_days.cell(day)))


def _deidentified(told: alert_digest.Digest) -> alert_digest.Digest:
    unknown = [
        one | {"thing": deidentified.rows(one["thing"]), "patients": deidentified.labels(one["patients"])}
        for one in told.unknown
    ]
    alerts_told = {name: deidentified.rows(getattr(told, name)) for name in ("waiting", "covered", "running_out")}
    return replace(told, as_of=None, since=None, last=None, unknown=unknown, **alerts_told)


def _digest(cursor, as_of: date, since: date | None, patients: tuple[str, ...] | None) -> alert_digest.Digest:
    return alert_digest.read(cursor, as_of, since, None if patients is None else list(patients))


def budget(as_of: date) -> dict:
    """The alarm budget by a day (`pipelines.alert_budget.budget`). Raises StoreEmpty."""
    return ask(alert_budget.budget, as_of)


def words_of(criterion: str) -> str:
    """How a criterion alerts, one line with its tag."""
    return alert_rules.alert_rules()[criterion].words


def offered(alert: dict) -> list[str]:
    """The codes with which an alert may be acknowledged."""
    return [code for code in CODES if code == "evidence" or alert["unless_worse"]]


def acknowledgement(alert: dict, as_of: date, why: str, until: date, code: str) -> dict:
    """The entry that acknowledges an alert as it stands on a day."""
    row = {name: alert[name] for name in ("patient_id", "criterion", "item")}
    row |= {"kind": "acknowledgement", "why": why, "until": until, "code": code}
    return row | {"frozen": alerts.frozen(alert, provenance().snapshot, as_of)}
