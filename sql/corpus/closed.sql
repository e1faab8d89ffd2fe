-- One row per report that its source no longer makes (the repository is gone, the card was rewritten), in the
-- source's words, and when that was noticed. Closed reports make no records.
SELECT
    report_id,
    source,
    tier,
    raw_model,
    raw_dataset,
    raw_task,
    raw_metric,
    raw_value,
    setting,
    source_url,
    source_revision,
    retrieved_at,
    closed_at,
    extractor
FROM staging.closed
ORDER BY source, tier, report_id
