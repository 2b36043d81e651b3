-- Every different text of the date columns, read once. ISO 8601 only: 07/24/2021 is never guessed.
-- low: first instant it can mean; high: last day at 00:00 of a partial date, else low. NULL low: unreadable.
-- A date with an offset is after the day of receipt when it is so on every clock of the world (UTC-12 is the last).

CREATE OR REPLACE TEMP TABLE instant AS
WITH split AS (
    SELECT text, regexp_extract(plain_text(text),
        '^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)? ?(Z|[+-]\d{2}(?::?\d{2})?)?)?)?)?$',
        ['year', 'month', 'day', 'minute', 'second', 'zone']) AS part
    FROM date_text
),
parts AS (
    SELECT text, part.day AS day, part.month AS month, part.year AS year, part.minute <> '' AS timed,
        CASE WHEN part.zone = 'Z' THEN '+00:00' WHEN part.zone <> '' THEN
            substr(part.zone, 1, 3) || ':' || coalesce(nullif(right(replace(substr(part.zone, 4), ':', ''), 2), ''), '00') END AS utc_offset,
        CASE WHEN CAST(nullif(part.year, '') AS INTEGER) >= 1900 THEN
            TRY_CAST(concat(part.year, '-', coalesce(nullif(part.month, ''), '01'), '-', coalesce(nullif(part.day, ''), '01'), ' ',
                coalesce(nullif(part.minute, ''), '00:00'), part.second) AS TIMESTAMP) END AS low
    FROM split
),
bounded AS (
    SELECT text, timed, utc_offset, coalesce(TRY_CAST(substr(utc_offset, 2, 2) AS INTEGER) * 60
            + TRY_CAST(substr(utc_offset, 5, 2) AS INTEGER), 0) * CASE WHEN utc_offset LIKE '-%' THEN -1 ELSE 1 END AS minutes,
        CASE WHEN abs(minutes) <= 840 THEN low END AS low,
        CASE WHEN month = '' THEN CAST(make_date(year(low), 12, 31) AS TIMESTAMP)
             WHEN day = '' THEN CAST(last_day(low) AS TIMESTAMP) ELSE low END AS high
    FROM parts
)
SELECT text, low, high, timed, utc_offset, concat(low, ' ', high, ' ', timed) AS span,     -- span: as facts are keyed
    CAST(CASE WHEN utc_offset IS NULL THEN low ELSE low - to_minutes(minutes + 720) END AS DATE) > CAST(received_at AS DATE) AS future
FROM bounded, receipt;
