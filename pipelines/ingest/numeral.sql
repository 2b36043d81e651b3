-- Every different text of the number columns, read once in a file: comparator, digits, number.
-- Decimal mark: the file's (`receipt.decimal`); 'unsettled' holds every text that the mark would decide.
-- Numbers keep nine decimals here, so that a conversion can be rounded once, to six, half up.

WITH split AS (
    SELECT text, trim(regexp_replace(lower(plain_text(text)), '[\s_]+', ' ', 'g')) AS plain,   -- as coded results are compared
        regexp_extract(plain_text(text), '^(<=|>=|=<|=>|<|>|=)? ?(.*?) ?(%?) ?(HH|LL|H|L|\*|N|A)?$',
            ['comparator', 'body', 'percent', 'flag']) AS part
    FROM number_text
),
judged AS (
    SELECT text, plain, part.comparator AS comparator, part.body AS body, part.percent <> '' AS percent, decimal,
        decimal = 'unsettled' AND regexp_full_match(part.body, '[+-]?[\d., ]+([eE][+-]?\d+)?')
            AND (contains(part.body, ',') OR regexp_full_match(part.body, '[+-]?[1-9]\d{0,2}(\.\d{3})+')) AS ambiguous
    FROM split, receipt
),
digits AS (
    SELECT text, plain, comparator, percent, ambiguous,
        CASE WHEN ambiguous THEN NULL
            WHEN decimal <> 'comma' AND regexp_full_match(body, '[+-]?(\d+|\d{1,3}(,\d{3})+)?(\.\d+)?([eE][+-]?\d{1,4})?')
            THEN replace(body, ',', '')
            WHEN decimal = 'comma' AND regexp_full_match(body, '[+-]?(\d+|\d{1,3}(\.\d{3})+|\d{1,3}( \d{3})+)?(,\d+)?([eE][+-]?\d{1,4})?')
            THEN replace(replace(replace(body, '.', ''), ' ', ''), ',', '.')
        END AS digits
    FROM judged
)
SELECT text, plain, plain_name(text) AS name, ambiguous, percent,   -- percent: the text ends in %, which only some columns allow
    CASE comparator WHEN '=<' THEN '<=' WHEN '=>' THEN '>=' WHEN '=' THEN '' ELSE comparator END AS comparator,
    regexp_matches(coalesce(digits, ''), '\d') AND NOT regexp_matches(digits, '^[+-]?[eE]') AS is_number,
    CASE WHEN is_number THEN TRY_CAST(digits AS DECIMAL(24, 9)) END AS number,  -- NULL also where it is too large
    TRY_CAST(number AS DECIMAL(19, 6)) AS rounded,                              -- for those that need no conversion
    plain IN ('', '-', '--', '---', '.', '?', 'na', 'n/a', 'n.a.', 'nan', 'null', 'none', 'nd', 'n.d.', 'nr', 'n.r.', 'not done',
        'not available', 'not tested', 'missing', 'pending', 'in process', 'tbd') AS says_missing
FROM digits;
