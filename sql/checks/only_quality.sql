-- Nothing but quality becomes a record: parameters, speed and cost are facts, and averages over several
-- benchmarks would reveal the benchmarks that a split hides.
-- asset: corpus_metrics
-- severity: error
SELECT r.record_id, r.metric_id, r.raw_metric, r.source
FROM corpus.records AS r
JOIN corpus.metrics AS k ON r.metric_id = k.metric_id
WHERE NOT k.is_quality
ORDER BY r.record_id
