-- Every record is in a metric that is listed.
-- asset: corpus_metrics
-- severity: error
SELECT r.metric_id, count(*) AS n
FROM corpus.records AS r
ANTI JOIN corpus.metrics AS k ON r.metric_id = k.metric_id
GROUP BY r.metric_id
ORDER BY r.metric_id
