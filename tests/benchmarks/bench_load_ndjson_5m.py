"""Five million FHIR Observations, one to a line, beside DuckDB merely reading the same file into typed columns. A run takes minutes."""

from pathlib import Path

import duckdb

from pipelines.identity import PatientIds
from pipelines.load import load
from pipelines.sources import Declared
from pipelines.store.database import Store
from tests.benchmarks import cohort

OBSERVATIONS = 5_000_000
PATIENTS = 20_000
SIZE = f"{OBSERVATIONS:,} FHIR Observations of {PATIENTS:,} patients, judged and published"
PEER = "read_ndjson, typed, into a DuckDB file"
COLUMNS = {
    "resourceType": "VARCHAR",
    "id": "VARCHAR",
    "status": "VARCHAR",
    "code": "STRUCT(coding STRUCT(system VARCHAR, code VARCHAR)[])",
    "subject": "STRUCT(identifier STRUCT(system VARCHAR, value VARCHAR))",
    "effectiveDateTime": "VARCHAR",
    "issued": "VARCHAR",
    "valueQuantity": "STRUCT(comparator VARCHAR, value DECIMAL(19, 6), unit VARCHAR, system VARCHAR, code VARCHAR)",
}


def prepare(observations: int = OBSERVATIONS, patients: int = PATIENTS) -> Path:
    labs = cohort.files(patients=patients, labs=observations) / "labs.csv"
    ndjson = labs.with_suffix(".ndjson")
    with duckdb.connect() as con:
        con.execute(
            f"""
            COPY (
                SELECT 'Observation' AS "resourceType", record_id AS id, coalesce(status, 'final') AS status,
                    {{'coding': [{{'system': 'http://loinc.org', 'code': analyte}}]}} AS code,
                    {{'identifier': {{'system': 'urn:example:synthetic', 'value': patient_id}}}} AS subject,
                    "at" AS "effectiveDateTime",
                    {{'value': TRY_CAST(value AS DECIMAL(19, 6)), 'unit': unit, 'system': 'http://unitsofmeasure.org', 'code': unit}}
                        AS "valueQuantity"
                FROM read_csv('{labs}', all_varchar = true)
                WHERE TRY_CAST(value AS DECIMAL(19, 6)) IS NOT NULL
            ) TO '{ndjson}' (FORMAT json)"""
        )
    return ndjson


def ours(ndjson: Path) -> None:
    declared = Declared(ids=PatientIds(pseudonymous=True))
    (report,) = load(Store(cohort.folder() / "store"), [ndjson], received_at=cohort.RECEIVED, declared=declared).files
    assert report.received > OBSERVATIONS * 0.8, report
    assert report.rejected < report.received * 0.05, report


def peer(ndjson: Path) -> None:
    with duckdb.connect(str(cohort.folder() / "floor.duckdb")) as con:
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
        con.execute(f"CREATE TABLE observation AS FROM read_ndjson(?, columns = {{{columns}}})", [str(ndjson)])
        con.execute("CHECKPOINT")
