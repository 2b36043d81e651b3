"""From the rows of a file to records: coded, converted, rejected with a reason, or accepted as a version of a fact.

Rows come in batches and go through the SQL files of this folder, each making tables one can look at:

    received     the rows as text          numeral, instant, word   every number, date and fixed word printed, read once
    cell, ...    what a row says, named as the dictionary names it (labs.sql, pft.sql, oxygen.sql, administrations.sql, events.sql)
    converted    values in canonical units, as intervals (converted.sql)
    fault        everything wrong with a row          rejected   its first fault (rejected.sql, reasons.toml)
    arriving     the versions the rows bring          held       the stored versions that they may meet
    standing     which version stands and when it was closed (versions.sql)

received = accepted + duplicate + superseded + rejected: every row of `received` ends in source.row exactly once.
"""

import functools
import json
import tomllib
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import dictionary
from pipelines.ingest import patient_links, slips
from pipelines.ingest.columns import CHOICES, DATES, NUMBERS, WORDS
from pipelines.ingest.decimal_mark import decimal_mark
from pipelines.sources import Batch, Source, decisions, entries
from pipelines.sources.native_csv import COLUMNS
from pipelines.tombstones import Erased, HoldsErased, Tombstones

FOLDER = Path(__file__).parent
MOST_NUMERALS = 500_000  # different numbers remembered of a file, some 100 bytes each
READ = {
    "patients": ("patients",),
    "labs": ("labs", "converted"),
    "pft": ("pft", "converted"),
    "oxygen": ("oxygen", "converted"),
    "administrations": ("administrations",),
    "events": ("events",),
    "decisions": ("decided",),
    "entries": ("entries",),
    "unreadable": (),
}
OBSERVED = ("observations", "versions", "observations_kept")
ACCEPTED = {
    "patients": ("patients_kept",),
    "labs": ("labs_valued", *OBSERVED),
    "pft": ("cells_valued", *OBSERVED),
    "oxygen": ("cells_valued", *OBSERVED),
    "administrations": ("administrations_arriving", "versions", "administrations_kept"),
    "events": ("events_arriving", "versions", "events_kept"),
    "decisions": ("decided_kept",),
    "entries": ("entries_kept",),
    "unreadable": (),
}
BY_PEOPLE = ("csv/decisions", "csv/entries")
BRINGING = ("decisions", "entries")  # kinds of which a row may bring one of another kind (`brought`)
# Tables of one batch, which nothing reads afterwards.
PASSING = (
    "received", "fault", "number_text", "date_text", "word", "numeral", "instant", "named", "taken", "cell", "unit_read",
    "converted", "withdrawn", "rejected", "valued", "coded", "dosed", "person", "following", "arriving", "held", "fresh",
    "contender", "standing", "outcome", "entered", "waiting", "decided_on", "brought", "changed", "series", "slipped",
)  # fmt: skip


def ingest(
    con: duckdb.DuckDBPyConnection,
    file_id: int,
    source: Source,
    received_at: datetime,
    progress: Callable[[int], None] | None = None,
    tombstones: Tombstones | None = None,
) -> None:
    """Takes every row of a file into source.row, source.rejected and record.*, inside the caller's transaction if there is one.

    Leaves the TEMP table changed_patient(patient_id): whose records changed. Adds what a person should know to `source.notes` and
    to the file's row in source.file. `progress` is told the rows done; `source.position` of `source.size` bytes are read by then.
    Raises FileRefused where the file turns out to be unreadable, and HoldsErased where it speaks of an erased patient; the caller
    then rolls back. No row of such a patient was written anywhere until then.
    """
    erased = Erased(tombstones, received_at) if tombstones else None
    if erased is not None:
        erased.learn(source)
    _start(con, file_id, source, received_at)
    rows = 0
    for batch in source.batches():
        linked = patient_links.linked(con, source, batch)
        if erased is not None and erased.in_rows(source, batch, linked):
            raise HoldsErased
        _ingest_batch(con, linked)
        rows += batch.table.num_rows
        if progress:
            progress(rows)
    if erased is not None and erased.in_the_rest(source):
        raise HoldsErased
    if source.format not in BY_PEOPLE:  # there a person has looked
        slips.hold(con, source)
    patient_links.keep(con, source)
    _note(con, file_id, source)
    for table in PASSING:
        con.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _start(con: duckdb.DuckDBPyConnection, file_id: int, source: Source, received_at: datetime) -> None:
    if not con.execute("SELECT 1 FROM duckdb_tables() WHERE temporary AND table_name = 'unit_factor'").fetchone():
        dictionary.create_tables(con)  # a connection that loads many files makes them once
    con.execute(f"CREATE OR REPLACE TEMP MACRO plain_name(t) AS {dictionary.name_sql('t')}")
    con.execute(f"CREATE OR REPLACE TEMP MACRO plain_unit(t) AS {dictionary.unit_sql('t')}")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE receipt (file_id INTEGER, row_kind VARCHAR, received_at TIMESTAMP, decimal VARCHAR)"
    )
    con.execute("INSERT INTO receipt VALUES (?, NULL, ?, ?)", [file_id, received_at, decimal_mark(source)])
    con.execute(_sql("start"))
    con.execute("CREATE OR REPLACE TEMP TABLE number_text (text VARCHAR)")
    con.execute(f"CREATE OR REPLACE TEMP TABLE numeral AS {_sql('numeral')}")
    for name, rows in (("reason", _reason_rows()), ("choice", _choice_rows()), ("entry_rule", _entry_rows())):
        con.register("given_rows", rows)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM given_rows")
        con.unregister("given_rows")


@functools.cache
def _reason_rows() -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"reason": reason, "place": place, "acceptable": False} | block
            for place, (reason, block) in enumerate(reasons().items())
        ]
    )


@functools.cache
def _entry_rows() -> pa.Table:
    return pa.Table.from_pylist(
        [{"kind": kind, "past": rule.get("past", False)} for kind, rule in dictionary.entries().items()]
    )


@functools.cache
def _choice_rows() -> pa.Table:
    return pa.Table.from_pylist([
        {"field": field, "text": dictionary.normal_name(text), "value": value}
        for field, words in CHOICES.items()
        for value, texts in words.items()
        for text in (value, *texts)
    ])  # fmt: skip


def _ingest_batch(con: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    kind = batch.kind
    con.register("arrived", _whole(batch))
    # without the rows as received: what a transaction drops is kept until it ends, and they are the larger half of a file
    con.execute("CREATE OR REPLACE TEMP TABLE received AS SELECT * EXCLUDE (raw) FROM arrived")
    con.execute("UPDATE receipt SET row_kind = ?", [kind])
    _read_texts(con, kind)
    con.execute(_faults(kind))
    for step in READ[kind] + ("rejected",) + ACCEPTED[kind]:
        con.execute(_sql(step))
    con.unregister("arrived")
    if kind in BRINGING:
        for brought in _brought(con):
            _ingest_batch(con, brought)


def _brought(con: duckdb.DuckDBPyConnection) -> list[Batch]:
    """The rows on which people decided, as they are to be read now, and the events that people entered, by kind."""
    batches = []
    rows = con.execute("SELECT kind, line, raw, cells, unit FROM brought ORDER BY kind, line").fetchall()
    for kind, of_kind in groupby(rows, key=itemgetter(0)):
        corrected = (
            (line, raw, json.loads(text) | ({"unit": unit} if unit else {})) for _, line, raw, text, unit in of_kind
        )
        lines, raws, cells = zip(*corrected, strict=True)
        columns = {name: pa.array([row.get(name) for row in cells], pa.string()) for name in COLUMNS[kind]}
        batches.append(Batch(kind, pa.table({"line": pa.array(lines, pa.int32()), "raw": pa.array(raws)} | columns)))
    return batches


def _whole(batch: Batch) -> pa.Table:
    """All columns of the kind: absent ones NULL, blanks around a cell removed, empty cells NULL. `raw` is left as received."""
    table = batch.table
    columns = {name: table.column(name) for name in ("line", "raw")}
    for name in ("place", "cell_fault", *_columns(batch.kind)):
        if name not in table.column_names or table.column(name).null_count == table.num_rows:
            columns[name] = pa.nulls(table.num_rows, pa.string())
        elif name in ("place", "cell_fault"):
            columns[name] = table.column(name)
        else:
            cells = pc.utf8_trim_whitespace(table.column(name))
            columns[name] = pc.if_else(pc.equal(cells, ""), None, cells)
    return pa.table(columns)


def _columns(kind: str) -> tuple[str, ...]:
    if kind == "decisions":
        return ("patient_id", *decisions.FIELDS)
    if kind == "entries":
        return entries.FIELDS
    return COLUMNS.get(kind, ("patient_id",))


def _read_texts(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    for table, columns in (("number_text", NUMBERS.get(kind, ())), ("date_text", DATES.get(kind, {}))):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {_texts(columns)}")
    words = " UNION ALL ".join(
        f"SELECT DISTINCT '{column}' AS field, {column} AS text FROM received WHERE {column} IS NOT NULL"
        for column in WORDS.get(kind, ())
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE word AS SELECT printed.field, printed.text, choice.value "
        f"FROM ({words or 'SELECT NULL AS field, NULL AS text WHERE FALSE'}) AS printed "
        "LEFT JOIN choice ON choice.field = printed.field AND choice.text = plain_name(printed.text)"
    )
    _read_numbers(con)
    con.execute(_sql("instant"))


def _texts(columns: Iterable[str]) -> str:
    listed = (f'SELECT DISTINCT "{column}" AS text FROM received WHERE "{column}" IS NOT NULL' for column in columns)
    return " UNION ".join(listed) or "SELECT CAST(NULL AS VARCHAR) AS text WHERE FALSE"


def _read_numbers(con: duckdb.DuckDBPyConnection) -> None:
    """Adds the numbers of a batch that were not met before: a file repeats its numbers, and reading one is slow."""
    (known,) = con.execute("SELECT count(*) FROM numeral").fetchone()
    if known > MOST_NUMERALS:
        con.execute("DELETE FROM temp.numeral")
    con.execute("DELETE FROM temp.number_text WHERE text IN (SELECT text FROM numeral)")
    con.execute(f"INSERT INTO temp.numeral {_sql('numeral')}")


@functools.cache
def _faults(kind: str) -> str:
    """The faults that every kind of row can have: cells, patient, dates, numbers, words of a fixed choice."""
    parts = [
        "SELECT line, cell_fault, NULL, NULL, NULL FROM received WHERE cell_fault IS NOT NULL",
        "SELECT line, 'patient_missing', 'patient_id', NULL, NULL FROM received WHERE patient_id IS NULL",
    ][: 1 if kind == "decisions" else 2]
    for column, date in DATES.get(kind, {}).items():
        if date.needed:
            parts.append(
                f"SELECT line, 'date_missing', '{column}', NULL, NULL FROM received WHERE received.{column} IS NULL"
            )
        joined = f"FROM received JOIN instant ON instant.text = received.{column}"
        parts.append(
            f"SELECT line, '{date.unreadable}', '{column}', received.{column}, NULL {joined} WHERE instant.low IS NULL"
        )
        planned = " AND coalesce(plain_name(action), '') <> 'ordered'" if date.may_be_planned else ""
        parts.append(
            f"SELECT line, 'date_future', '{column}', received.{column}, NULL {joined} WHERE instant.future{planned}"
        )
    for column in NUMBERS.get(kind, ()):
        parts.append(
            f"SELECT line, 'decimal_ambiguous', '{column}', received.{column}, NULL "
            f"FROM received JOIN numeral ON numeral.text = received.{column} WHERE numeral.ambiguous"
        )
    for column in WORDS.get(kind, ()):
        words = ", ".join(CHOICES[column])
        if column != "per":  # a dose per something else is a dose unknown (administrations.sql)
            parts.append(
                f"SELECT line, '{column}_unknown', '{column}', {column}, '{column} is one of: {words}.' FROM received "
                f"WHERE {column} IN (SELECT text FROM word WHERE field = '{column}' AND value IS NULL)"
            )
    table = "CREATE OR REPLACE TEMP TABLE fault (line INTEGER, reason VARCHAR, field VARCHAR, found VARCHAR, detail VARCHAR);"
    return f"{table}\nINSERT INTO fault {' UNION ALL '.join(parts)}"


def _note(con: duckdb.DuckDBPyConnection, file_id: int, source: Source) -> None:
    mark, declared = con.execute("SELECT decimal FROM receipt").fetchone()[0], source.decimal is not None
    if mark == "unsettled":
        source.notes.append("decimal mark not settled by the file: numbers that depend on it are held")
    elif mark == "comma" or declared:
        source.notes.append(f"decimal mark: {mark}, {'declared' if declared else 'detected'}")
    for what, rows in con.execute(
        "SELECT what, sum(rows) FROM remark GROUP BY what HAVING sum(rows) > 0 ORDER BY what"
    ).fetchall():
        source.notes.append(f"{rows} {what}")
    con.execute("UPDATE source.file SET notes = ? WHERE file_id = ?", [list(source.notes), file_id])


@functools.cache
def reasons() -> dict[str, dict[str, str]]:
    """Every reason for which a row is not taken: class and hint, in order of precedence."""
    return tomllib.loads((FOLDER / "reasons.toml").read_text(encoding="utf-8"))


@functools.cache
def _sql(step: str) -> str:
    return (FOLDER / f"{step}.sql").read_text(encoding="utf-8")
