"""One value of one OBX, with what its OBR says of it, before it is known which row it becomes."""

from dataclasses import dataclass, field

from pipelines.sources.hl7v2.codes import Observed
from pipelines.sources.hl7v2.rows import Row


@dataclass(slots=True)
class Result:
    """One value of one OBX."""

    place: str
    raw: str
    observed: Observed
    kind: str
    value: str
    unit: str
    low: str
    high: str
    at: str
    reported_at: str
    status: str
    assay: str
    laboratory: str
    set_number: str
    sub: str
    record_id: str
    derived: str  # the record_id that OBR-3 gives, if no other result of the group has the same
    fault: str | None
    extra: dict[str, str] = field(default_factory=dict)

    def versioned(self, patient: str | None) -> dict[str, str | None]:
        """The columns that every kind with versions has."""
        return {
            "patient_id": patient,
            "at": self.at,
            "reported_at": self.reported_at,
            "status": self.status,
            "record_id": self.record_id,
        }

    def lab_row(self, patient: str | None, specimen: str) -> Row:
        """As a row of labs."""
        seen = self.observed
        columns = self.versioned(patient) | {
            "analyte": seen.name, "code": seen.code, "value": self.value, "unit": self.unit, "ref_low": self.low,
            "ref_high": self.high, "assay": self.assay, "laboratory": self.laboratory, "specimen_id": specimen,
        }  # fmt: skip
        return Row("labs", self.place, self.raw, columns | self.extra, self.fault)
