"""Patients that a file names by a server's resource id alone, found through the Patient resource of a file loaded before.

A bulk export of FHIR has one file for each type. A source that has `links` (what its patients are called by resource id -> id in the
store), `durable_links` and `unlinked` (ids of patients whose resource is elsewhere -> what they are called) takes part; any other is
left alone. 'Patient/1' without the address of its server is somebody else on every server: such a name counts only among files
received together, unless an assigner was declared.
"""

from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources import Batch, Source

AMBIGUOUS = ""  # in place of the patient of a name that two patients have


def begin(con: duckdb.DuckDBPyConnection, file_id: int, received_at: datetime) -> None:
    """What `linked` and `keep` need to know of a file that is read and not ingested."""
    con.execute("CREATE OR REPLACE TEMP TABLE receipt (file_id INTEGER, received_at TIMESTAMP)")
    con.execute("INSERT INTO receipt VALUES (?, ?)", [file_id, received_at])
    con.execute("CREATE OR REPLACE TEMP TABLE remark (what VARCHAR, rows BIGINT)")


def linked(con: duckdb.DuckDBPyConnection, source: Source, batch: Batch) -> Batch:
    """The batch, with the ids of patients known from other files in place of those of their resources."""
    unlinked = getattr(source, "unlinked", {})
    if not unlinked or "patient_id" not in batch.table.column_names:
        return batch
    named = [one for one in pc.unique(batch.table.column("patient_id")).to_pylist() if one in unlinked]
    known = dict(
        con.execute(
            "SELECT alias, patient_id FROM source.patient_link AS link, receipt "
            "WHERE list_contains(?, alias) AND (durable OR link.received_at = receipt.received_at)",
            [[unlinked[one] for one in named]],
        ).fetchall()
    )
    if not known:
        return batch
    ids = batch.table.column("patient_id").to_pylist()
    found = [known.get(unlinked[one], one) if one in unlinked else one for one in ids]
    rows = sum(one in unlinked and unlinked[one] in known for one in ids)
    con.execute("INSERT INTO remark VALUES ('rows of them are of patients known from another file', ?)", [rows])
    return Batch(batch.kind, _with_faults(_replaced(batch.table, "patient_id", found), found))


def _with_faults(table: pa.Table, ids: list[str | None]) -> pa.Table:
    """A row that names one of two patients is no one's."""
    if AMBIGUOUS not in ids:
        return table
    held = table.column("cell_fault").to_pylist() if "cell_fault" in table.column_names else [None] * len(ids)
    faults = ["patient_ambiguous" if one == AMBIGUOUS else fault for one, fault in zip(ids, held, strict=True)]
    return _replaced(table, "cell_fault", faults)


def _replaced(table: pa.Table, name: str, values: list[str | None]) -> pa.Table:
    column = pa.array(values, pa.string())
    return (
        table.set_column(table.column_names.index(name), name, column)
        if name in table.column_names
        else table.append_column(name, column)
    )


def keep(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Remembers what the file's patients are called. A name that two patients have names neither from then on."""
    links = getattr(source, "links", {})
    if not links:
        return
    durable = getattr(source, "durable_links", ())
    columns = {
        "alias": pa.array(links, pa.string()),
        "patient_id": pa.array(links.values(), pa.string()),
        "durable": pa.array([alias in durable for alias in links], pa.bool_()),
    }
    con.register("given_links", pa.table(columns))
    con.execute(
        """
        INSERT INTO remark
        SELECT 'resource ids are those of another patient too: rows that name a patient by them are refused (declare an assigner)', count(*)
        FROM given_links AS given JOIN source.patient_link AS held USING (alias), receipt
        WHERE held.patient_id <> given.patient_id AND (held.durable OR held.received_at = receipt.received_at)"""
    )
    con.execute(
        """
        INSERT INTO source.patient_link SELECT alias, patient_id, file_id, durable, received_at FROM given_links, receipt
        ON CONFLICT DO UPDATE SET file_id = excluded.file_id, received_at = excluded.received_at, patient_id = CASE
            WHEN patient_id = excluded.patient_id OR (NOT durable AND received_at <> excluded.received_at) THEN excluded.patient_id
            ELSE '' END"""
    )
    con.unregister("given_links")
