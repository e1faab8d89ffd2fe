-- One row per thing that looked like a score and was refused, by a parser or by the corpus, with the
-- reason. `report_id` is set where it had become a report.
WITH refused AS (
    SELECT NULL::VARCHAR AS report_id, source, tier, "where", reason, detail, raw
    FROM staging.rejects
    UNION ALL
    SELECT
        report_id,
        source,
        tier,
        raw_dataset || ', ' || raw_metric || ', ' || raw_model,
        reject_reason,
        metric_id || ' on ' || dataset_id,
        raw_value
    FROM corpus.reports
    WHERE reject_reason IS NOT NULL
    UNION ALL
    SELECT
        r.report_id,
        r.source,
        r.tier,
        r.raw_dataset || ', ' || r.raw_metric,
        'not_a_model',
        r.raw_model,
        r.raw_value
    FROM staging.reports AS r
    JOIN corpus.model_names AS m ON r.source = m.source AND r.raw_model = m.raw_model
    WHERE m.model_id IS NULL
)

SELECT *
FROM refused
ORDER BY source, tier, reason, "where", raw, detail, report_id
