"""What the commands print: JSON and CSV for programs, tables and sentences for people, progress on stderr.

Nothing that comes from a file is read as markup, or by the terminal as a command: it is printed as the text it is.
"""

import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from pipelines import accounting
from pipelines.erasure import ErasureReport
from pipelines.export import csv_cell, json_value, write_csv
from pipelines.load import FileReport, LoadReport, RebuildReport
from pipelines.load import Progress as ToldProgress
from pipelines.rule_versions import HASH_SHOWN, RuleChange
from pipelines.verify import Check

UNSEEN = ("Cc", "Cf", "Cs")  # Unicode categories: control, format, half of a pair
WIDTH_WITHOUT_SCREEN = 160  # columns, where the output goes to a file or another program


class Screen(Console):
    """A console that shows characters nobody can see (controls, marks of direction or of no width) as a replacement mark."""

    def print(self, *objects: object, **options: object) -> None:
        super().print(*(visible(part) if isinstance(part, str) else part for part in objects), **options)


def screen() -> Console:
    return Screen(markup=False, highlight=False, width=None if sys.stdout.isatty() else WIDTH_WITHOUT_SCREEN)


def visible(text: str) -> str:
    if text.isprintable():  # most are, and a chart's drawing is long
        return text
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(character) in UNSEEN and character not in "\n\t"
        else character
        for character in text
    )


@contextmanager
def progress_shown(quiet: bool) -> Iterator[ToldProgress | None]:
    """A progress display on stderr while the block runs; None when quiet or when stderr is no terminal."""
    console = Console(stderr=True, markup=False)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as display:
        tasks: dict[str, int] = {}

        def told(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                for task in tasks.values():
                    display.update(task, visible=False)
                tasks[step] = display.add_task(step, total=total)
            display.update(tasks[step], completed=done, total=total)

        yield told


def print_line(line: str) -> None:
    """One line for a person or a log, at once."""
    print(visible(" ".join(line.split())), flush=True)


def print_erasure(report: ErasureReport) -> None:
    """What was erased, and what a person still has to see to."""
    files = f"{len(report.files)} of {report.files_received} files were rewritten without the patient"
    print_line(f"Erased: {report.rows} rows taken out; {files}. Snapshot {report.snapshot} is the only one kept.")
    print_line(
        "Not reached from here: programs that have an older snapshot open (end them, and open the dashboard again), backups, exports, "
        "done/ and refused/ of inboxes, and the hospital's own files."
    )


def print_json(value: object) -> None:
    json.dump(value, sys.stdout, default=json_value, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def print_rows(rows: list[dict], form: str, columns: tuple[str, ...], shown: tuple[str, ...] | None = None) -> None:
    """Objects as 'json' (every key), as 'csv' (`columns`) or as a 'table' on the screen (`shown`)."""
    if form == "json":
        print_json(rows)
    elif form == "csv":
        write_csv(sys.stdout, list(columns), ([row[column] for column in columns] for row in rows))
    else:
        screen().print(_table(shown or columns, rows))


def _table(columns: tuple[str, ...], rows: list[dict]) -> Table:
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(visible(_cell(row[column]))) for column in columns))
    return table


def _cell(value: object) -> str:
    return csv_cell(value).removeprefix("'") if value is not None else ""


def load_object(report: LoadReport) -> dict:
    """The JSON of a load: the keys promised first, then what else a person may want to know."""
    return {
        "snapshot": report.snapshot,
        "patients_changed": report.patients_changed,
        "files": [asdict(file) for file in report.files],
        "recovered": [asdict(file) for file in report.recovered],
        "skipped": report.skipped,
        "rules_changed": [asdict(change) for change in report.rules_changed],
    }


def print_load(report: LoadReport) -> None:
    """A load for a person: each file's accounting, what was refused and why, what was passed over."""
    out = screen()
    if report.recovered:
        out.print("Received earlier, by a load that did not finish:")
        _print_files(out, report.recovered)
    _print_files(out, report.files)
    if report.skipped:
        out.print(f"Not tried, because they do not look like data: {', '.join(report.skipped)}")
    if any(file.rejected for file in report.files + report.recovered):
        out.print("`rejects` lists every rejected row with its reason and what to do.")
    print_rule_changes(out, report.rules_changed)
    out.print(f"Patients changed: {report.patients_changed}. Published as snapshot {report.snapshot}.")


def print_rule_changes(out: Console, changed: list[RuleChange]) -> None:
    if changed:
        out.print("Everyone was judged again, because rules changed:")
    for change in changed:
        version = f", version {change.version}" if change.version else ""
        through = through_others(change.criterion, change.parts)
        through = f", through {through}" if through else ""
        answers = {"new": "answers", "gone": "no more answers"}.get(change.change, "another answer")
        patients = f"{change.patients} patient{'s' * (change.patients != 1)}"
        out.print(f"  {change.criterion}: {change.change}{version}{through}; {answers} for {patients}. {change.why}")


def through_others(criterion: str, parts: Iterable[str]) -> str:
    """The other definitions, dictionary tables or site values through which a criterion changed."""
    return ", ".join(part for part in parts if part != criterion)


def print_rules(told: dict) -> None:
    """What judged a store, and what changed between two versions (`rule_versions.told`)."""
    out = screen()
    if not told["these_rules"]:
        out.print("The rules have changed since: the next load or rebuild judges everyone again.")
    shown = [
        row | {"hash": row["content_hash"][:HASH_SHOWN], "since": row["since"] or "not recorded"}
        for row in told["criteria"]
    ]
    out.print(_table(("criterion", "version", "hash", "since", "why"), shown))
    out.print("\nChanges" if told["changes"] else "\nNo rule has changed since this store was first judged.")
    if told["changes"]:
        changes = [row | {"through": through_others(row["criterion"], row["parts"])} for row in told["changes"]]
        out.print(_table(("judged_at", "criterion", "change", "version", "patients", "through", "why"), changes))


def _print_files(out: Console, files: list[FileReport]) -> None:
    if not files:
        return
    columns = ("file", "format", "received", *accounting.OUTCOMES)
    read = [asdict(file) | {"file": file.name, "format": file.format or "refused"} for file in files]
    out.print(_table(columns, read))
    for file in files:
        if file.refused:
            out.print(f"{file.name}: {file.refused}")
        for note in file.notes:
            out.print(f"{file.name}: {note}")


def rebuild_object(report: RebuildReport) -> dict:
    return {
        "snapshot": report.snapshot,
        "equal": report.equal,
        "tables": [asdict(table) for table in report.tables],
        "files": [asdict(file) for file in report.files],
        "rules_changed": [asdict(change) for change in report.rules_changed],
    }


def print_rebuild(report: RebuildReport) -> None:
    out = screen()
    for file in report.files:
        if file.refused:
            out.print(f"{file.name}: {file.refused}")
    for table in report.tables:
        differs = table.only_before or table.only_now
        verdict = f"differs: {table.only_before} rows only before, {table.only_now} only now" if differs else "equal"
        out.print(f"{table.table}: {table.rows} rows, {verdict}")
    print_rule_changes(out, report.rules_changed)
    if not report.tables:
        out.print("There was no snapshot to compare with.")
    elif report.equal:
        out.print("Every table is equal to before.")
    out.print(f"Published as snapshot {report.snapshot}.")


def print_checks(checks: list[Check]) -> None:
    out = screen()
    for check in checks:
        out.print(f"{'ok    ' if check.holds else 'FAILED'} {check.promise}: {check.found}")


def print_explanation(explained: dict) -> None:
    """One criterion of one patient: the answers with their evidence down to file and line, then the thresholds."""
    out = screen()
    day = f"as of {explained['as_of']}" if explained["as_of"] else "before anything was recorded"
    out.print(f"{explained['title']} ({explained['criterion']}), patient {explained['patient_id']}, {day}")
    out.print(explained["why"])
    if not explained["answers"]:
        out.print("No answer stands on that day: it is before the first record, or nothing was known of the patient.")
    for answer in explained["answers"]:
        item = f"{answer['item']}: " if answer["item"] else ""
        grade = "" if answer["grade"] is None else f", grade {answer['grade']}"
        margin = "" if answer["margin"] is None else f", margin {answer['margin']:g}"
        out.print(f"\n{item}{answer['status'].replace('_', ' ')} since {answer['since']}{grade}{margin}")
        out.print(answer["finding"])
        if answer["missing"]:
            out.print(f"What would settle it: {', '.join(answer['missing'])}")
        if answer["records"]:
            out.print(
                _table(
                    ("what", "value", "unit", "on", "file", "receipt", "line", "record_id"),
                    [_evidence(row) for row in answer["records"]],
                )
            )
        for flip in answer["flips"]:
            out.print(f"It would be {flip['becomes'].replace('_', ' ')} {_without(flip)}")
        if answer["status"] != "not_evaluable" and answer["records"]:
            if not answer["flips"]:
                out.print("No single record would turn it.")
            if answer["untried"]:
                out.print(f"{answer['untried']} more of its records, none of them weak, were not left out in turn.")
    if explained["thresholds"]:
        out.print("\nThresholds")
        out.print(_table(("name", "value", "unit", "tag", "cite", "citation"), explained["thresholds"]))
        for line in explained["thresholds"]:
            if site := line["site"]:
                out.print(_this_site(line["name"], site))
    for line in explained["site_values"]:
        out.print(
            _this_site(f'{line["name"]} of "{line["title"]}", which it reads, instead of {line["value"]}', line["site"])
        )


def _this_site(name: str, site: dict) -> str:
    return f"This site uses {site['value']} {site['unit']} for {name}: {site['why']} ({site['set_by']}, {site['on']})."


BASES = {
    "tie": "if this one of several of the same day did not count",
    "assumed date": "without this record, whose date is assumed",
    "estimated FiO2": "without the FiO2 estimated from this flow",
    "record": "without this record",
}


def _without(flip: dict) -> str:
    """What a flip leaves out, for the screen."""
    places = "; ".join(
        f"{row['what']} {row['value']} of {_evidence(row)['on']}, {row['file']}:{row['line']}"
        for row in flip["left_out"]
    )
    return f"{BASES[flip['basis']]}: {places}"


def _evidence(record: dict) -> dict:
    """A record of the evidence for the screen: its date as recorded, with the time of day only where one was given."""
    at = record["at"]
    return record | {"on": str(at if record["timed"] else getattr(at, "date", lambda: at)())}
