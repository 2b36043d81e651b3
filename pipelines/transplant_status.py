"""Where a referral for transplantation stands: the latest of a patient's referral records by day."""

STATUS_WORDS = {
    "not_discussed": "not discussed",
    "discussed": "discussed",
    "work_up": "work-up",
    "referred": "referred",
    "accepted": "accepted",
    "declined": "declined",
    "listed": "listed",
    "transplanted": "transplanted",
    "not_needed": "no longer needed",
}
# The steps that are recorded, in order: of two on one day the later counts.
STATUS_ORDER = tuple(STATUS_WORDS)[1:]

# Every patient with a referral record by $day; $steps is STATUS_ORDER. A record that says only a part of a date counts on its last day.
STATUS = """
    SELECT patient_id, code, CAST(at_high AS DATE) AS status_on, text AS status_text, file.name AS status_file, line AS status_line,
        record_id AS status_record,
        min(CASE WHEN code = 'discussed' THEN CAST(at_high AS DATE) END) OVER (PARTITION BY patient_id) AS discussed_on
    FROM record.event JOIN source.file USING (file_id)
    WHERE kind = 'referral' AND known_until IS NULL AND status IN ('final', 'corrected', 'amended') AND CAST(at_high AS DATE) <= $day
    QUALIFY row_number() OVER (
        PARTITION BY patient_id ORDER BY CAST(at_high AS DATE) DESC, list_position($steps, code) DESC, record_id) = 1"""
