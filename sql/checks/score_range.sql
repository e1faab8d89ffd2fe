-- A record's score is finite and within what its metric can be: anything else is a unit mix-up that the
-- corpus should have refused.
-- asset: corpus_metrics
-- severity: error
SELECT r.record_id, r.metric_id, r.score, k.minimum, k.maximum, r.raw_value, r.source
FROM corpus.records AS r
JOIN corpus.metrics AS k ON r.metric_id = k.metric_id
WHERE
    r.score IS NULL
    OR NOT isfinite(r.score)
    OR r.score < k.minimum - 1e-9
    OR r.score > k.maximum + 1e-9
ORDER BY r.record_id
