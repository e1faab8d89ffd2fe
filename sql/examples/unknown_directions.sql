-- Metrics whose better end nobody knows; their scores are kept and never compared. The most used first.
-- params: limit=20
SELECT k.metric_id, k.n_records, k.kind, list(DISTINCT r.source ORDER BY r.source) AS sources
FROM metrics AS k
JOIN records AS r ON k.metric_id = r.metric_id
WHERE r.lower_is_better IS NULL
GROUP BY k.metric_id, k.n_records, k.kind
ORDER BY k.n_records DESC, k.metric_id
LIMIT $limit
