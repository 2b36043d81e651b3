"""The dictionary: what an analyte, a drug, a unit or an event is called, and what is known about it.

Everything is in the TOML files of this folder, one block per thing. Python readers use `analytes()`, `drugs()`, `citations()`
and so on; SQL (ingest and rules) uses the TEMP tables of `create_tables`. Names are compared in the form of `normal_name`,
units in the form of `units.normal_unit`.
"""

import functools
import re
import tomllib
from collections.abc import Collection
from pathlib import Path

from pipelines.dictionary.units import normal_unit, unit_sql

__all__ = [
    "alerts",
    "analytes",
    "assays",
    "citation_text",
    "citations",
    "create_rule_tables",
    "create_tables",
    "dose_units",
    "drugs",
    "entries",
    "events",
    "monitoring",
    "name_sql",
    "normal_code",
    "normal_name",
    "normal_unit",
    "oxygen_devices",
    "routes",
    "unit_spellings",
    "unit_sql",
    "workup",
]  # fmt: skip

FOLDER = Path(__file__).parent


def create_tables(con) -> None:
    """Makes (or makes anew) the dictionary's TEMP tables on a DuckDB connection or cursor. The columns are in `tables.TABLES`."""
    from pipelines.dictionary.tables import TABLES  # reads this module

    _create(con, list(TABLES))


def create_rule_tables(con, names: Collection[str]) -> None:
    """Only those of the tables that are among `names`: what rules read, at a millisecond each."""
    from pipelines.dictionary.tables import TABLES

    _create(con, [name for name in TABLES if name in names])


def _create(con, names: list[str]) -> None:
    from pipelines.dictionary.tables import arrow_table

    for name in names:
        con.register(f"dictionary_{name}", arrow_table(name))
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM dictionary_{name}")
        con.unregister(f"dictionary_{name}")


def analytes() -> dict[str, dict]:
    """Every analyte's block, with `same_as` filled in from the block it names."""
    return _analytes()


def drugs() -> dict[str, dict]:
    """Every drug's block, with drug_class, dosing and acts_for_days always set."""
    return _drugs()


def oxygen_devices() -> dict[str, dict]:
    """Every oxygen device: title, level 0-7, synonyms."""
    return _read("oxygen_devices")


def assays() -> dict[str, dict]:
    """Every assay: analyte, cut-off and its unit where one is known, synonyms."""
    return _read("assays")


def events() -> dict[tuple[str, str], dict]:
    """What an event of (kind, code) may hold: value, choices, low, high, when_blank."""
    return _events()


def entries() -> dict[str, dict]:
    """Every kind of entry a person makes: needs, may, together, codes, reasons, dated, past (entries.toml says what each means)."""
    return _read("entries")


def monitoring() -> dict[str, dict]:
    """The schedule of tests: analytes, clock, due intervals in days, source."""
    return _read("monitoring")


def workup() -> dict[str, dict]:
    """What a referral for lung transplantation asks for, in order: title, group, valid_days, analytes, events ((kind, code)), cite."""
    return _workup()


def alerts() -> dict[str, dict]:
    """rule: by criterion how it alerts. number: by name a value with unit, tag and why. Read by pipelines/alert_rules.py."""
    return _read("alerts")


def citations() -> dict[str, dict]:
    """Every source: authors, title, journal, year, doi, url as far as recorded, and how certain the reading is."""
    return _read("citations")


def citation_text(citation: dict) -> str:
    """One line for a person: authors, title, journal and year as far as they are recorded."""
    parts = (str(citation.get(key) or "").removesuffix(".") for key in ("authors", "title", "journal", "year"))
    return ". ".join(part for part in parts if part) or citation.get("text", "")


def normal_name(printed: str) -> str:
    """The form in which names are compared: lower case, trimmed, runs of blanks, underscores and hyphens one blank."""
    return re.sub(r"[\s_‐‑–-]+", " ", printed).strip().lower()


def normal_code(printed: str) -> str:
    """The form in which coded results are compared: lower case, trimmed, runs of blanks and underscores one blank; signs stay."""
    return re.sub(r"[\s_]+", " ", printed).strip().lower()


def name_sql(column: str) -> str:
    """The same normal form as a DuckDB expression over a text column."""
    return f"lower(trim(regexp_replace({column}, '[\\s_‐‑–-]+', ' ', 'g')))"


@functools.cache
def _read(name: str) -> dict:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


@functools.cache
def _analytes() -> dict[str, dict]:
    blocks = _read("analytes")
    filled = {}
    for analyte, block in blocks.items():
        shared = {key: value for key, value in blocks[block["same_as"]].items() if key not in ("loinc", "synonyms", "title")} \
            if "same_as" in block else {}  # fmt: skip
        filled[analyte] = {
            "value_kind": "number",
            "unit": None,
            "units": [],
            "factors": [],
            "codes": {},
            "loinc": [],
            "synonyms": [],
        }
        filled[analyte] |= shared | block
    devices = {device: block["synonyms"] for device, block in _read("oxygen_devices").items()}
    filled["oxygen_device"]["codes"] = devices
    return filled


@functools.cache
def _drugs() -> dict[str, dict]:
    blocks = {drug: block for drug, block in _read("drugs").items() if drug not in ("dose_units", "routes")}
    standard = {
        "agent": False, "second_agent": False, "acts_for_days": 1, "dosing": "daily", "prednisone_factor": None,
        "pjp_cover_days": None, "protective": False, "dose_unit": "mg", "routes": {}, "synonym_routes": {}, "codes": [], "synonyms": [],
    }  # fmt: skip
    return {drug: standard | block for drug, block in blocks.items()}


@functools.cache
def _workup() -> dict[str, dict]:
    return {
        item: {"analytes": []} | block | {"events": [tuple(named.split(".")) for named in block.get("events", [])]}
        for item, block in _read("workup").items()
    }


def unit_spellings() -> dict[str, list[str]]:
    """UCUM code -> spellings seen in print."""
    return _read("units")


@functools.cache
def routes() -> dict[str, dict]:
    """Every route: systemic or not, printed names."""
    return _read("drugs")["routes"]


@functools.cache
def dose_units() -> dict[str, dict[str, str]]:
    """Canonical dose unit -> printed unit -> factor."""
    return _read("drugs")["dose_units"]


@functools.cache
def _events() -> dict[tuple[str, str], dict]:
    found = {}
    for kind, block in _read("events").items():
        if "codes" in block:
            found |= {
                (kind, code): {key: value for key, value in block.items() if key != "codes"} for code in block["codes"]
            }
        else:
            found |= {(kind, code): rule for code, rule in block.items()}
    return found
