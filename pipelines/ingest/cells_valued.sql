-- What the cells of a row give together, as one text: it is part of what identifies the fact.

CREATE OR REPLACE TEMP TABLE valued AS
SELECT line, string_agg(concat(analyte, ' ', coded, ' ', low, ' ', low_open, ' ', high, ' ', high_open, ' ', unit), cell_break() ORDER BY analyte) AS given,
    max(ref_low) AS ref_low, max(ref_high) AS ref_high
FROM converted ANTI JOIN rejected USING (line) GROUP BY line;
