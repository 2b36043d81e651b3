"""The infection board: who is under immunosuppression, who is unprotected, who is infected, and what was not looked at.

`board` orders everyone with one set-wise query; `details` says the rest of the patients of one page (or, in turn, of all). Both read the
spells and the kept concepts of a published snapshot. Nothing is judged here: a flag is met where its rule says so.

Two project defaults are this board's own: counts are at stop level from CTCAE grade 3 (the label of JAK inhibitors has a stop of its own,
its grade 2), and a patient without agents is listed when an infection flag is met or an infection is, or may be, open.
"""

from collections.abc import Iterable
from datetime import date

import duckdb

from pipelines import dictionary, findings
from pipelines.catalog import catalog
from pipelines.engines.inputs import JUDGED
from pipelines.recorded import DEATHS, RECORDS

CONCEPTS = ("immunosuppression", "prednisone_equivalent", "prophylaxis", "infection_episode")
GAP, ACTIVE, OVERDUE = "pjp_prophylaxis_gap", "active_infection", "overdue_tests"
STOP_GRADE = {"jaki_stop_counts": 2, "lymphopenia": 3, "neutropenia": 3}
SCREENING = ("hbv_screen_missing", "tb_screen_missing")
EXCHANGES = ("exchange_after_ivig", "exchange_after_rituximab")
SURVEILLANCE = ("blood_count", "igg", "cmv_pcr")  # of dictionary/monitoring.toml; beta-D-glucan has no schedule
FLAGS = ("gap", "open_infection", "counts", "surveillance", "screening", "exchange")

DEFENCE = ("lymphocytes", "neutrophils", "igg")  # the lower, the worse
CMV = ("cmv_dna", "cmv_dna_copies", "cmv_pp65", "cmv_dna_qualitative")
FAR = "DATE '9999-12-31'"
STANDS = f"from_date <= $day AND coalesce(to_date, {FAR}) > $day"
SPELL_STANDS = f"from_date <= $day AND coalesce(until_date, {FAR}) > $day"
BATCH = 1_000  # patients whose details are read at once

# With a partial date an infection may have begun days earlier, and then its 28 days are over earlier: open is what surely is.
EPISODE = f"""
    SELECT standing.*, coalesce(written.slack, 0) AS slack,
        open_until - CASE WHEN ended THEN 0 ELSE CAST(coalesce(written.slack, 0) AS INTEGER) END > $day AS open
    FROM (SELECT * FROM concept.infection_episode WHERE {STANDS}) AS standing
    LEFT JOIN (
        SELECT patient_id, CAST(at_high AS DATE) AS on_date, max(date_diff('day', CAST(at_low AS DATE), CAST(at_high AS DATE))) AS slack
        FROM record.event WHERE kind = 'infection' AND known_until IS NULL AND {JUDGED} GROUP BY ALL
    ) AS written ON written.patient_id = standing.patient_id AND written.on_date = standing.recorded_on"""

LISTED = f"""
    WITH acting AS (
        SELECT patient_id, list_sort(list_distinct(agents)) AS agents, agent_count FROM concept.immunosuppression WHERE {STANDS}
    ),
    steroid AS (
        SELECT DISTINCT patient_id FROM concept.prednisone_equivalent WHERE {STANDS} AND (mg_per_day > 0 OR dose_unknown)
    ),
    infected AS (
        SELECT patient_id, bool_or(open) AS open, min(since) FILTER (open) AS since FROM ({EPISODE}) GROUP BY patient_id
    ),
    flag AS (
        SELECT patient_id,
            min(from_date) FILTER (criterion = '{ACTIVE}') AS active_since,
            min(from_date) FILTER (criterion = '{GAP}') AS gap_since,
            min(from_date) FILTER (grade >= stop_grade) AS stop_since,
            min(from_date) FILTER (criterion <> '{OVERDUE}') AS flag_since,
            min(from_date) FILTER (criterion = '{OVERDUE}') AS overdue_since,
            coalesce(bool_or(stop_grade IS NOT NULL), FALSE) AS counts,
            bool_or(criterion IN {SCREENING}) AS screening,
            bool_or(criterion IN {EXCHANGES}) AS exchange
        FROM result.spell LEFT JOIN (SELECT unnest($counts) AS criterion, unnest($grades) AS stop_grade) USING (criterion)
        WHERE {SPELL_STANDS} AND status = 'met' AND (list_contains($flags, criterion)
            OR (criterion = '{OVERDUE}' AND item IN {SURVEILLANCE}))
        GROUP BY patient_id
    ),
    death AS ({DEATHS})
    SELECT patient_id, coalesce(agents, []) AS agents, coalesce(agent_count, 0) AS agent_count, active_since, gap_since, stop_since,
        flag_since, overdue_since, infected.since AS infected_since,
        gap_since IS NOT NULL AS gap, coalesce(infected.open, FALSE) AS open_infection, coalesce(counts, FALSE) AS counts,
        overdue_since IS NOT NULL AS surveillance, coalesce(screening, FALSE) AS screening, coalesce(exchange, FALSE) AS exchange, died_on
    FROM record.patient LEFT JOIN acting USING (patient_id) LEFT JOIN steroid AS given USING (patient_id)
    LEFT JOIN infected USING (patient_id) LEFT JOIN flag USING (patient_id) LEFT JOIN death USING (patient_id)
    WHERE agent_count >= 1 OR given.patient_id IS NOT NULL OR infected.patient_id IS NOT NULL OR flag_since IS NOT NULL"""

ORDERED = f"""
    SELECT *, CASE WHEN active_since IS NOT NULL THEN 0 WHEN gap THEN 1 WHEN stop_since IS NOT NULL THEN 2
        WHEN flag_since IS NOT NULL OR open_infection THEN 3 WHEN surveillance THEN 4 ELSE 5 END AS rank,
        CASE rank WHEN 0 THEN active_since WHEN 1 THEN gap_since WHEN 2 THEN stop_since
            WHEN 3 THEN coalesce(flag_since, infected_since) WHEN 4 THEN overdue_since END AS since
    FROM ({LISTED}) WHERE died_on IS NULL ORDER BY rank, since NULLS LAST, agent_count DESC, patient_id"""


def lacking(cursor: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """The concepts that the board reads and the snapshot does not hold, because older rules judged it; the next load keeps them."""
    found = cursor.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'concept'").fetchall()
    held = {name for (name,) in found}
    return tuple(name for name in CONCEPTS if name not in held)


def board(cursor: duckdb.DuckDBPyConnection, as_of: date) -> list[dict]:
    """One dict per patient of the board who is not recorded to have died, in order: patient_id, rank (0 to 5), since (first day of what
    ranks; None), agents (classes, sorted), agent_count, a truth for each of FLAGS, gap_since, overdue_since. Nothing where `lacking`.

    Answers are those of the spells: what they know includes records that came after `as_of`, as for every standing answer.
    """
    if lacking(cursor):
        return []
    wanted = ("patient_id", "rank", "since", "agents", "agent_count", *FLAGS, "gap_since", "overdue_since")
    return findings.fetch_rows(cursor.execute(f"SELECT {', '.join(wanted)} FROM ({ORDERED})", _asked(as_of)))


def died(cursor: duckdb.DuckDBPyConnection, as_of: date) -> int:
    """How many patients would be on the board and are left out because their death is recorded up to the day."""
    if lacking(cursor):
        return 0
    sql = f"SELECT count(*) FROM ({LISTED}) WHERE died_on IS NOT NULL"
    return cursor.execute(sql, _asked(as_of)).fetchone()[0]


def _asked(as_of: date) -> dict:
    flags = [rule.id for rule in catalog().criteria.values() if rule.group == "infection"]
    return {
        "day": as_of,
        "flags": [*flags, *EXCHANGES],
        "counts": list(STOP_GRADE),
        "grades": list(STOP_GRADE.values()),
    }


# Drug by drug. Stretches that touch are one: a confirmation says that the drug was taken since its start, also while that was in doubt.
COVER = f"""
    WITH stretch AS (
        SELECT *, max(coalesce(to_date, {FAR})) OVER before AS reached
        FROM concept.prophylaxis WHERE patient_id IN (SELECT unnest($patients)) AND from_date <= $day
        WINDOW before AS (PARTITION BY patient_id, kind, drug ORDER BY from_date, coalesce(to_date, {FAR})
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    run AS (
        SELECT *, max(CASE WHEN reached >= from_date THEN NULL ELSE from_date END) OVER (
            PARTITION BY patient_id, kind, drug ORDER BY from_date, coalesce(to_date, {FAR})
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS since
        FROM stretch
    )
    SELECT patient_id, kind, drug, certain, min(since) AS since, CASE WHEN NOT certain THEN min(from_date) END AS in_doubt_from,
        max(last_confirmed) AS last_confirmed, bool_and(treatment) AS treatment,
        list_sort(list_distinct(flatten(list(evidence)))) AS evidence
    FROM run WHERE coalesce(to_date, {FAR}) > $day GROUP BY patient_id, kind, drug, certain
    ORDER BY patient_id, kind, certain DESC, drug"""

ACTING = f"""
    SELECT stretch.patient_id, list_sort(list_distinct(agents)) AS agents, list_sort(list_distinct(drugs)) AS drugs, agent_count,
        stretch.mg_per_day, stretch.dose_unknown, confirmed_on, list_sort(list_distinct(stretch.evidence)) AS evidence,
        coalesce(dose.evidence, []) AS dose_evidence
    FROM (SELECT * FROM concept.immunosuppression WHERE patient_id IN (SELECT unnest($patients)) AND {STANDS}) AS stretch
    LEFT JOIN (SELECT patient_id, evidence FROM concept.prednisone_equivalent WHERE {STANDS}) AS dose USING (patient_id)"""

EPISODES = f"""
    SELECT patient_id, organism, site, proof, end_organ, since, recorded_on, slack, open, evidence FROM ({EPISODE})
    WHERE patient_id IN (SELECT unnest($patients)) ORDER BY patient_id, NOT open, since, organism, site"""

# Of a day the worst result, as the rules judge a day. Beta-D-glucan is one series per assay, or per laboratory where none is named; of CMV
# a laboratory is a series, and the series with the newest result is told.
RESULTS = f"""
    WITH counted AS (
        SELECT observation.*, CAST(at_high AS DATE) AS on_date, file.name AS file,
            CASE WHEN analyte = 'beta_d_glucan' THEN coalesce('assay ' || assay, 'laboratory ' || laboratory, '')
                WHEN analyte IN {CMV} THEN coalesce(laboratory, '') ELSE '' END AS series,
            CASE WHEN analyte IN {DEFENCE} THEN -coalesce(high, low)
                ELSE coalesce(low, CASE coded WHEN 'negative' THEN -1 ELSE 1e12 END) END AS worse
        FROM record.observation AS observation JOIN source.file USING (file_id)
        WHERE patient_id IN (SELECT unnest($patients)) AND analyte IN {(*DEFENCE, *CMV, "beta_d_glucan")}
            AND known_until IS NULL AND {JUDGED} AND CAST(at_high AS DATE) <= $day
    ),
    daily AS (
        SELECT * FROM counted QUALIFY row_number() OVER (
            PARTITION BY patient_id, analyte, series, on_date ORDER BY worse DESC NULLS LAST, low DESC NULLS LAST, record_id) = 1
    )
    SELECT patient_id, analyte, assay, laboratory, series, value, low, low_open, high, high_open, coded, unit, original_value,
        original_unit, unit_assumed, on_date, at_low < at_high AS partial, record_id, file, line,
        row_number() OVER (PARTITION BY patient_id, analyte, series ORDER BY on_date DESC) AS place
    FROM daily QUALIFY place <= 2 ORDER BY patient_id, analyte, series, place"""

MEASURED = f"""
    SELECT patient_id, analyte, CAST(max(at_high) AS DATE) AS last_day FROM record.observation
    WHERE patient_id IN (SELECT unnest($patients)) AND list_contains($analytes, analyte) AND known_until IS NULL AND {JUDGED}
        AND CAST(at_high AS DATE) <= $day
    GROUP BY ALL"""

ANSWERS = f"""
    SELECT patient_id, criterion, item, last_judged AS on_date, status, grade, from_date AS since, evidence, missing, facts, notes,
        date_diff('day', from_date, $day) AS days
    FROM result.spell
    WHERE patient_id IN (SELECT unnest($patients)) AND {SPELL_STANDS} AND (list_contains($criteria, criterion)
        OR (criterion = '{OVERDUE}' AND item IN {SURVEILLANCE})) AND (status <> 'not_met' OR criterion = '{GAP}')
    ORDER BY patient_id, criterion, item"""

LAST_DAY = f"""
    SELECT patient_id, max(day) AS last_day, date_diff('day', max(day), $day) AS days FROM ({RECORDS}) AS record
    WHERE patient_id IN (SELECT unnest($patients)) GROUP BY patient_id"""

HELD = """
    SELECT patient_id, count(*) AS held FROM source.rejected JOIN source.last_arrival USING (file_id)
    ANTI JOIN source.decided USING (sha256, line)
    WHERE class = 'held' AND patient_id IN (SELECT unnest($patients)) GROUP BY patient_id"""

SOURCES = " UNION ALL ".join(
    f"SELECT CAST(record_id AS VARCHAR), name, line FROM record.{table} JOIN source.file USING (file_id) "
    "WHERE patient_id IN (SELECT unnest($patients)) AND record_id IN (SELECT unnest($ids))"
    for table in ("observation", "administration", "event")
)


def details(cursor: duckdb.DuckDBPyConnection, as_of: date, patients: Iterable[str]) -> dict[str, dict]:
    """What the board says of some patients, by patient_id, from a handful of queries a thousand patients.

    acting (None: no agent acts): agents, drugs, agent_count, mg_per_day, dose_unknown, confirmed_on, evidence, dose_evidence.
    cover: rows of kind, drug, certain, since, in_doubt_from, last_confirmed, treatment. results: rows of analyte, series, unit, values
    with open ends, on_date, file, line; place 1 is the newest day of a series, 2 the day before it. measured: last day by analyte of the
    schedule. answers: what is met or cannot be told of the infection flags, the exchanges and the schedule, and the answer on the gap
    whatever it is, with the `days` it has stood; `finding` is the sentence of an exchange (None: of others, and where the spell was judged
    again after the day). episodes: infections open or perhaps open. last_day, and the days since.
    held: how many rows wait for a person. sources: (file, line) by record id. Every row has patient_id; record ids are text.
    """
    wanted = list(patients)
    told: dict[str, dict] = {}
    if not lacking(cursor):
        for start in range(0, len(wanted), BATCH):
            told |= _details(cursor, as_of, wanted[start : start + BATCH])
    return told


def _details(cursor: duckdb.DuckDBPyConnection, as_of: date, patients: list[str]) -> dict[str, dict]:
    told = {patient_id: _nothing(patient_id) for patient_id in patients}
    asked = {"day": as_of, "patients": patients}
    for name, sql in (("cover", COVER), ("results", RESULTS), ("episodes", EPISODES)):
        for row in _rows(cursor, sql, asked):
            told[row["patient_id"]][name].append(row)
    for row in _rows(cursor, ACTING, asked):
        told[row["patient_id"]]["acting"] = row
    for row in _rows(cursor, MEASURED, asked | {"analytes": [one for test in scheduled().values() for one in test]}):
        told[row["patient_id"]]["measured"][row["analyte"]] = row["last_day"]
    criteria = _asked(as_of)["flags"]
    for row in _rows(cursor, ANSWERS, asked | {"criteria": criteria}):
        sentence = row["criterion"] in EXCHANGES and row["on_date"] <= as_of
        row["finding"] = findings.render(catalog().criteria[row["criterion"]], row) if sentence else None
        told[row["patient_id"]]["answers"].append(row)
    for row in [*_rows(cursor, LAST_DAY, asked), *_rows(cursor, HELD, {"patients": patients})]:
        told[row["patient_id"]] |= row
    _name_sources(cursor, told)
    return told


def _nothing(patient_id: str) -> dict:
    lists = {name: [] for name in ("cover", "results", "answers", "episodes")}
    return {"patient_id": patient_id, "acting": None, "measured": {}, "last_day": None, "days": None, "held": 0} | lists


def _rows(cursor: duckdb.DuckDBPyConnection, sql: str, asked: dict) -> list[dict]:
    """Rows with record ids as text, which a number of 63 bits is to JavaScript and to a CSV file."""
    rows = findings.fetch_rows(cursor.execute(sql, asked))
    for row in rows:
        for name in ("evidence", "dose_evidence"):
            if name in row:
                row[name] = [str(one) for one in row[name]]
        if "record_id" in row:
            row["record_id"] = str(row["record_id"])
    return rows


def _name_sources(cursor: duckdb.DuckDBPyConnection, told: dict[str, dict]) -> None:
    """sources of each patient: file and line of every record that one of its rows names."""
    named = {patient_id: set(_named(row)) for patient_id, row in told.items()}
    ids = [int(one) for ids in named.values() for one in ids]
    found = {one: (name, line) for one, name, line in
             cursor.execute(SOURCES, {"ids": ids, "patients": list(told)}).fetchall()}  # fmt: skip
    for patient_id, row in told.items():
        row["sources"] = {one: found[one] for one in named[patient_id] if one in found}


def _named(row: dict) -> Iterable[str]:
    for part in [*row["cover"], *row["answers"], *row["episodes"], *([row["acting"]] if row["acting"] else [])]:
        yield from part["evidence"]
        yield from part.get("dose_evidence", [])


def scheduled() -> dict[str, list[str]]:
    """The analytes of each test under surveillance, by test."""
    return {test: dictionary.monitoring()[test]["analytes"] for test in SURVEILLANCE}
