"""The law of incremental evaluation: a store made step by step, by loads, corrections and erasures, is the store made at once.

A history is drawn from a seed: files with some rows of some patients, rows that came before and are corrected (by record id),
withdrawn or repeated, patients who are erased and of whom later files go on to speak.
"""

import os
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from pipelines.engines import on_duckdb
from pipelines.erasure import erase
from pipelines.load import load, rebuild
from pipelines.store.database import Store, open_snapshot
from pipelines.verify import verify
from tests.properties import cohorts
from tests.properties.cohorts import Cohort
from tests.properties.values import DRUGS, LABS

PATIENTS, FILES, ERASURES = 4, 14, 2
HISTORIES = int(os.environ.get("MDA5_HISTORIES", "1"))  # of some fifty steps each; ten seconds a history
RECEIVED = datetime(2025, 6, 1, 12)
# What is said of a patient, apart from the places in files where it stands.
RECORDS = ("record.observation", "record.administration", "record.event")


@dataclass
class History:
    """Loads of some files each, in order of time, and erasures between them."""

    steps: list[list[tuple[str, list[dict[str, str]]]] | str] = field(default_factory=list)

    @property
    def erased(self) -> set[str]:
        return {step for step in self.steps if isinstance(step, str)}

    def load(self, store: Store, folder: Path, without: frozenset[str] = frozenset()) -> None:
        """Goes through it; `without` these patients: as if they had never been, so that there is nothing to erase."""
        for number, step in enumerate(self.steps):
            moment = RECEIVED + timedelta(days=number)
            if isinstance(step, str):
                if step not in without:
                    erase(store, step, "the data protection officer", erased_at=moment)
                continue
            paths = []
            for place, (name, rows) in enumerate(step):
                left = [row for row in rows if row["patient_id"] not in without]
                if left:
                    paths.append(folder / f"{number}-{place}-{name}.csv")
                    paths[-1].write_text(cohorts.as_csv(left), encoding="utf-8")
            assert not any(file.refused for file in load(store, paths, received_at=moment).files)


def drawn(seed: int) -> History:
    random = Random(seed)
    cohort: Cohort = cohorts.numbered([cohorts.seeded_person(seed * 100 + number) for number in range(PATIENTS)])
    coming = [(name, row) for name, rows in cohort.items() for row in rows]
    coming += [
        ("patients", {"patient_id": f"p{n}", "sex": "female", "birth_year": "1970"}) for n in range(1, PATIENTS + 1)
    ]
    random.shuffle(coming)
    came: list[tuple[str, dict[str, str]]] = []
    history, files, size = History(), 0, len(coming) // (FILES // 2) + 1
    erasures = sorted(random.sample(range(FILES // 4, FILES - 4), ERASURES))
    to_erase = random.sample(range(1, PATIENTS + 1), ERASURES)
    while files < FILES:
        taken, coming = coming[:size], coming[size:]
        before = random.sample(came, min(len(came), 4))
        came += taken
        taken = taken + [(name, changed(random, name, row)) for name, row in before if name != "patients"]
        by_name: Cohort = {}
        for name, row in taken:
            by_name.setdefault(name, []).append(row)
        step = sorted(by_name.items())
        files += len(step) or FILES
        history.steps.append(step)
        while erasures and erasures[0] <= files:
            erasures.pop(0)
            history.steps.append(f"p{to_erase.pop()}")
    return history


def changed(random: Random, name: str, row: dict[str, str]) -> dict[str, str]:
    """A later version of a row: repeated, corrected or withdrawn, with a time of issue or without."""
    row = row | {"status": random.choice(["", "corrected", "amended", "entered_in_error"])}
    row["reported_at"] = random.choice(["", (cohorts.FIRST + timedelta(days=random.randrange(80, 300))).isoformat()])
    if row["status"] not in ("corrected", "amended"):
        return row
    if name == "labs":
        row["value"] = random.choice(next((values for one, _, values in LABS if one == row["analyte"]), [row["value"]]))
    elif name == "administrations":
        row["dose"] = random.choice(next((doses for drug, _, doses, _ in DRUGS if drug == row["drug"]), [row["dose"]]))
    elif name == "pft":
        row["percent_predicted"] = random.choice(["39.9", "70", "85"])
    else:
        row["at"] = (cohorts.FIRST + timedelta(days=random.randrange(75))).isoformat()
    return row


def said(store: Store) -> dict[str, list[tuple]]:
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        found = {"spells": cursor.execute("FROM result.spell ORDER BY ALL").fetchall()}
        for table in RECORDS:
            columns = f"* EXCLUDE (file_id, line, received_at{', set_id' if table == 'record.observation' else ''})"
            found[table] = cursor.execute(f"SELECT {columns} FROM {table} ORDER BY ALL").fetchall()
        return found


@pytest.mark.parametrize("seed", range(1, HISTORIES + 1))
def test_a_store_made_step_by_step_is_the_store_made_at_once(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "key"))
    history, store = drawn(seed), Store(tmp_path / "store")
    assert len(history.erased) == ERASURES
    history.load(store, tmp_path)
    assert [check.promise for check in verify(store) if not check.holds] == []
    # Each load judged the patients it changed, each erasure and this rebuild everybody.
    tables = rebuild(store).tables
    assert tables and [table for table in tables if table.only_before or table.only_now] == []

    # The others are as if those who were erased had never been, and as if everybody had been judged once.
    never = Store(tmp_path / "never")
    with monkeypatch.context() as patched:
        patched.setattr(on_duckdb, "evaluated", lambda *_, **__: nullcontext(lambda: None))
        history.load(never, tmp_path, without=frozenset(history.erased))
    with never.writer() as con:
        on_duckdb.evaluate(con)
        never.publish(con)
    expected, found = said(never), said(store)
    assert len(found["spells"]) > 50 and any(row[-1] is not None for row in found["record.observation"])
    for table in expected:
        assert found[table] == expected[table], table
