/*
title = "Imaging course: each chest CT or X-ray with its reading"
why   = """The reading, improved, stable, worse (new or expanded ground glass or consolidation) or not comparable, is recorded by a
reader and never computed; an empty one is blank. Fields with ground glass (0-6) and the HRCT score stand beside the CT of their day."""
*/
WITH scored AS (
    SELECT
        patient_id, on_date,
        CAST(max(CASE WHEN code = 'ggo_fields' THEN number END) AS INTEGER) AS ggo_fields,
        max(CASE WHEN code = 'hrct_score' THEN number END) AS hrct_score
    FROM event
    WHERE kind = 'imaging' AND code IN ('ggo_fields', 'hrct_score')
    GROUP BY patient_id, on_date
)
SELECT
    image.patient_id, image.on_date, image.at, image.record_id, image.code, coalesce(image.value, 'blank') AS reading,
    CASE WHEN image.code = 'chest_ct' THEN scored.ggo_fields END AS ggo_fields,
    CASE WHEN image.code = 'chest_ct' THEN scored.hrct_score END AS hrct_score
FROM event AS image
LEFT JOIN scored ON scored.patient_id = image.patient_id AND scored.on_date = image.on_date
WHERE image.kind = 'imaging' AND image.code IN ('chest_ct', 'chest_xray')
