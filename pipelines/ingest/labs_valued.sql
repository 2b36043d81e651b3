-- What a labs row gives, as one text: it is part of what identifies the fact.

CREATE OR REPLACE TEMP TABLE valued AS
SELECT line, concat(analyte, ' ', coded, ' ', low, ' ', low_open, ' ', high, ' ', high_open, ' ', unit) AS given, ref_low, ref_high
FROM converted ANTI JOIN rejected USING (line);
