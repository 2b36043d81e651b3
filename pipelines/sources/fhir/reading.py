"""What the modules of one FHIR reading share: the row that a resource gives, and the resource with all that is known around it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelines.sources.fhir.elements import Unreadable, local_columns, many, one, text
from pipelines.sources.fhir.reference import Index, own_keys


@dataclass(slots=True)
class Row:
    """One row: its kind, its native columns, why it cannot be read, and where in the resource it stands."""

    kind: str
    cells: dict[str, str | None]
    fault: str | None = None
    part: str = ""


@dataclass(slots=True)
class Reading:
    """A resource, the base address of its server, and the index of its file."""

    resource: dict
    index: Index
    full_url: str = ""
    base: str = ""
    odd: Counter = field(default_factory=Counter)

    def refuse_other_versions(self, names: Iterable[str]) -> None:
        """Raises Unreadable where the resource has an element of that name: it belongs to another version of FHIR."""
        for name in names:
            if name in self.resource:
                raise Unreadable("resource_not_r4", name)

    def contained(self) -> dict[str, dict]:
        """The resources inside it, by id. Raises Unreadable."""
        return {
            inside["id"]: inside for inside in many(self.resource, "contained") if isinstance(inside.get("id"), str)
        }

    def patient_id(self) -> str | None:
        """The store's id of the subject; None when there is none. Raises Unreadable."""
        return self.index.patient_id(one(self.resource, "subject"), self.base, self.contained())

    def common(self, status: str | None) -> dict[str, str | None]:
        """The columns of every kind with versions. Raises Unreadable."""
        named = next(
            (
                text(i, "value")
                for i in many(self.resource, "identifier")
                if text(i, "system") == "urn:mda5-monitor:record"
            ),
            None,
        )
        return {"patient_id": self.patient_id(), "status": status, "record_id": named or text(self.resource, "id")}

    def local(self) -> dict[str, str | None]:
        """The columns that our own extensions fill."""
        return local_columns(self.resource)

    def keys(self) -> tuple[str, ...]:
        """Under which a report names it."""
        return own_keys(self.resource, self.full_url)
