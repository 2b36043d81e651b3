"""Runs the catalog's SQL on DuckDB: for everyone, for the patients a load changed, or for one patient as known at a moment.

One code path: the input tables are filtered, the same files run in the same order. Everything intermediate is a TEMP table
of the connection given, so a reader can replay a patient on a published snapshot without writing to it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import duckdb

from pipelines import patient_state, rule_versions
from pipelines.catalog import Catalog, Definition, catalog
from pipelines.engines import inputs, relevance
from pipelines.engines.criterion_tables import Judged, tell, told
from pipelines.engines.inputs import Known, Variant

HERE = Path(__file__).parent
SPELLS = (HERE / "spells.sql").read_text(encoding="utf-8")
PARTIAL_DATES = (HERE / "partial_dates.sql").read_text(encoding="utf-8")
RUNS = (HERE / "runs.sql").read_text(encoding="utf-8")
DIFFERING = (HERE / "differing.sql").read_text(encoding="utf-8")
Moved = dict[str, dict[str, Decimal | int]]  # definition id -> threshold name -> value used instead
# Criteria are told together while their rows are few: a statement costs milliseconds, whatever it does.
ROWS_TOGETHER = 100_000
ALL_KNOWN = Known()


def evaluate(
    con: duckdb.DuckDBPyConnection,
    patients: list[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    rules: Catalog | None = None,
    moved: Moved | None = None,
) -> None:
    """Judges all patients (None) or some, and replaces their rows in result.spell and in the kept concepts.

    When the rules are not those that judged the store, everyone is judged. Law: any sequence of evaluations of the
    patients that changed gives the same tables as one evaluation of all. `progress` is told (files done, files in all).
    """
    with evaluated(con, patients, progress, rules, moved) as replace_rows:
        replace_rows()


@contextmanager
def evaluated(
    con: duckdb.DuckDBPyConnection,
    patients: list[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    rules: Catalog | None = None,
    moved: Moved | None = None,
) -> Iterator[Callable[[], None]]:
    """`evaluate` in two steps: all is judged, in TEMP tables alone, before the block begins, and what the block is given replaces
    the rows. So that only the second has to be in a transaction: what a transaction drops, TEMP tables too, DuckDB holds until it
    ends, and of 20,000 patients that is many times what may be held.
    """
    rules = rules or catalog()
    if not judged_by_these_rules(con, rules) or not _kept_by_these_rules(con, rules):
        patients = None
    with _temporary(con):
        order = rules.needed(lambda definition: definition.kind == "criterion" or definition.kept)
        inputs.create_inputs(con, patients, Known(), rules.tables_read(order))
        judged, read = _judged(rules, order, moved), _read(rules, order)
        partial = _create_relevant(con, rules, order)
        narrow = relevance.facts_asked(rules, order) if partial and patients is None else {}
        together = _told_together(judged)
        spells, waiting, kept, labels, rows, held = [], [], [], None, {}, set()
        for done, definition_id in enumerate(order):
            if narrow and narrow[definition_id] != labels:
                labels = narrow[definition_id]
                inputs.read_only_for(con, labels)
            rows[definition_id] = _create_table(con, rules[definition_id], judged, moved, read)
            held.add(definition_id)
            if definition_id in judged:
                waiting.append(judged[definition_id])
                ready = [one for one in waiting if together[one.name] <= rows.keys()]
                if sum(rows[one.name] for one in ready) > ROWS_TOGETHER:
                    spells += _tell_spells(con, ready, len(spells), few=False)
                    waiting = [one for one in waiting if one not in ready]
            elif rules[definition_id].kept:
                kept.append(definition_id)
                con.execute(f"CREATE TEMP TABLE theirs_{definition_id} AS {THEIRS_OF.format(concept=definition_id)}")
            held -= _drop_done(con, rules, order, done, judged, waiting, held)
            if progress:
                progress(done + 1, len(order))
        few = sum(rows[one.name] for one in waiting) <= ROWS_TOGETHER
        spells += _tell_spells(con, waiting, len(spells), few)

        def replace_rows() -> None:
            for concept in kept:
                _keep(con, concept, everyone=patients is None)
            con.execute("DELETE FROM result.spell WHERE patient_id IN (SELECT patient_id FROM asked)")
            # One insert: DuckDB 1.5.5 can hide rows when a large one follows one of no rows (sources/native_csv.py).
            told_rows = " UNION ALL BY NAME ".join(f"SELECT * FROM {table}" for table in spells)
            con.execute(f"INSERT INTO result.spell BY NAME {told_rows}")
            patient_state.write(con)
            rule_versions.write(con, rules)

        yield replace_rows


def replay(
    cursor: duckdb.DuckDBPyConnection,
    patients: list[str],
    known: Known = ALL_KNOWN,
    rules: Catalog | None = None,
    moved: Moved | None = None,
    criteria: Iterable[str] | None = None,
    variants: Iterable[Variant] = (),
) -> None:
    """Makes, as TEMP tables on the cursor, the inputs and concepts of the patients and every judged date of every rule, or of
    the `criteria` asked for, with only what they read.

    `judgement` has the standard columns plus criterion, since (first day of the run of that status and grade) and
    until_date (exclusive, NULL: stands to the end). Only what was `known` is read. A variant has rows under its own id,
    the patient's and the variant's with chr(30) between.
    """
    rules = rules or catalog()
    drop_temporary(cursor)
    wanted = None if criteria is None else frozenset(criteria)
    order = rules.order if wanted is None else rules.needed(lambda definition: definition.id in wanted)
    inputs.create_inputs(cursor, patients, known, rules.tables_read(order), variants)
    _create_relevant(cursor, rules, order)
    judged, read = _judged(rules, order, moved), _read(rules, order)
    for definition_id in order:
        _create_table(cursor, rules[definition_id], judged, moved, read)
    asked = [one for one in judged.values() if wanted is None or one.name in wanted]
    if asked:  # a catalog of concepts alone judges nothing
        _create_judgement(cursor, asked, "judgement")


def judge_again(cursor: duckdb.DuckDBPyConnection, definition: Definition, moved: dict[str, Decimal | int]) -> str:
    """After a replay: one criterion or concept alone with some thresholds moved. Returns the name of the table it made,
    which has the form of `judgement` for a criterion; nothing that reads the definition is judged again."""
    table = f"moved_{definition.id}"
    if definition.kind == "concept":
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {definition.bound(definition.sql, moved)}")
        return table
    again = Judged(definition, table, moved, _judged(catalog(), catalog().order, None))
    again.create(cursor, read_by_others=False)
    _create_judgement(cursor, [again], f"{table}_judgement")
    return f"{table}_judgement"


def _read(rules: Catalog, order: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*(rules[definition_id].reads for definition_id in order))


def _judged(rules: Catalog, order: tuple[str, ...], moved: Moved | None) -> dict[str, Judged]:
    """The criteria among these definitions; each may look up those before it."""
    judged: dict[str, Judged] = {}
    for name in order:
        if name in rules.criteria:
            judged[name] = Judged(rules[name], name, (moved or {}).get(name), judged)
    return judged


def _create_table(
    con: duckdb.DuckDBPyConnection,
    definition: Definition,
    judged: dict[str, Judged],
    moved: Moved | None,
    read: frozenset[str],
) -> int:
    """`read` names the tables that some definition of this evaluation reads. Returns the number of rows."""
    if definition.id in judged:
        return judged[definition.id].create(con, definition.id in read)
    sql = definition.bound(definition.sql, (moved or {}).get(definition.id))
    return con.execute(f"CREATE TEMP TABLE {definition.id} AS {sql}").fetchone()[0]


def _create_relevant(con: duckdb.DuckDBPyConnection, rules: Catalog, order: tuple[str, ...]) -> bool:
    """relevant(criterion, world_id): the further readings that each criterion judges. Says whether any date is partial."""
    if not inputs.create_labels(con):
        return False
    labels = [
        (criterion, label)
        for criterion, read in relevance.facts_read(rules, order).items()
        if criterion in rules.criteria
        for label in sorted(read)
    ]
    con.execute(
        """CREATE TEMP TABLE relevant AS SELECT DISTINCT criterion, world_id FROM world_label
        JOIN (SELECT unnest($criteria) AS criterion, unnest($labels) AS label) AS read USING (label)""",
        {"criteria": [criterion for criterion, _ in labels], "labels": [label for _, label in labels]},
    )
    return True


def _told_together(judged: dict[str, Judged]) -> dict[str, set[str]]:
    """Per criterion those that look one another up: what several ask of a criterion is said once when they are told together."""
    together = {name: {name} for name in judged}
    for one in judged.values():
        for other in one.definition.looked_up & judged.keys():
            joined = together[one.name] | together[other]
            for name in joined:
                together[name] = joined
    return together


def _drop_done(
    con: duckdb.DuckDBPyConnection,
    rules: Catalog,
    order: tuple[str, ...],
    done: int,
    judged: dict[str, Judged],
    waiting: list[Judged],
    held: set[str],
) -> set[str]:
    """Drops the tables that nothing still to come reads: they are most of what an evaluation of everyone holds. Returns which."""
    needed = {one.name for one in waiting}.union(*(rules[later].reads for later in order[done + 1 :]))
    for definition_id in reversed(order[: done + 1]):
        if definition_id in needed:
            needed |= rules[definition_id].looked_up
    dropped = held - needed
    for definition_id in dropped:
        if definition_id in judged:
            judged[definition_id].drop(con)
        else:
            con.execute(f"DROP TABLE {definition_id}")
    return dropped


def _create_runs(con: duckdb.DuckDBPyConnection, judged: list[Judged]) -> bool:
    """run, and standing_run: those of the patients on whom the readings of partial dates agree. Says whether `differing`, the
    criteria and patients where they do not, has any.
    """
    light = " UNION ALL ".join(one.light_rows() for one in judged)
    con.execute(f"CREATE OR REPLACE TEMP TABLE run AS {RUNS.replace('FROM light', f'FROM ({light}) AS light')}")
    if not con.execute("SELECT count(*) FROM world").fetchone()[0]:
        con.execute("CREATE OR REPLACE TEMP VIEW standing_run AS SELECT * FROM run")
        return False
    # judging: which further readings each criterion judges, for judged days in [cut, until).
    con.execute(
        """CREATE OR REPLACE TEMP TABLE judging AS
        SELECT criterion, patient_id, world_id, cut, coalesce(until, DATE '9999-12-31') AS until
        FROM relevant JOIN world USING (world_id)"""
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE differing AS {DIFFERING}")
    con.execute(
        """CREATE OR REPLACE TEMP VIEW standing_run AS SELECT * FROM run
        ANTI JOIN world ON world.world_id = run.patient_id
        ANTI JOIN differing ON differing.criterion = run.criterion AND differing.patient_id = run.patient_id"""
    )
    return bool(con.execute("SELECT count(*) FROM differing").fetchone()[0])


DIFFERING_PATIENTS = """
    SELECT patient_id FROM differing WHERE criterion = '{criterion}'
    UNION ALL
    SELECT judging.world_id FROM differing JOIN judging USING (criterion, patient_id) WHERE criterion = '{criterion}'"""


def _create_partly_judged(con: duckdb.DuckDBPyConnection, judged: list[Judged]) -> None:
    """judged: the whole answers where readings of partial dates differ, brought together."""
    rows = [
        one.judged_rows(f"patient_id IN ({DIFFERING_PATIENTS.format(criterion=one.definition.id)})") for one in judged
    ]
    item_from = (
        "min(CASE WHEN item IS NOT NULL THEN on_date END) OVER (PARTITION BY criterion, patient_id) AS item_from"
    )
    con.execute(f"CREATE TEMP TABLE judged_all AS SELECT *, {item_from} FROM ({_together(rows)})")
    con.execute(f"CREATE TEMP TABLE judged AS SELECT *, {item_from} FROM ({PARTIAL_DATES})")
    con.execute("DELETE FROM judged WHERE item IS NULL AND item_from <= on_date")
    con.execute("DROP TABLE judged_all")


def _tell_spells(con: duckdb.DuckDBPyConnection, judged: list[Judged], number: int, few: bool) -> list[str]:
    """Makes tables of the spells of some criteria in the form of result.spell, and returns their names. Where the rows are few all
    of them are told: to choose among them costs more."""
    if not judged:
        return []
    differ = _create_runs(con, judged)

    def row_ids(one: Judged) -> str:
        """The last rows of runs, and all of those whose readings differ."""
        criterion = one.definition.id
        last = f"SELECT last_row FROM standing_run WHERE criterion = '{criterion}' AND last_row IS NOT NULL"
        whole = (
            f"SELECT rowid FROM {one.name}_row WHERE patient_id IN ({DIFFERING_PATIENTS.format(criterion=criterion)})"
        )
        return f"{last} UNION ALL {whole}" if differ else last

    tables: list[str] = []
    with told(con, judged, None if few else row_ids):
        for group in [judged] if few else [[one] for one in judged]:  # all that many rows say would not fit at once
            tables += _tell_group(con, group, number + len(tables), differ)
    return tables


def _tell_group(con: duckdb.DuckDBPyConnection, group: list[Judged], number: int, differ: bool) -> list[str]:
    """The tables of the spells of criteria whose sentences have been made."""
    criteria = ", ".join(f"'{one.definition.id}'" for one in group)
    tables = [f"told_{number}"]
    said = " UNION ALL ".join(one.all_said() for one in group)
    con.execute(f"CREATE TEMP TABLE {tables[0]} AS {TOLD_RUNS.format(said=said, criteria=criteria)}")
    if differ and con.execute(f"SELECT count(*) FROM differing WHERE criterion IN ({criteria})").fetchone()[0]:
        _create_partly_judged(con, group)
        tables.append(f"told_{number + 1}")
        con.execute(f"CREATE TEMP TABLE {tables[1]} AS SELECT {THEIR_ID} FROM ({SPELLS}) AS told {THEIRS}")
        con.execute("DROP TABLE judged")
    return tables


# Each run with what is said of its last row; of a run that is a first day alone there is nothing but that day to say.
TOLD_RUNS = """
    SELECT run.criterion, reading.patient_id, said.item, run.from_date, run.last_judged, run.until_date, said.status, said.grade,
        said.evidence, said.missing, said.facts, said.notes, said.margin
    FROM (SELECT * FROM standing_run WHERE criterion IN ({criteria})) AS run
    JOIN ({said}) AS said
        ON said.criterion = run.criterion AND said.patient_id = run.patient_id AND coalesce(said.row_id, -1) = coalesce(run.last_row, -1)
    JOIN reading ON reading.world_id = run.patient_id"""


def _together(selects: list[str]) -> str:
    return " UNION ALL BY NAME ".join(f"SELECT * FROM ({select})" for select in selects)


# While rules run a patient may be a number (inputs.py); whoever reads the answers wants the id of the store.
THEIR_ID = "reading.patient_id, told.* EXCLUDE (patient_id)"
THEIRS = "JOIN reading ON reading.world_id = told.patient_id"


def _create_judgement(con: duckdb.DuckDBPyConnection, judged: list[Judged], name: str) -> None:
    """Every judged date of the criteria, as replay() describes it."""
    differ = _create_runs(con, judged)
    tell(con, judged)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {name} AS
        SELECT judged.*, run.from_date AS since,
            coalesce(
                lead(judged.on_date) OVER (PARTITION BY judged.criterion, judged.patient_id, judged.item ORDER BY judged.on_date),
                CASE WHEN judged.item IS NULL THEN run.until_date END) AS until_date
        FROM ({_together([one.judged_rows("TRUE") for one in judged])}) AS judged JOIN standing_run AS run
            ON run.criterion = judged.criterion AND run.patient_id = judged.patient_id
            AND coalesce(run.item, '') = coalesce(judged.item, '') AND judged.on_date BETWEEN run.from_date AND run.last_judged"""
    )
    if differ:
        _create_partly_judged(con, judged)
        con.execute(f"CREATE OR REPLACE TEMP TABLE spell AS {SPELLS}")
        con.execute(f"INSERT INTO {name} BY NAME {JUDGEMENT}")
        con.execute("DROP TABLE judged")


JUDGEMENT = """
    SELECT
        judged.* EXCLUDE (item_from), spell.from_date AS since,
        coalesce(
            lead(on_date) OVER (PARTITION BY judged.criterion, judged.patient_id, judged.item ORDER BY on_date),
            CASE WHEN judged.item IS NULL THEN item_from END
        ) AS until_date
    FROM judged JOIN spell
        ON spell.criterion = judged.criterion AND spell.patient_id = judged.patient_id
        AND spell.item IS NOT DISTINCT FROM judged.item
        AND judged.on_date BETWEEN spell.from_date AND spell.last_judged"""


THEIRS_OF = f"SELECT {THEIR_ID} FROM {{concept}} AS told {THEIRS} WHERE reading.cut IS NULL"


def _keep(con: duckdb.DuckDBPyConnection, concept: str, everyone: bool) -> None:
    """Stores a kept concept's rows of the patients judged, for the screens that show everyone."""
    con.execute("CREATE SCHEMA IF NOT EXISTS concept")
    if everyone:
        con.execute(f"CREATE OR REPLACE TABLE concept.{concept} AS SELECT * FROM theirs_{concept}")
    else:
        con.execute(f"DELETE FROM concept.{concept} WHERE patient_id IN (SELECT patient_id FROM asked)")
        con.execute(f"INSERT INTO concept.{concept} SELECT * FROM theirs_{concept}")


def judged_by_these_rules(con: duckdb.DuckDBPyConnection, rules: Catalog | None = None) -> bool:
    """Whether the spells of a store are the answers of the rules as they are now."""
    return rule_versions.judged_by(con) == (rules or catalog()).content_hashes()


def _kept_by_these_rules(con: duckdb.DuckDBPyConnection, rules: Catalog) -> bool:
    """Whether the kept concepts of a store, some of which no criterion reads, are those of the rules as they are now."""
    kept = rules.needed(lambda definition: definition.kept)
    return rule_versions.made_by(con, kept) == {name: rules[name].content_hash for name in kept}


@contextmanager
def _temporary(con: duckdb.DuckDBPyConnection):
    drop_temporary(con)
    try:
        yield
    finally:
        drop_temporary(con)


def drop_temporary(con: duckdb.DuckDBPyConnection) -> None:
    """Drops every TEMP table and view of a connection, whatever an evaluation before left there."""
    for name, form in con.execute(
        "SELECT view_name, 'VIEW' FROM duckdb_views() WHERE temporary AND NOT internal "
        "UNION ALL SELECT table_name, 'TABLE' FROM duckdb_tables() WHERE temporary"
    ).fetchall():
        con.execute(f'DROP {form} temp."{name}"')
