-- Everything that was ever reported for a model on a dataset: every source, every setting, and which report
-- won.
-- params: model=bert dataset=squad
SELECT
    r.model_id,
    r.dataset_id,
    r.metric_id,
    r.setting,
    r.raw_value,
    r.unit,
    r.score,
    w.report_id IS NOT NULL AS won,
    r.tier,
    r.source,
    r.source_url,
    r.retrieved_at,
    r.reject_reason
FROM reports AS r
LEFT JOIN records AS w ON r.report_id = w.report_id
WHERE contains(lower(r.model_id), lower($model)) AND contains(lower(r.dataset_id), lower($dataset))
ORDER BY r.model_id, r.dataset_id, r.metric_id, r.setting, won DESC, r.report_id
LIMIT 100
