"""A synthetic cohort of anti-MDA5 courses as native CSV files. Nothing in it is real, and every patient says so by its id.

    python sample_data/cohort/generate.py --patients 40 --seed 7 --out FOLDER [--labs N]

The same numbers give the same bytes. Laboratory results are made for a thousand patients at once, everything else patient by
patient in courses.py. `--labs N` sets the number of laboratory rows (about; default 18 visits a patient).
"""

import argparse
import math
import sys
from datetime import date, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from sample_data.cohort.courses import LAST_DAY, PHENOTYPES, Person, tell  # noqa: E402
from sample_data.cohort.laboratory import RESULTS_PER_VISIT, lab_rows  # noqa: E402

COLUMNS = {
    "patients": "patient_id sex birth_year site",
    "labs": "patient_id analyte value unit at reported_at assay laboratory sample_timing status record_id",
    "pft": "patient_id measure value unit percent_predicted phase reference_set at record_id",
    "oxygen": "patient_id at device flow_l_min fio2 spo2 respiratory_rate pao2 paco2 activity record_id",
    "administrations": "patient_id drug route dose dose_unit per start stop ongoing last_confirmed_on action purpose record_id",
    "events": "patient_id at until kind code value date_assumed record_id",
}
PATIENTS_AT_ONCE = 1000
FIRST_DAY0 = date(2023, 2, 1)
LAST_DAY0 = date(2026, 3, 1)
SITES = ("Synthetic A", "Synthetic B", "Synthetic C")


def generate(folder: Path | str, patients: int = 40, seed: int = 7, labs: int | None = None) -> None:
    """Writes the six files into `folder` (made if absent). `labs` is the number of laboratory rows aimed at."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    visits = 18 if labs is None else max(1, math.ceil(labs / (patients * RESULTS_PER_VISIT)))
    writers = {name: _writer(folder / f"{name}.csv", columns.split()) for name, columns in COLUMNS.items()}
    try:
        for first in range(0, patients, PATIENTS_AT_ONCE):
            people = [_person(number, seed) for number in range(first, min(patients, first + PATIENTS_AT_ONCE))]
            rows = {name: [] for name in ("pft", "oxygen", "administrations", "events")}
            for person in people:
                tell(person)
                for name, told in person.rows.items():
                    rows[name] += told
            for name, told in rows.items():
                _write(writers[name], COLUMNS[name].split(), list(zip(*told, strict=True)))
            _write(writers["patients"], COLUMNS["patients"].split(), _who(people))
            _write(
                writers["labs"], COLUMNS["labs"].split(), lab_rows(people, visits, np.random.default_rng([seed, first]))
            )
    finally:
        for writer in writers.values():
            writer.close()


def _person(number: int, seed: int) -> Person:
    random = Random(f"{seed}/{number}")
    phenotype = random.choices(list(PHENOTYPES), list(PHENOTYPES.values()))[0]
    day0 = FIRST_DAY0 + timedelta(days=random.randint(0, (LAST_DAY0 - FIRST_DAY0).days))
    dead = phenotype == "refractory" and random.random() < 0.6
    last = min(random.randint(35, 110) if dead else random.randint(300, 800), (LAST_DAY - day0).days)
    who = Random(f"{seed}/{number}/who")
    ranges = {"upfront_triple": (0.35, 0.7), "step_up": (0.3, 0.55), "refractory": (0.6, 0.95), "chronic": (0.2, 0.4)}
    return Person(
        patient_id=f"synthetic-{number + 1:06d}", site=SITES[random.randrange(3)], phenotype=phenotype, day0=day0, last=last,
        start=random.uniform(*ranges.get(phenotype, (0.15, 0.35))),
        turn=random.randint(28, 45) if phenotype == "step_up" else random.randint(3, 8),
        weight=random.randint(42, 88), height=who.randint(150, 180), sex="female" if who.random() < 0.65 else "male",
        born=day0.year - who.randint(28, 80), random=random, dead=dead and last < (LAST_DAY - day0).days,
    )  # fmt: skip


def _who(people: list[Person]) -> list[list[str]]:
    """patients.csv, as columns. Now and then sex or birth year is not known."""
    sex = [p.sex if p.random.random() > 0.02 else "" for p in people]
    born = [str(p.born) if p.random.random() > 0.02 else "" for p in people]
    return [[p.patient_id for p in people], sex, born, [p.site for p in people]]


def _writer(path: Path, columns: list[str]) -> csv.CSVWriter:
    schema = pa.schema([(name, pa.string()) for name in columns])
    return csv.CSVWriter(path, schema, write_options=csv.WriteOptions(quoting_style="none"))


def _write(writer: csv.CSVWriter, names: list[str], columns: list) -> None:
    if columns:
        arrays = [column if isinstance(column, pa.Array) else pa.array(column, pa.string()) for column in columns]
        arrays = [
            pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array) for array in arrays
        ]  # empty, not ""
        writer.write_table(pa.Table.from_arrays(arrays, names=names))


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes a synthetic cohort: nothing in it is real.")
    parser.add_argument("--patients", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--labs", type=int, default=None, help="number of laboratory rows aimed at")
    asked = parser.parse_args()
    generate(asked.out, asked.patients, asked.seed, asked.labs)


if __name__ == "__main__":
    main()
