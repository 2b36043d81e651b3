"""Which kind of native rows a header announces. Shared by the formats that bring native columns as a table."""

from collections import Counter
from dataclasses import dataclass

from pipelines.sources.native_csv import COLUMNS, NEEDED

KNOWN = frozenset(column for columns in COLUMNS.values() for column in columns)


@dataclass(frozen=True)
class Fit:
    """What the names of a header are taken for. `kind` None: nothing fits, and `lacks` says what the nearest kind lacks."""

    kind: str | None
    known: int  # how many of the names are columns of the kind
    nearest: str = ""
    lacks: tuple[str, ...] = ()


def column_name(printed: str) -> str:
    """A name as compared: lower case, blanks and hyphens as underscores."""
    return "_".join(printed.replace("-", " ").replace("_", " ").replace("\ufeff", "").lower().split())


def fit(names: list[str]) -> Fit:
    """The kind whose needed columns are all there, and of these the one with most known columns."""
    present = set(names)
    known = {kind: len(present.intersection(COLUMNS[kind])) for kind in NEEDED}
    lacks = {
        kind: tuple(" or ".join(group) for group in groups if not present.intersection(group))
        for kind, groups in NEEDED.items()
    }
    fitting = [kind for kind in NEEDED if not lacks[kind]]
    if fitting:
        kind = max(fitting, key=known.__getitem__)
        return Fit(kind, known[kind])
    nearest = max(NEEDED, key=lambda kind: known[kind] - len(lacks[kind]))
    return Fit(None, known[nearest], nearest, lacks[nearest])


def named_twice(names: list[str]) -> list[str]:
    """The names that a header has more than once."""
    return [name for name, count in Counter(names).items() if name and count > 1]
