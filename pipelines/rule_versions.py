"""Which version of which rule judged a store, and what changed between two.

A rule's version is its content hash (header, SQL, the site's own values, and the same of all it reads); its number and its reason
are the last entry of the header's history. `result.rule` and `result.rule_part` say what judged a snapshot. Since when, and what
changed, is written, one JSON object a line, to `rules` in the store's folder: it cannot be made again from landing/, so a rebuild
leaves it alone.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines.catalog import Catalog, catalog
from pipelines.store.landing import fsync_folder

HASH_SHOWN = 12  # digits


@dataclass(frozen=True)
class RuleChange:
    """One criterion that judges otherwise than it did: what of it changed, and for how many patients its standing answer did."""

    criterion: str
    change: str  # 'new', 'gone', 'changed'
    version: int | None  # how many entries its history has; None: gone
    why: str  # of its last entry
    parts: tuple[str, ...]  # the definitions whose own text or site values differ
    patients: int  # with another standing answer than before
    before: str | None  # content hash, None: new
    after: str | None  # content hash, None: gone


def judged_by(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The rules that judged a store: criterion -> content hash of it and of all that it reads."""
    return dict(con.execute("SELECT criterion, content_hash FROM result.rule").fetchall())


def made_by(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> dict[str, str]:
    """The texts by which a store was judged, of those of the definitions named that it knows: definition -> its own content hash."""
    found = con.execute(
        "SELECT definition, content_hash FROM result.rule_part WHERE definition IN (SELECT unnest($names))",
        {"names": list(names)},
    )
    return dict(found.fetchall())


def write(con: duckdb.DuckDBPyConnection, rules: Catalog) -> None:
    """Says in the store which rules judged it."""
    hashes = rules.content_hashes()
    con.execute("DELETE FROM result.rule")
    if hashes:
        con.executemany(
            "INSERT INTO result.rule VALUES (?, ?, ?, ?)",
            [(name, content_hash, *_entry(rules, name)) for name, content_hash in hashes.items()],
        )
    con.execute("DELETE FROM result.rule_part")
    if rules.order:
        con.executemany(
            "INSERT INTO result.rule_part VALUES (?, ?)",
            [(name, rules[name].content_hash) for name in rules.order] + sorted(rules.dictionary_hashes().items()),
        )


def _entry(rules: Catalog, criterion: str) -> tuple[int, str]:
    history = rules.criteria[criterion].history
    return len(history), str(history[-1]["why"])


def remember_answers(con: duckdb.DuckDBPyConnection, former: Path | None = None) -> None:
    """Keeps what stands and what judged it, of this store or of a former snapshot, so that `changes` can compare when the
    rules of now have judged. A snapshot that does not open, or of a schema without rule versions, is remembered as one that no
    rule judged."""
    con.execute("CREATE OR REPLACE TABLE main.former_answer AS " + STANDING.format(store="result") + " LIMIT 0")
    con.execute("CREATE OR REPLACE TABLE main.former_rule AS FROM result.rule LIMIT 0")
    con.execute("CREATE OR REPLACE TABLE main.former_part AS FROM result.rule_part LIMIT 0")
    store = "before.result" if former else "result"
    try:
        if former:
            con.execute(f"ATTACH '{str(former).replace(chr(39), chr(39) * 2)}' AS before (READ_ONLY)")
        con.execute(f"INSERT INTO main.former_part FROM {store}.rule_part")
        con.execute(f"INSERT INTO main.former_rule FROM {store}.rule")
        con.execute("INSERT INTO main.former_answer " + STANDING.format(store=store))
    except (duckdb.CatalogException, duckdb.BinderException, duckdb.IOException, duckdb.SerializationException):
        con.execute("DELETE FROM main.former_rule")
    finally:
        con.execute("DETACH DATABASE IF EXISTS before")


def forget_answers(con: duckdb.DuckDBPyConnection) -> None:
    """Drops what was kept, also by a judgement that a crash cut short: no snapshot is published with it."""
    for table in ("former_answer", "former_rule", "former_part"):
        con.execute(f"DROP TABLE IF EXISTS main.{table}")


STANDING = "SELECT criterion, patient_id, item, status, grade FROM {store}.spell WHERE until_date IS NULL"


def changes(con: duckdb.DuckDBPyConnection) -> list[RuleChange]:
    """What judges otherwise than when `remember_answers` was called; forgets it. Patients whose records changed meanwhile count too."""
    former = dict(con.execute("SELECT criterion, content_hash FROM main.former_rule").fetchall())
    now = judged_by(con)
    parts = con.execute(
        """SELECT definition FROM (FROM main.former_part UNION ALL FROM result.rule_part)
        GROUP BY definition, content_hash HAVING count(*) = 1"""
    ).fetchall()
    differ = {definition for (definition,) in parts}
    patients = dict(
        con.execute(
            f"""SELECT criterion, count(DISTINCT patient_id) FROM (
                SELECT criterion, patient_id, item, status, grade
                FROM (FROM main.former_answer UNION ALL {STANDING.format(store="result")}) AS both_times
                GROUP BY criterion, patient_id, item, status, grade HAVING count(*) = 1
            ) AS turned GROUP BY criterion"""
        ).fetchall()
    )
    forget_answers(con)
    if not former:  # the first judgement changes nothing
        return []
    return [
        _change(name, former.get(name), now.get(name), differ, patients.get(name, 0))
        for name in sorted(former.keys() | now.keys())
        if former.get(name) != now.get(name)
    ]


def _change(criterion: str, before: str | None, after: str | None, differ: set[str], patients: int) -> RuleChange:
    rules = catalog()
    if after is None:
        return RuleChange(criterion, "gone", None, "", (criterion,), patients, before, after)
    version, why = _entry(rules, criterion)
    needed = rules.needed(lambda definition: definition.id == criterion)
    read = {*needed, *rules.tables_read(needed)}
    if before is None:
        return RuleChange(criterion, "new", version, why, (criterion,), patients, before, after)
    return RuleChange(criterion, "changed", version, why, tuple(sorted(read & differ)), patients, before, after)


class Ledger:
    """`rules` in a store's folder: every time other rules judged it, in order."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "rules"

    def add(self, moment: datetime, rules: dict[str, str], changed: list[RuleChange]) -> None:
        """Appends one entry: the rules that judge from now on (criterion -> content hash), and what of them changed.

        It is on disk before the snapshot that it explains. A line cut short by a crash is no entry, and a judgement that a crash undid
        is not told again when it is made again.
        """
        if [entry["rules"] for entry in self.entries()[-1:]] == [rules]:
            return
        entry = {"judged_at": moment.isoformat(), "rules": rules, "changes": [asdict(change) for change in changed]}
        with open(self.path, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(("" if self._ends_whole() else "\n").encode() + json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        fsync_folder(self.path.parent)

    def entries(self) -> list[dict]:
        """Each with judged_at (ISO, local time), rules and changes (the fields of RuleChange)."""
        entries: list[dict] = []
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines() if self.path.exists() else ():
            try:
                entries.append(json.loads(line))
            except ValueError:
                continue
        return entries

    def _ends_whole(self) -> bool:
        return not self.path.exists() or self.path.read_bytes()[-1:] in (b"", b"\n")


def told(con: duckdb.DuckDBPyConnection, ledger: Ledger) -> dict:
    """What judged a store, for a person. Keys: these_rules (whether the rules of now did), criteria (criterion, title, version,
    content_hash, why, since: when this store was first judged by it, ISO, None where the ledger does not say) and changes (the fields
    of RuleChange and judged_at, newest first)."""
    titles = {rule.id: rule.title for rule in catalog().criteria.values()}
    entries = ledger.entries()
    judged = con.execute("SELECT criterion, version, content_hash, why FROM result.rule ORDER BY criterion").fetchall()
    return {
        "these_rules": judged_by(con) == catalog().content_hashes(),
        "criteria": [
            {
                "criterion": criterion,
                "title": titles.get(criterion, criterion),
                "version": version,
                "content_hash": content_hash,
                "why": why,
                "since": _since(entries, criterion, content_hash),
            }
            for criterion, version, content_hash, why in judged
        ],
        "changes": [
            {"judged_at": entry["judged_at"], **change} for entry in reversed(entries) for change in entry["changes"]
        ],
    }


def _since(entries: list[dict], criterion: str, content_hash: str) -> str | None:
    """The first entry of the last run of entries that name this version."""
    since = None
    for entry in reversed(entries):
        if entry["rules"].get(criterion) == content_hash:
            since = entry["judged_at"]
        elif since:
            break
    return since
