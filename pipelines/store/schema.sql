-- The tables of a store. `source` says what was received and what became of every row, `record` holds the accepted
-- records in all their versions, `result` what the rules answered. Everything here can be made again from landing/.
--
-- Intervals of time are half-open, [low, high). Intervals of values carry their own open ends.
-- Every measured number is DECIMAL(19,6): products of two stay inside DECIMAL(38,12).

CREATE SCHEMA IF NOT EXISTS source;
CREATE SCHEMA IF NOT EXISTS record;
CREATE SCHEMA IF NOT EXISTS result;

-- One row per file received, in order of receipt.
CREATE TABLE IF NOT EXISTS source.file (
    file_id     INTEGER PRIMARY KEY,   -- the sequence in landing/manifest
    name        VARCHAR NOT NULL,      -- base name as received, shown to people, never used as a path
    sha256      VARCHAR NOT NULL,
    format      VARCHAR NOT NULL,      -- 'csv/labs', 'fhir/ndjson', ...
    received_at TIMESTAMP NOT NULL,    -- local time of the machine that received it
    notes       VARCHAR[] NOT NULL     -- what a person should know: encoding, delimiter, decimal mark, unknown columns
);

-- One row per data row of a file: the accounting. received = accepted + duplicate + superseded + rejected.
CREATE TABLE IF NOT EXISTS source.row (
    file_id INTEGER NOT NULL,
    line    INTEGER NOT NULL,          -- physical line on which the row begins, the header being line 1, or its running number
    kind    VARCHAR NOT NULL,          -- 'labs', 'oxygen', ...; 'unreadable' where that cannot be told
    outcome VARCHAR NOT NULL,          -- 'accepted', 'duplicate', 'superseded', 'rejected'
    place   VARCHAR                    -- where it stands, in words, in files that have no lines: "sheet 'Labs', row 12"
);

-- Why a row was refused; class 'held' when a person can settle it, else 'refused'.
CREATE TABLE IF NOT EXISTS source.rejected (
    file_id INTEGER NOT NULL,
    line    INTEGER NOT NULL,
    patient_id VARCHAR,                -- NULL when the row names none
    class   VARCHAR NOT NULL,
    reason  VARCHAR NOT NULL,          -- a stable word: 'unit_missing', 'date_future', ...
    field   VARCHAR,                   -- the column at fault
    found   VARCHAR,                   -- its text
    hint    VARCHAR NOT NULL,          -- what to do, for a person
    raw     VARCHAR NOT NULL,          -- the row as received, without what identifies a person directly
    cells   VARCHAR                    -- of a held row: its cells as read, a JSON object of native columns
);

-- The results held because they were far off the patient's own (ingest/slips.py), as they would have been recorded.
CREATE TABLE IF NOT EXISTS source.slip (
    file_id    INTEGER NOT NULL,
    line       INTEGER NOT NULL,
    patient_id VARCHAR NOT NULL,
    analyte    VARCHAR NOT NULL,
    assay      VARCHAR,
    unit       VARCHAR,
    value      DECIMAL(19,6) NOT NULL,
    "at"       TIMESTAMP NOT NULL
);

-- What people decided on held rows. It came in a file of decisions, as everything else came in a file.
CREATE TABLE IF NOT EXISTS source.decision (
    file_id    INTEGER NOT NULL,       -- the file of decisions, and its line
    line       INTEGER NOT NULL,
    of_file_id INTEGER NOT NULL,       -- the held row
    of_line    INTEGER NOT NULL,
    decision   VARCHAR NOT NULL,       -- 'accept' as printed, 'correct_unit', 'reject'
    unit       VARCHAR,                -- the corrected unit
    decided_by VARCHAR NOT NULL,
    why        VARCHAR NOT NULL,
    decided_at TIMESTAMP NOT NULL
);

-- Who. Everything else about a patient is dated, so it is an observation or an event. The newest version wins.
CREATE TABLE IF NOT EXISTS record.patient (
    patient_id VARCHAR PRIMARY KEY,
    sex        VARCHAR,                -- 'female', 'male', 'other', NULL unknown
    birth_year INTEGER,
    site       VARCHAR,
    file_id    INTEGER,                -- NULL: known only from records in other files
    line       INTEGER
);

-- What was known of a patient once a file was read: a row for every file that said something new.
CREATE TABLE IF NOT EXISTS record.patient_version (
    patient_id  VARCHAR NOT NULL,
    sex         VARCHAR,
    birth_year  INTEGER,
    site        VARCHAR,
    received_at TIMESTAMP NOT NULL,
    file_id     INTEGER NOT NULL,
    line        INTEGER NOT NULL
);

-- Of a file that was received more than once only the last arrival asks anything of people: the same bytes are not two problems.
CREATE VIEW IF NOT EXISTS source.last_arrival AS
SELECT file_id, name, sha256 FROM source.file QUALIFY row_number() OVER (PARTITION BY sha256 ORDER BY file_id DESC) = 1;

-- The rows that people have decided on, whenever their file arrived.
CREATE VIEW IF NOT EXISTS source.decided AS
SELECT sha256, of_line AS line, decision FROM source.decision JOIN source.file ON file.file_id = of_file_id;

-- What a patient is called in files that name it by a server's resource id alone: both sides are ids or pseudonyms of the store.
CREATE TABLE IF NOT EXISTS source.patient_link (
    alias      VARCHAR PRIMARY KEY,
    patient_id VARCHAR NOT NULL,       -- '': two patients have the name, so it names neither
    file_id    INTEGER NOT NULL,       -- the file that said so first
    durable    BOOLEAN NOT NULL,       -- the server is known; else it counts only for files received at the same time
    received_at TIMESTAMP NOT NULL
);

-- Columns that every record shares, in this order and with this meaning:
--   record_id   63-bit hash of the fact and this version's content: the same in a rebuild, a merge, on another engine
--   fact_id     63-bit hash of what this is a version of
--   status      'final', 'corrected', 'amended', 'preliminary', 'entered_in_error', 'cancelled'
--   issued_at   the source's own reporting time, NULL when it gave none
--   known_from  when the source made it known: issued_at, else its own day (known_assumed)
--   known_until when a later version closed it; NULL: this version stands
--   received_at when this store received it
--   received_until when this store received a version that closes it, which may be before; NULL: this version stands
CREATE TABLE IF NOT EXISTS record.observation (
    record_id     BIGINT NOT NULL,
    fact_id       BIGINT NOT NULL,
    set_id        BIGINT NOT NULL,     -- the source row: one blood gas, one test
    patient_id    VARCHAR NOT NULL,
    kind          VARCHAR NOT NULL,    -- 'labs', 'pft' or 'oxygen': what kind of row it came in
    analyte       VARCHAR NOT NULL,    -- id in dictionary/analytes.toml
    value         DECIMAL(19,6),       -- NULL when censored or coded
    low           DECIMAL(19,6),       -- numeric results: low = high = value, or a censored bound; NULL when coded
    low_open      BOOLEAN NOT NULL,    -- '>5' is low 5, low_open
    high          DECIMAL(19,6),       -- NULL: unbounded (only where low is not NULL)
    high_open     BOOLEAN NOT NULL,
    coded         VARCHAR,             -- 'positive', 'negative', '+', '++', '+++', a device, ...
    unit          VARCHAR,             -- the analyte's canonical unit
    unit_assumed  BOOLEAN NOT NULL,    -- the unit was blank and the analyte has one unit in use
    original_value VARCHAR NOT NULL,   -- as printed
    original_unit VARCHAR,             -- as printed
    ref_low       DECIMAL(19,6),       -- the laboratory's range, in the canonical unit
    ref_high      DECIMAL(19,6),
    assay         VARCHAR,
    laboratory    VARCHAR,
    sample_timing VARCHAR,             -- 'C0', 'C2', 'trough'
    activity      VARCHAR,             -- 'rest', 'exertion', 'sleep'
    phase         VARCHAR,             -- 'pre', 'post', 'challenge'
    reference_set VARCHAR,
    specimen_id   VARCHAR,
    at_low        TIMESTAMP NOT NULL,  -- local time as written; equal to at_high unless the date is partial
    at_high       TIMESTAMP NOT NULL,  -- last instant it can mean: a partial date's last day at 00:00
    at_timed      BOOLEAN NOT NULL,    -- a time of day was given
    utc_offset    VARCHAR,
    status        VARCHAR NOT NULL,
    issued_at     TIMESTAMP,
    known_from    TIMESTAMP NOT NULL,
    known_assumed BOOLEAN NOT NULL,
    known_until   TIMESTAMP,
    received_at   TIMESTAMP NOT NULL,
    received_until TIMESTAMP,
    file_id       INTEGER NOT NULL,
    line          INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS record.administration (
    record_id      BIGINT NOT NULL,
    fact_id        BIGINT NOT NULL,
    patient_id     VARCHAR NOT NULL,
    drug           VARCHAR NOT NULL,   -- id in dictionary/drugs.toml
    route          VARCHAR,            -- 'oral', 'iv', 'sc', 'im', 'inhaled', 'topical', 'ocular', 'nasal', NULL not given
    systemic       BOOLEAN NOT NULL,   -- false for topical, ocular, nasal and inhaled forms
    dose           DECIMAL(19,6),      -- NULL: given, dose unknown
    dose_unit      VARCHAR,            -- the drug's canonical dose unit
    original_dose  VARCHAR,
    original_unit  VARCHAR,
    per            VARCHAR,            -- 'day', 'dose', 'week'
    start_low      DATE NOT NULL,
    start_high     DATE NOT NULL,
    stop_low       DATE,               -- last day given; NULL: no stop printed
    stop_high      DATE,
    ongoing        BOOLEAN NOT NULL,
    confirmed_low  DATE,               -- last_confirmed_on
    confirmed_high DATE,
    action         VARCHAR NOT NULL,   -- 'given', 'ordered', 'not_given'
    purpose        VARCHAR,            -- 'treatment', 'prophylaxis'
    status         VARCHAR NOT NULL,
    issued_at      TIMESTAMP,
    known_from     TIMESTAMP NOT NULL,
    known_assumed  BOOLEAN NOT NULL,
    known_until    TIMESTAMP,
    received_at    TIMESTAMP NOT NULL,
    received_until TIMESTAMP,
    file_id        INTEGER NOT NULL,
    line           INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS record.event (
    record_id     BIGINT NOT NULL,
    fact_id       BIGINT NOT NULL,
    patient_id    VARCHAR NOT NULL,
    kind          VARCHAR NOT NULL,    -- 'diagnosis', 'symptom', 'imaging', ... (rulebook section 10)
    code          VARCHAR NOT NULL,
    value         VARCHAR,
    number        DECIMAL(19,6),       -- the value, where it is a number
    text          VARCHAR,
    at_low        TIMESTAMP NOT NULL,
    at_high       TIMESTAMP NOT NULL,
    at_timed      BOOLEAN NOT NULL,
    utc_offset    VARCHAR,
    until_low     DATE,                -- last day; NULL: no end recorded
    until_high    DATE,
    date_assumed  BOOLEAN NOT NULL,
    status        VARCHAR NOT NULL,
    issued_at     TIMESTAMP,
    known_from    TIMESTAMP NOT NULL,
    known_assumed BOOLEAN NOT NULL,
    known_until   TIMESTAMP,
    received_at   TIMESTAMP NOT NULL,
    received_until TIMESTAMP,
    file_id       INTEGER NOT NULL,
    line          INTEGER NOT NULL
);

-- What people entered: reviews, notes, decisions, acknowledgements, the state of a referral (dictionary/entries.toml). Every version of every
-- entry stands here; the newest, by the moment it was entered, is what counts, and says itself whether the entry was withdrawn.
CREATE TABLE IF NOT EXISTS record.entry (
    version_id   BIGINT NOT NULL,      -- 63-bit hash of all it says: the same version again is a duplicate
    entry_id     VARCHAR NOT NULL,
    kind         VARCHAR NOT NULL,
    patient_id   VARCHAR NOT NULL,
    author       VARCHAR NOT NULL,
    author_known VARCHAR NOT NULL,     -- 'typed': nobody has checked who it was
    entered_at   TIMESTAMP NOT NULL,   -- local time of the machine it was entered on
    day          DATE,
    code         VARCHAR,
    item         VARCHAR,
    criterion    VARCHAR,
    text         VARCHAR,
    why          VARCHAR,
    owner        VARCHAR,
    due_on       DATE,
    until        DATE,
    about        VARCHAR,              -- the entry_id of another
    topic        VARCHAR,
    frozen       VARCHAR,              -- what was on screen, a JSON object
    withdrawn    BOOLEAN NOT NULL,
    file_id      INTEGER NOT NULL,
    line         INTEGER NOT NULL
);

-- Runs of the same status and grade of one rule, patient and item. It stands from from_date until until_date
-- (NULL: to the end). Evidence, facts, notes and margin are those of the last judged date of the run.
CREATE TABLE IF NOT EXISTS result.spell (
    criterion   VARCHAR NOT NULL,
    patient_id  VARCHAR NOT NULL,
    item        VARCHAR,
    from_date   DATE NOT NULL,
    last_judged DATE NOT NULL,
    until_date  DATE,
    status      VARCHAR NOT NULL,
    grade       INTEGER,
    evidence    BIGINT[] NOT NULL,
    missing     VARCHAR[] NOT NULL,
    facts       VARCHAR[] NOT NULL,
    notes       VARCHAR[] NOT NULL,
    margin      DECIMAL(19,6)
);

-- Which version of which rule judged this store (pipelines/rule_versions.py).
CREATE TABLE IF NOT EXISTS result.rule (
    criterion    VARCHAR PRIMARY KEY,
    content_hash VARCHAR NOT NULL,     -- of the criterion, the site's values in it, and all that it reads
    version      INTEGER NOT NULL,     -- entries of its history
    why          VARCHAR NOT NULL      -- the last entry's reason
);

-- The criteria, concepts and dictionary tables that judged it, each with the hash of its own text and the site's values in it.
CREATE TABLE IF NOT EXISTS result.rule_part (
    definition   VARCHAR PRIMARY KEY,
    content_hash VARCHAR NOT NULL
);
