"""Synthetic cohorts for the benchmarks, made once per process from the seeded generator."""

import importlib.util
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

GENERATE = Path(__file__).parents[2] / "sample_data" / "cohort" / "generate.py"
RECEIVED = datetime(2026, 11, 21, 9, 0)


def generator():
    """The module sample_data/cohort/generate.py."""
    spec = importlib.util.spec_from_file_location("cohort_generator", GENERATE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def folder() -> Path:
    """A new empty folder that goes with the machine's temporary files."""
    return Path(mkdtemp(prefix="mda5-bench-"))


def files(patients: int, labs: int | None = None) -> Path:
    """The native files of so many synthetic patients, made by a process of its own: its memory is not the benchmark's."""
    made = folder()
    command = [sys.executable, str(GENERATE), "--patients", str(patients), "--seed", "7", "--out", str(made)]
    subprocess.run(command + (["--labs", str(labs)] if labs else []), check=True, stdout=subprocess.DEVNULL)
    return made


def loaded(patients: int) -> Path:
    """A store holding so many synthetic patients."""
    from pipelines.load import load
    from pipelines.store.database import Store

    store = folder() / "store"
    load(Store(store), [files(patients)], received_at=RECEIVED)
    return store
