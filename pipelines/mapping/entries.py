"""The entries of a mapping file: [wide."COLUMN"], [[rows]] and what [patient] says of the patient.

In an entry NAME is a text that every row has, NAME_column the column of the table that holds it, and NAME_words what its words mean
({"1" = "female"}), for every native column NAME of the kind.
"""

import difflib
from datetime import date
from typing import Any

from pipelines import dictionary
from pipelines.dictionary.tables import arrow_table
from pipelines.mapping.model import DATE_OF, OWN, VALUES, Entry
from pipelines.sources.kinds import LUNG_FUNCTION, OXYGEN, analyte_of_name, kind_of
from pipelines.sources.native_csv import COLUMNS

COMMON = ("where", "sentinels")


def rows_entry(reading, key: str, block: dict[str, Any]) -> Entry:
    """One [[rows]]: a native row from each line of a long table."""
    kind = reading.choice(key, block, "kind", tuple(COLUMNS)) if "kind" in block else "labs"
    used = {name: value for name, value in block.items() if name not in ("kind", *COMMON)}
    if kind == "events":  # whose native column `kind` is called event_kind here
        given = _event(reading, key, reading.needed(key, used, "event")) if "event" in used else {}
        used.pop("event", None)
        used = {
            name.removeprefix("event_") if name.startswith("event_kind") else name: value
            for name, value in used.items()
        }
        used = given | used
    constants, columns, words = _native(reading, key, kind, used, ("kind", "event"))
    _check_names(reading, key, kind, constants)
    own = tuple(columns[name] for name in OWN[kind] if name in columns)
    if not own:
        dated = columns.get(DATE_OF.get(kind, ""))
        own = (dated,) if dated else ()
    if not own:
        raise reading.refuse(
            key, f"reads no column of its own: give one of {', '.join(f'{name}_column' for name in OWN[kind])}"
        )
    return Entry(
        key, kind, constants, columns, own, words, _where(reading, key, block), _sentinels(reading, key, block)
    )


def wide_entry(reading, key: str, column: str, block: dict[str, Any]) -> Entry:
    """One [wide."COLUMN"]: a native row from each filled cell of the column."""
    what = [name for name in ("analyte", "drug", "event") if name in block]
    if len(what) != 1:
        raise reading.refuse(key, "says what the column holds by one of analyte, drug, event")
    name = reading.needed(key, block, what[0])
    kind, constants, holds = {"analyte": _analyte, "drug": _drug, "event": _of_event}[what[0]](
        reading, key, name, block
    )
    holds = reading.text(key, block, "holds") or holds
    if holds not in COLUMNS[kind] or holds == "patient_id":
        raise reading.refuse(f"{key}.holds", f"is a column of {kind}: {', '.join(COLUMNS[kind][1:])}")
    used = {given: value for given, value in block.items() if given not in ("kind", "holds", *what, *COMMON)}
    if kind == "oxygen" or holds == "percent_predicted":
        used.pop("unit", None)  # the native column has its unit
    given, columns, words = _native(reading, key, kind, used, ("analyte", "drug", "event", "kind", "holds"))
    if holds in columns or holds in given:
        raise reading.refuse(f"{key}.{holds}", f"is the column {column!r} itself")
    columns = {holds: column} | columns
    constants |= given
    _check_names(reading, key, kind, constants)
    own = tuple(columns[name] for name in VALUES[kind] if name in columns) or (column,)
    return Entry(
        key,
        kind,
        constants,
        columns,
        own,
        words,
        _where(reading, key, block),
        _sentinels(reading, key, block),
        wide=True,
    )


def patients_entry(reading, block: dict[str, Any]) -> Entry | None:
    """What [patient] says of sex, year of birth and site; None when it says nothing."""
    used = {name: value for name, value in block.items() if name.startswith(("sex", "birth_year", "site"))}
    constants, columns, words = _native(reading, "patient", "patients", used, ())
    born = reading.text("patient", block, "birth_date_column")
    if born and "birth_year" in columns:
        raise reading.refuse("patient.birth_date_column", "give it or birth_year_column")
    if born:
        columns["birth_year"] = born
    own = tuple(columns[name] for name in OWN["patients"] if name in columns)
    return Entry("patient", "patients", constants, columns, own, words) if own else None


def _native(
    reading, key: str, kind: str, block: dict[str, Any], others: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, str], dict[str, dict[str, str]]]:
    """Constants, columns and words of the native columns of a kind. Refuses every other key."""
    names = [name for name in COLUMNS[kind] if name != "patient_id"]
    reading.known(
        key,
        block,
        tuple(names) + tuple(f"{name}_{part}" for name in names for part in ("column", "words")) + others + COMMON,
    )
    constants, columns, words = {}, {}, {}
    for name in names:
        if name in block:
            constants[name] = _constant(reading, f"{key}.{name}", block[name])
        if f"{name}_column" in block:
            columns[name] = reading.needed(key, block, f"{name}_column")
        if f"{name}_words" in block:
            words[name] = _words(reading, f"{key}.{name}_words", block[f"{name}_words"])
        if name in constants and name in columns:
            raise reading.refuse(f"{key}.{name}", f"give {name} or {name}_column, not both")
    return constants, columns, words


def _constant(reading, key: str, value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float) and str(value).strip():
        return str(value).strip()
    raise reading.refuse(key, "is a text in quotes or a number")


def _words(reading, key: str, block: Any) -> dict[str, str]:
    if not isinstance(block, dict) or not all(isinstance(value, str | int | float) for value in block.values()):
        raise reading.refuse(key, 'says what words mean, such as {"1" = "female", "2" = "male"}')
    return {printed.strip().casefold(): str(value) for printed, value in block.items()}


def _where(reading, key: str, block: dict[str, Any]) -> dict[str, frozenset[str]]:
    found = reading.table("where", block, f"{key}.")
    where = {}
    for column, words in found.items():
        words = words if isinstance(words, list) else [words]
        if not words or not all(isinstance(word, str | int) for word in words):
            raise reading.refuse(f"{key}.where.{column}", 'is a text or a list of texts, such as ["labs"]')
        where[column] = frozenset(str(word).strip() for word in words)
    return where


def _sentinels(reading, key: str, block: dict[str, Any]) -> tuple[str, ...] | None:
    return tuple(reading.texts(key, block, "sentinels")) if "sentinels" in block else None


def _analyte(reading, key: str, name: str, block: dict[str, Any]) -> tuple[str, dict[str, str], str]:
    """Kind, constants and the native column of a column that holds an analyte."""
    analyte = analyte_of_name(name)
    if analyte is None:
        raise reading.refuse(f"{key}.analyte", f"{name!r} is not in the dictionary{_near(name)}")
    kind = reading.choice(key, block, "kind", ("labs", "pft", "oxygen")) if "kind" in block else kind_of(analyte)
    unit = reading.text(key, block, "unit")
    own_unit = unit is None or dictionary.normal_unit(unit) in units_of(analyte, canonical=True)
    if kind == "oxygen" and analyte in OXYGEN and own_unit and "unit_column" not in block:
        return "oxygen", {}, OXYGEN[analyte]
    if kind == "pft" and analyte.removesuffix("_percent") in LUNG_FUNCTION:
        percent = analyte.endswith("_percent")
        return "pft", {"measure": analyte.removesuffix("_percent")}, "percent_predicted" if percent else "value"
    if kind == "pft":
        raise reading.refuse(f"{key}.kind", f"{analyte} is not a measure of lung function")
    return "labs", {"analyte": analyte}, "value"


def _drug(reading, key: str, name: str, block: dict[str, Any]) -> tuple[str, dict[str, str], str]:
    return "administrations", {"drug": name}, "dose"


def _of_event(reading, key: str, name: str, block: dict[str, Any]) -> tuple[str, dict[str, str], str]:
    return "events", _event(reading, key, name), "value"


def _event(reading, key: str, name: str) -> dict[str, str]:
    kind, _, code = name.partition(".")
    if (kind, code) not in dictionary.events():
        known = sorted(".".join(event) for event in dictionary.events())
        near = difflib.get_close_matches(name[:60], known, n=3)
        raise reading.refuse(
            f"{key}.event", f"{name!r} is not kind.code of an event; perhaps {', '.join(near or known[:10])}"
        )
    return {"kind": kind, "code": code}


def _check_names(reading, key: str, kind: str, constants: dict[str, str]) -> None:
    """Refuses an analyte, drug or unit that ingest would reject in every row."""
    analyte = constants.get("analyte") or constants.get("measure")
    known = analyte_of_name(analyte) if analyte else None
    if analyte and known is None:
        raise reading.refuse(f"{key}.analyte", f"{analyte!r} is not in the dictionary{_near(analyte)}")
    if known and "unit" in constants and dictionary.normal_unit(constants["unit"]) not in units_of(known):
        allowed = ", ".join(dict.fromkeys(_codes(known)))
        raise reading.refuse(
            f"{key}.unit", f"{constants['unit']!r} is no unit of {known}; allowed are {allowed or 'none'}"
        )
    if "drug" in constants:
        drugs = arrow_table("drug_name").column("name").to_pylist()
        if dictionary.normal_name(constants["drug"]) not in drugs:
            near = difflib.get_close_matches(dictionary.normal_name(constants["drug"])[:60], drugs, n=3)
            raise reading.refuse(f"{key}.drug", f"{constants['drug']!r} is not in the dictionary{_perhaps(near)}")


def units_of(analyte: str, canonical: bool = False) -> set[str]:
    """The units of an analyte in normal form: all that may be printed, or only the one it is kept in."""
    codes = [dictionary.analytes()[analyte]["unit"]] if canonical else _codes(analyte)
    spelt = dictionary.unit_spellings()
    return {dictionary.normal_unit(text) for code in codes if code for text in (code, *spelt.get(code, ()))}


def _codes(analyte: str) -> list[str]:
    block = dictionary.analytes()[analyte]
    own = [block["unit"]] if block["unit"] else []
    percent = ["%"] if f"{analyte}_percent" in dictionary.analytes() else []
    return own + block["units"] + [factor["unit"] for factor in block["factors"]] + percent


def _near(name: str) -> str:
    names = [known for block in dictionary.analytes().values() for known in block["synonyms"]] + list(
        dictionary.analytes()
    )
    return _perhaps(difflib.get_close_matches(name[:60], names, n=3))


def _perhaps(near: list[str]) -> str:
    return f"; perhaps {', '.join(near)} was meant" if near else ""
