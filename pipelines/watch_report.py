"""The report that lies beside a file of a watched folder: its accounting and why rows were rejected, without a word of the rows."""

from pathlib import Path

import duckdb

from pipelines import accounting, ingest, receipts
from pipelines.load import FileReport
from pipelines.store.database import Store, open_snapshot
from pipelines.store.landing import Receipt

MAP_HINT = (
    "If its columns have local names, `python -m pipelines map FILE` proposes a mapping file: complete it, put it into the inbox "
    "as FILE.mapping.toml, and move the file back there."
)
TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".xlsm")


def told_of(store: Store, reports: list[FileReport]) -> list[dict]:
    """The reports of files that were just loaded, or refused, in one load; ready for JSON."""
    if all(report.refused for report in reports):
        return [_refused(report) for report in reports]
    arrivals: dict[str, list[Receipt]] = {}
    for receipt in store.landing.receipts():
        arrivals.setdefault(receipt.sha256, []).append(receipt)
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        return [
            _refused(report) if report.refused else _loaded(cursor, report, arrivals[report.sha256])
            for report in reports
        ]


def _loaded(cursor: duckdb.DuckDBPyConnection, report: FileReport, arrivals: list[Receipt]) -> dict:
    """`arrivals`: every receipt of these bytes, the last being the one reported."""
    *earlier, last = arrivals
    counts = accounting.outcomes(cursor, [receipt.sequence for receipt in earlier]) if earlier else {}
    again = [f"the same bytes were received before (receipt {earlier[-1].sequence})"] if earlier else []
    return _common(report, "loaded") | {
        "notes": report.notes + again,
        "receipt": last.sequence,
        "received_at": last.received_at.isoformat(),
        "declared": last.declared,
        "rejected": [
            row | {"hint": ingest.reasons().get(row["reason"], {}).get("hint")}
            for row in receipts.reasons_of(cursor, last.sequence)
        ],
        "received_before": [
            {
                "receipt": receipt.sequence,
                "received_at": receipt.received_at.isoformat(),
                "accounting": counts.get(receipt.sequence),
            }
            for receipt in earlier
        ],
    }


def _refused(report: FileReport) -> dict:
    table = Path(report.name).suffix.lower() in TABLES
    hint = MAP_HINT if table and "pipelines map" not in report.refused else ""
    return _common(report, "refused") | {"why": without_quotes(report.refused), "hint": hint}


def _common(report: FileReport, outcome: str) -> dict:
    return {
        "outcome": outcome,
        "sha256": report.sha256,
        "format": report.format,
        "accounting": {name: getattr(report, name) for name in ("received", *accounting.OUTCOMES)},
        "notes": report.notes,
    }


def without_quotes(said: str) -> str:
    """A refusal without what it quotes from the file: a line taken for a header may hold a patient's name."""
    parts = said.split("'")
    if len(parts) < 3:
        return said
    return "'…'".join(parts[0::2]) if len(parts) % 2 else f"{parts[0]}'…'"
