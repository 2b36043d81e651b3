"""The command line: python -m pipelines COMMAND.

Exit codes: 0 done; 1 it could not be done, or a check failed; 2 wrong usage; 3 a file was refused as a whole, the others
were loaded; 4 another process is writing to the store; 130 interrupted.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from pipelines import accounting, alert_digest, command_output, erasure, export, faults, findings, rule_versions
from pipelines import watch as watching
from pipelines.catalog import GROUPS
from pipelines.engines.inputs import Known
from pipelines.errors import Refusal, StoreBusy
from pipelines.identity import PatientIds
from pipelines.load import Progress, load, rebuild
from pipelines.sources import Declared
from pipelines.store.database import Store, memory_limit, open_snapshot
from pipelines.verify import verify

FAILED, FILE_REFUSED, BUSY, INTERRUPTED = 1, 3, 4, 130

DecimalMark = StrEnum("DecimalMark", ["comma", "dot"])
Status = StrEnum("Status", ["met", "not_met", "not_evaluable"])
Group = StrEnum("Group", list(GROUPS))
RowFormat = StrEnum("RowFormat", ["csv", "json"])
FindingFormat = StrEnum("FindingFormat", ["table", "csv", "json"])
TableFormat = StrEnum("TableFormat", list(export.WRITERS))
RulesFormat = StrEnum("RulesFormat", ["table", "json"])
DocumentFormat = StrEnum("DocumentFormat", ["md", "pdf"])

DEFAULT_STORE = Path("store")
asked_of = DEFAULT_STORE  # the store of the running command, whose logs take the details of a fault


def _note_store(folder: Path) -> Path:
    global asked_of
    asked_of = folder
    return folder


StoreFolder = Annotated[
    Path,
    typer.Option("--store", envvar="MDA5_STORE", help="The store's folder.", file_okay=False, callback=_note_store),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        help="What had happened by this day. Default: the last recorded day among what is read.",
    ),
]


def _moment(text: str) -> datetime:
    """A moment of local time; a day alone is taken to its end, as --as-of takes it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no moment such as 2024-06-01 or 2024-06-01T14:30:00") from None
    if moment.tzinfo is not None:
        raise typer.BadParameter(f"'{text}' has an offset: a moment is given in local time")
    return moment if "T" in text or " " in text else moment.replace(hour=23, minute=59, second=59, microsecond=999_999)


KnownAt = Annotated[
    datetime | None,
    typer.Option(
        parser=_moment,
        metavar="DATE[THH:MM:SS]",
        help="Only what its sources had made known at this moment (local time; a day alone: by its end).",
    ),
]
ReceivedAt = Annotated[
    datetime | None,
    typer.Option(
        parser=_moment,
        metavar="DATE[THH:MM:SS]",
        help="Only what this store had received at this moment (local time; a day alone: by its end).",
    ),
]
DecimalOption = Annotated[DecimalMark | None, typer.Option(help="The decimal mark of these files, where you know it.")]
AssignerOption = Annotated[
    str | None,
    typer.Option(help="The ids of patients are identifiers that this authority gave: they become pseudonyms."),
]
PseudonymousOption = Annotated[
    bool | None,
    typer.Option(
        "--pseudonymous/--identifiers",
        help="The ids of patients are pseudonyms already and are kept, or they are identifiers. "
        "Default: kept in CSV and Excel files with native columns, identifiers in FHIR and HL7.",
    ),
]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Hospital files in, published clinical criteria with their evidence out. Not a medical device.",
)


@app.command("load")
def load_command(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", exists=True, help="Files, or folders to read with all below them."),
    ],
    store: StoreFolder = DEFAULT_STORE,
    decimal: DecimalOption = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="The mapping file that says what the columns of these files are."
        ),
    ] = None,
    assigner: AssignerOption = None,
    pseudonymous: PseudonymousOption = None,
    json: AsJson = False,
) -> None:
    """Load files into the store, judge the patients they change, and publish.

    Exit 0 when every file was read (single rows may be rejected), 3 when a file was refused as a whole.
    """
    declared = _declared(decimal, assigner, pseudonymous, mapping)
    with _long_work(quiet=json) as progress:
        report = load(Store(store), paths, progress, declared=declared)
    if json:
        command_output.print_json(command_output.load_object(report))
    else:
        command_output.print_load(report)
    if any(file.refused for file in report.files + report.recovered):
        raise typer.Exit(FILE_REFUSED)


def _declared(
    decimal: DecimalMark | None, assigner: str | None, pseudonymous: bool | None, mapping: Path | None = None
) -> Declared:
    if assigner and pseudonymous:
        raise typer.BadParameter(
            "ids are either pseudonyms already, or identifiers of an assigner", param_hint="--assigner"
        )
    return Declared(decimal and str(decimal), PatientIds(assigner, pseudonymous), mapping)


@app.command("watch")
def watch_command(
    inbox: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="The folder into which files are dropped.")
    ],
    store: StoreFolder = DEFAULT_STORE,
    interval: Annotated[
        float,
        typer.Option(min=0.1, help="Seconds between two looks; a file is loaded when two in a row found it alike."),
    ] = watching.INTERVAL,
    once: Annotated[bool, typer.Option("--once", help="Load what is there, then end: for cron.")] = False,
    decimal: DecimalOption = None,
    assigner: AssignerOption = None,
    pseudonymous: PseudonymousOption = None,
) -> None:
    """Load what appears in a folder; each file goes to done/ or refused/ in it, with a report beside it.

    X.mapping.toml beside X is used to read it. Ctrl+C or SIGTERM ends it after the file in hand. With --once: exit 3 when a
    file was refused.
    """
    declared = _declared(decimal, assigner, pseudonymous)
    with watching.stopped_by_signals() as stop, _long_work(quiet=False) as progress:
        refused = watching.watch(
            Store(store), inbox, declared, interval, once, stop, command_output.print_line, progress
        )
    if once and refused:
        raise typer.Exit(FILE_REFUSED)


@app.command("map")
def map_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A table: CSV or Excel.")],
    out: Annotated[
        Path | None, typer.Option("--out", dir_okay=False, help="The mapping file to write; one that exists is kept.")
    ] = None,
) -> None:
    """Propose a mapping file for a table with local column names. Nothing is loaded; a person completes and approves it."""
    from pipelines import mapping

    text = mapping.proposal_text(file)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        with out.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        raise Refusal("A file of that name exists.", str(out), "Choose another name, or remove it first.") from None
    except OSError as error:
        raise Refusal(f"It cannot be written: {error.strerror}.", str(out)) from None
    typer.echo(
        f"Proposed mapping written to {out}: complete it, say who approved it and when, then load with it.", err=True
    )


@app.command("rebuild")
def rebuild_command(store: StoreFolder = DEFAULT_STORE, json: AsJson = False) -> None:
    """Make the store again from the files received, and say whether every table is equal to before.

    Exit 0 in both cases: after a change of rules or dictionaries the tables ought to differ.
    """
    existing = _existing(store)
    with _long_work(quiet=json) as progress:
        report = rebuild(existing, progress)
    if json:
        command_output.print_json(command_output.rebuild_object(report))
    else:
        command_output.print_rebuild(report)


@app.command("erase")
def erase_command(
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's id in the store.")],
    by: Annotated[str, typer.Option(metavar="WHO", help="Who erases; it is kept.")],
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept. No names.")] = "",
    assigner: Annotated[
        str | None,
        typer.Option(help="PATIENT is an identifier that this authority gave, and has a pseudonym in the store."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    store: StoreFolder = DEFAULT_STORE,
) -> None:
    """Erase a patient from every file received, every table and every snapshot; no later load brings the patient back.

    It cannot be undone. Killed at any instant, it goes on when it, or any load, is run again.
    """
    existing = _existing(store)
    if assigner is not None:
        patient = PatientIds(assigner, key_check=existing.key_check).pseudonym(patient.strip())
    if not yes:
        records, files = erasure.held(existing, patient)
        asked = f"{patient}: {records} records and rejected rows in {files} files. Erase this patient for good?"
        typer.confirm(command_output.visible(asked), abort=True, err=True)
    with _long_work(quiet=False) as progress:
        report = erasure.erase(existing, patient, by, why, progress)
    command_output.print_erasure(report)


@app.command("findings")
def findings_command(
    patient: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this patient; may be given again.")
    ] = None,
    criterion: Annotated[str | None, typer.Option(metavar="ID", help="Only this criterion.")] = None,
    group: Annotated[Group | None, typer.Option(help="Only the criteria of this group.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only these answers.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    received_at: ReceivedAt = None,
    history: Annotated[
        bool, typer.Option("--history", help="Every judged date up to that day, not only what stands.")
    ] = False,
    form: Annotated[FindingFormat, typer.Option("--format")] = FindingFormat.table,
    store: StoreFolder = DEFAULT_STORE,
) -> None:
    """What stands on a day: met, not met or cannot be told, with the sentence and the records behind it."""
    asked = findings.history if history else findings.standing
    with open_snapshot(store) as snapshot, snapshot.cursor() as cursor:
        rows = asked(
            cursor,
            as_of=as_of and as_of.date(),
            patients=patient or None,
            criterion=criterion,
            group=group and str(group),
            status=status and str(status),
            known=_known(known_at, received_at),
        )
    on_screen = ("patient_id", "criterion", "item", "status", "on_date", "finding")
    command_output.print_rows(rows, form, (*findings.COLUMNS, "group", "finding"), on_screen)


def _known(known_at: datetime | None, received_at: datetime | None) -> Known:
    if known_at and received_at:
        raise typer.BadParameter("ask for one past moment: --known-at or --received-at", param_hint="--received-at")
    return Known(known_at, received_at)


@app.command("digest")
def digest_command(
    store: StoreFolder = DEFAULT_STORE,
    as_of: AsOf = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Mark as new what began after this day, such as the last meeting."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write. Default: print it.", dir_okay=False)] = None,
) -> None:
    """Write the alerts before a meeting as Markdown: what is open, what is acknowledged, what cannot be told."""
    with open_snapshot(store) as snapshot, snapshot.cursor() as con:
        day = as_of.date() if as_of else findings.last_recorded_day(con)
        text = alert_digest.digest(con, day, since and since.date()) if day else "Nothing is recorded.\n"
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, encoding="utf-8")


@app.command("explain")
def explain_command(
    patient: Annotated[str, typer.Argument(help="The patient's id.")],
    criterion: Annotated[str, typer.Argument(help="The criterion's id.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    received_at: ReceivedAt = None,
    json: AsJson = False,
    store: StoreFolder = DEFAULT_STORE,
) -> None:
    """Why an answer stands: its thresholds with their papers, each record of evidence down to file and line, and what would turn it."""
    with open_snapshot(store) as snapshot, snapshot.cursor() as cursor:
        explained = findings.explain(cursor, patient, criterion, as_of and as_of.date(), _known(known_at, received_at))
    if json:
        command_output.print_json(explained)
    else:
        command_output.print_explanation(explained)


@app.command("rules")
def rules_command(
    form: Annotated[RulesFormat, typer.Option("--format")] = RulesFormat.table, store: StoreFolder = DEFAULT_STORE
) -> None:
    """Which version of which rule judged this store, since when, and what changed between two versions for how many patients."""
    with open_snapshot(store) as snapshot, snapshot.cursor() as cursor:
        told = {"snapshot": snapshot.number} | rule_versions.told(cursor, rule_versions.Ledger(store))
    if form == "json":
        command_output.print_json(told)
    else:
        command_output.print_rules(told)


@app.command("rejects")
def rejects_command(
    form: Annotated[RowFormat, typer.Option("--format")] = RowFormat.csv, store: StoreFolder = DEFAULT_STORE
) -> None:
    """Every row that stands rejected: file, line, reason, what was found, what to do, and the row itself."""
    with open_snapshot(store) as snapshot, snapshot.cursor() as cursor:
        rows = accounting.rejected_rows(cursor)
    command_output.print_rows(rows, form, accounting.REJECTED_COLUMNS)


@app.command("export")
def export_command(
    table: Annotated[
        str, typer.Argument(help="A table of the store: observation, administration, event, patient, spell, ...")
    ],
    out: Annotated[Path, typer.Option("--out", dir_okay=False, help="The file to write; one that exists is replaced.")],
    form: Annotated[TableFormat, typer.Option("--format")] = TableFormat.csv,
    store: StoreFolder = DEFAULT_STORE,
) -> None:
    """Write one whole table of the published snapshot to a file. An unknown name lists the tables there are."""
    with open_snapshot(store) as snapshot, snapshot.cursor() as cursor:
        rows = export.export(cursor, Store(store), table, form, out)
    typer.echo(f"{rows} rows of {table} written to {out}", err=True)


@app.command("rulebook")
def rulebook_command(
    form: Annotated[DocumentFormat, typer.Option("--format")],
    out: Annotated[Path, typer.Option("--out", dir_okay=False, help="The file to write; one that exists is replaced.")],
    without_counts: Annotated[
        bool,
        typer.Option(
            "--without-counts", help="Leave out in how many patients each criterion is met; no store is needed then."
        ),
    ] = False,
    store: StoreFolder = DEFAULT_STORE,
) -> None:
    """Write the rulebook for a committee: every criterion with its numbers, sources, history and worked examples."""
    from pipelines.rulebook import content, documents
    from pipelines.rulebook.counts import count

    counted = None
    if not without_counts:
        with open_snapshot(store) as snapshot, snapshot.cursor() as cursor:
            counted = count(cursor, snapshot.number)
    documents.write(content.rulebook(counted), str(form), out, Store(store))
    typer.echo(f"Rulebook written to {out}", err=True)


@app.command("verify")
def verify_command(store: StoreFolder = DEFAULT_STORE, json: AsJson = False) -> None:
    """Prove that nothing was lost or invented. Exit 0 only when every check holds."""
    with _long_work(quiet=json) as progress:
        checks = verify(_existing(store), progress)
    if json:
        command_output.print_json([vars(check) for check in checks])
    else:
        command_output.print_checks(checks)
    if not all(check.holds for check in checks):
        raise typer.Exit(FAILED)


def _existing(folder: Path) -> Store:
    """A store that was loaded into before: no folder is made by only asking about it. Raises StoreEmpty."""
    store = Store(folder)
    if not store.landing.manifest.exists():
        open_snapshot(folder).close()
    return store


def main() -> None:
    """Runs a command. A person sees one line for what went wrong, never a traceback (unless MDA5_DEBUG is set)."""
    try:
        app(prog_name="python -m pipelines")
    except Refusal as refusal:
        if faults.debugging():
            raise
        _end(str(refusal), BUSY if isinstance(refusal, StoreBusy) else FAILED)
    except duckdb.OutOfMemoryException:
        limit = memory_limit()
        _end(
            f"DuckDB may take {limit} of memory, which is not enough for this. Set MDA5_MEMORY, such as 4GB, and try again.",
            FAILED,
        )
    except Exception as error:
        if faults.debugging():
            raise
        incident = faults.record_fault(asked_of, error)
        _end(
            f"This program failed (incident {incident}). See the store's logs, or run again with MDA5_DEBUG=1.", FAILED
        )


@contextmanager
def _long_work(quiet: bool) -> Iterator[Progress | None]:
    """Progress while the block runs, and a word for a person who interrupts it."""
    try:
        with command_output.progress_shown(quiet) as progress:
            yield progress
    except KeyboardInterrupt:
        _end("Interrupted. What was published before still stands; load again to go on.", INTERRUPTED)


def _end(line: str, code: int) -> None:
    typer.echo(" ".join(line.split()), err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
