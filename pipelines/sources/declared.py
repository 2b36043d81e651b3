"""What the person who loads a file says of it, kept in its receipt so that a rebuild reads it in the same way."""

from dataclasses import dataclass, field
from pathlib import Path

from pipelines.identity import PatientIds


@dataclass(frozen=True)
class Declared:
    """Everything about a file that the file does not say itself.

    `decimal` is 'comma' or 'dot' where the person knows the decimal mark; None: detected from all its numbers together.
    `ids` turns a patient's identifier as printed into the id of the store. `mapping` is the mapping file to read it with.
    `rewritten`: the file is what an erasure left of one (after_erasure.py); the store alone says so.
    """

    decimal: str | None = None
    ids: PatientIds = field(default_factory=PatientIds)
    mapping: Path | None = None
    rewritten: bool = False

    def __post_init__(self) -> None:
        if self.decimal not in (None, "comma", "dot"):
            raise ValueError(f"decimal is 'comma', 'dot' or None, not {self.decimal!r}")
