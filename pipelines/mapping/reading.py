"""Reads a mapping file (TOML) and checks every key of it. What is not known is refused, by its name: a typing error must not be a guess."""

import difflib
import tomllib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import Refusal
from pipelines.mapping import dates
from pipelines.mapping.entries import patients_entry, rows_entry, wide_entry
from pipelines.mapping.model import DATE_OF, Dates, Entry, Mapping
from pipelines.sources.direct_identifiers import identifying
from pipelines.sources.native_header import column_name

LARGEST = 1 << 20  # bytes; a mapping of a table with a thousand columns has 100 kB
MOST_ENTRIES = 2000
TOP = ("files", "approved_by", "approved_on", "note", "table", "patient", "date", "wide", "rows")
TABLE = (
    "sheet",
    "header_rows",
    "skip_rows",
    "delimiter",
    "decimal",
    "date_formats",
    "sentinels",
    "blanks",
    "ignore",
    "carry_down",
)
PATIENT = ("column", "ids", "assigner", "sex", "sex_column", "sex_words", "birth_year_column", "birth_date_column", "site", "site_column",
           "site_words")  # fmt: skip
DATE = ("column", "time_column", "event_column", "of_event", "from_same_event")
DELIMITERS = (",", ";", "\t", "|")
HINT = "See sample_data/local_export/README.md for every key."


def read_mapping(path: Path | str) -> Mapping:
    """The mapping of a file. Raises Refusal, naming the key, where it cannot be taken; not for a missing approval."""
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise Refusal(f"The mapping file is larger than {LARGEST >> 20} MB.", path.name, HINT)
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Refusal(f"The mapping file cannot be read: {error.strerror}.", path.name, "Check its path.") from None
    except UnicodeDecodeError:
        raise Refusal("The mapping file is not UTF-8.", path.name, "Save it as UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise Refusal(f"The mapping file is not TOML: {str(error)[:200]}.", path.name, HINT) from None
    return _Reading(path.name).mapping(content)


class _Reading:
    """One reading of one file: knows its name for what has to be said."""

    def __init__(self, name: str) -> None:
        self.name = name

    def refuse(self, key: str, what: str) -> Refusal:
        return Refusal(f"{key[:200]}: {what[:500]}.", self.name, HINT)

    def mapping(self, content: dict[str, Any]) -> Mapping:
        self.known("", content, TOP)
        self.text("", content, "note")
        table, patient = self.table("table", content), self.table("patient", content)
        self.known("table", table, TABLE)
        self.known("patient", patient, PATIENT)
        decimal = self.choice("table", table, "decimal", ("dot", "comma"))
        assigner, pseudonymous = self.ids(patient)
        where = self.dates(self.table("date", content))
        formats = tuple(self.texts("table", table, "date_formats"))
        self.checked("table.date_formats", lambda: dates.reader(formats))
        delimiter = self.text("table", table, "delimiter")
        if delimiter and delimiter not in DELIMITERS:
            raise self.refuse("table.delimiter", "is one of , ; tab |")
        return Mapping(
            name=self.name,
            files=tuple(self.texts("", content, "files")),
            approved_by=(self.text("", content, "approved_by") or "").strip(),
            approved_on=self.day(content.get("approved_on")),
            sheet=self.text("table", table, "sheet"),
            header_rows=self.header_rows(table),
            skip_rows=frozenset(self.numbers("table", table, "skip_rows")),
            delimiter=delimiter,
            decimal=decimal,
            date_formats=formats,
            sentinels=tuple(self.texts("table", table, "sentinels")),
            blanks=frozenset(self.texts("table", table, "blanks")),
            ignore=tuple(self.texts("table", table, "ignore")),
            carry_down=tuple(self.texts("table", table, "carry_down")),
            patient=self.needed("patient", patient, "column"),
            pseudonymous=pseudonymous,
            assigner=assigner,
            birth_date=self.text("patient", patient, "birth_date_column"),
            dates=where,
            entries=tuple(self.entries(content, patient, where)),
        )

    def entries(self, content: dict[str, Any], patient: dict[str, Any], where: Dates) -> list[Entry]:
        wide, rows = self.table("wide", content), content.get("rows", [])
        if not isinstance(rows, list) or len(rows) + len(wide) > MOST_ENTRIES:
            raise self.refuse("rows", "is written [[rows]], once for each kind of row")
        entries = [wide_entry(self, f"wide.{column!r}", column, self.table(column, wide)) for column in wide]
        for number, block in enumerate(rows, start=1):
            if not isinstance(block, dict):
                raise self.refuse(f"rows {number}", "is written [[rows]]")
            entries.append(rows_entry(self, f"rows {number}", block))
        person = patients_entry(self, patient)
        if not entries and not person:
            raise self.refuse("wide", "the mapping names no column that is read: give [wide] or [[rows]]")
        for entry in entries:
            at = DATE_OF.get(entry.kind)
            if at and at not in entry.columns and at not in entry.constants and not (where.column or where.of_event):
                raise self.refuse(entry.key, f"has no date: give {at}_column, or column in [date] for all")
        return ([person] if person else []) + entries

    def ids(self, patient: dict[str, Any]) -> tuple[str | None, bool]:
        ids = self.choice("patient", patient, "ids", ("pseudonyms", "identifiers"))
        assigner = self.text("patient", patient, "assigner")
        if (ids == "identifiers") != bool(assigner):
            raise self.refuse(
                "patient.assigner", "says who gave the identifiers: needed with ids = 'identifiers', and only there"
            )
        return assigner, ids == "pseudonyms"

    def dates(self, block: dict[str, Any]) -> Dates:
        self.known("date", block, DATE)
        of_event = self.table("of_event", block, "date.")
        if not all(isinstance(column, str) and column for column in of_event.values()):
            raise self.refuse("date.of_event", "names for each event the column of its date")
        same = block.get("from_same_event", False)
        event = self.text("date", block, "event_column")
        if not isinstance(same, bool):
            raise self.refuse("date.from_same_event", "is true or false")
        if (of_event or same) and not event:
            raise self.refuse("date.event_column", "is needed with of_event and from_same_event")
        column = self.text("date", block, "column")
        if column and identifying(column_name(column)) == "birth dates":
            raise self.refuse("date.column", "names a column of birth dates")
        if same and not (column or of_event):
            raise self.refuse("date.column", "is needed with from_same_event")
        return Dates(column, self.text("date", block, "time_column"), event, dict(of_event), same)

    def header_rows(self, table: dict[str, Any]) -> tuple[int, ...]:
        rows = self.numbers("table", table, "header_rows") or [1]
        if rows != list(range(rows[0], rows[0] + len(rows))) or len(rows) > 5:
            raise self.refuse(
                "table.header_rows", "is a list of at most five rows below one another, such as [3] or [3, 4]"
            )
        return tuple(rows)

    def day(self, printed: Any) -> date | None:
        if printed in (None, ""):
            return None
        if isinstance(printed, str):
            printed = self.checked("approved_on", lambda: date.fromisoformat(printed))
        if isinstance(printed, datetime):
            printed = printed.date()
        if not isinstance(printed, date):
            raise self.refuse("approved_on", "is a day, such as 2024-05-02")
        return printed

    # ---- single keys

    def known(self, place: str, block: dict[str, Any], keys: tuple[str, ...]) -> None:
        """Refuses a key that means nothing, and says which was perhaps meant."""
        for key in block:
            if key not in keys:
                near = difflib.get_close_matches(str(key)[:60], keys, n=1)
                meant = f"; perhaps {near[0]} was meant" if near else f"; known are {', '.join(keys)}"
                raise self.refuse(f"{place}.{key}".strip("."), f"unknown key{meant}")

    def table(self, key: str, block: dict[str, Any], place: str = "") -> dict[str, Any]:
        found = block.get(key, {})
        if not isinstance(found, dict):
            raise self.refuse(f"{place}{key}", "is a table with keys of its own")
        return found

    def text(self, place: str, block: dict[str, Any], key: str) -> str | None:
        found = block.get(key)
        if found is not None and not isinstance(found, str):
            raise self.refuse(f"{place}.{key}".strip("."), "is a text in quotes")
        return found or None

    def needed(self, place: str, block: dict[str, Any], key: str) -> str:
        found = self.text(place, block, key)
        if not found:
            raise self.refuse(f"{place}.{key}", "is missing")
        return found

    def choice(self, place: str, block: dict[str, Any], key: str, words: tuple[str, ...]) -> str:
        found = self.text(place, block, key)
        if found not in words:
            raise self.refuse(f"{place}.{key}", f"is needed, and one of {', '.join(words)}")
        return found

    def texts(self, place: str, block: dict[str, Any], key: str) -> list[str]:
        found = block.get(key, [])
        if not isinstance(found, list) or not all(isinstance(text, str | int | float) for text in found):
            raise self.refuse(f"{place}.{key}".strip("."), 'is a list of texts, such as ["a", "b"]')
        return [str(text) for text in found]

    def numbers(self, place: str, block: dict[str, Any], key: str) -> list[int]:
        found = block.get(key, [])
        if not isinstance(found, list) or not all(type(number) is int and 0 < number < 1 << 24 for number in found):
            raise self.refuse(f"{place}.{key}", "is a list of row numbers, such as [3]")
        return found

    def checked(self, key: str, made: Callable[[], Any]) -> Any:
        try:
            return made()
        except ValueError as error:
            raise self.refuse(key, str(error)) from None
