-- The newest evaluations, and how good they are among their group (z: 0 is average, 2 is excellent).
-- params: limit=20
SELECT evaluated_at, model_id, dataset_id, metric_id, score, z, source, source_url
FROM records
WHERE evaluated_at IS NOT NULL
ORDER BY evaluated_at DESC, z DESC NULLS LAST, record_id
LIMIT $limit
