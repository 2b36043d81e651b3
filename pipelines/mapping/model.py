"""What a mapping file says: which column of a table is which native column of which kind of row."""

from dataclasses import dataclass, field
from datetime import date

# A row is made where one of these is filled; a date or a unit alone is no result.
OWN = {
    "patients": ("sex", "birth_year", "site"),
    "labs": ("analyte", "code", "value"),
    "pft": ("measure", "value", "percent_predicted"),
    "oxygen": ("device", "flow_l_min", "fio2", "spo2", "respiratory_rate", "pao2", "paco2"),
    "administrations": ("drug", "code", "dose"),
    "events": ("kind", "code", "value", "text"),
}
# What holds a result: a sentinel here is a row refused; elsewhere it is an empty cell.
VALUES = {
    "patients": (),
    "labs": ("value",),
    "pft": ("value", "percent_predicted"),
    "oxygen": OWN["oxygen"],
    "administrations": ("dose",),
    "events": ("value",),
}
DATE_OF = {"labs": "at", "pft": "at", "oxygen": "at", "administrations": "start", "events": "at"}


@dataclass(frozen=True)
class Entry:
    """How one native row is made from a line of the table.

    `constants` and `columns` name native columns: the text that every row has, or the column of the table that holds it. `own`: the
    columns of the table of which one must be filled. `where`: column of the table -> the texts with which the line is read at all.
    """

    key: str
    kind: str
    constants: dict[str, str]
    columns: dict[str, str]
    own: tuple[str, ...]
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    where: dict[str, frozenset[str]] = field(default_factory=dict)
    sentinels: tuple[str, ...] | None = None
    wide: bool = False


@dataclass(frozen=True)
class Dates:
    """Where the date of a row stands when the entry does not say it."""

    column: str | None = None
    time_column: str | None = None
    event_column: str | None = None
    of_event: dict[str, str] = field(default_factory=dict)
    from_same_event: bool = False


@dataclass(frozen=True)
class Mapping:
    """One mapping file, checked. Column names are those of the table, as written in the mapping."""

    name: str
    files: tuple[str, ...]
    approved_by: str
    approved_on: date | None
    sheet: str | None
    header_rows: tuple[int, ...]
    skip_rows: frozenset[int]
    delimiter: str | None
    decimal: str
    date_formats: tuple[str, ...]
    sentinels: tuple[str, ...]
    blanks: frozenset[str]
    ignore: tuple[str, ...]
    carry_down: tuple[str, ...]
    patient: str
    pseudonymous: bool
    assigner: str | None
    birth_date: str | None
    dates: Dates
    entries: tuple[Entry, ...]

    @property
    def called(self) -> str:
        """What it is called to a person: a copy kept in landing/ has no name that says anything."""
        return f"mapping {self.name}" if self.name.endswith(".toml") else "mapping"

    @property
    def approved(self) -> bool:
        """Whether a person put a name and a day under it."""
        return bool(self.approved_by) and self.approved_on is not None

    def columns(self) -> list[str]:
        """Every column of the table that the mapping reads, each once."""
        dates = self.dates
        named = [
            self.patient,
            self.birth_date,
            dates.column,
            dates.time_column,
            dates.event_column,
            *dates.of_event.values(),
        ]
        for entry in self.entries:
            named += [*entry.columns.values(), *entry.own, *entry.where]
        return list(dict.fromkeys([column for column in named if column] + list(self.carry_down)))
