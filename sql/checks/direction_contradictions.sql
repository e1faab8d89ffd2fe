-- A source that states a direction agrees with the registry. The registry wins; a source that disagrees is
-- either mislabelled or shows a hole in the registry, and somebody should look.
-- asset: corpus_metrics
-- severity: warn
SELECT
    r.source,
    r.metric_id,
    r.raw_metric,
    min(r.raw_task) AS raw_task,
    bool_or(r.stated_lower_is_better) AS stated_lower_is_better,
    bool_or(k.lower_is_better) AS known_lower_is_better,
    count(*) AS n
FROM corpus.reports AS r
JOIN
    corpus.metric_names AS k
    ON r.raw_metric = k.raw_metric AND r.raw_task IS NOT DISTINCT FROM k.raw_task
WHERE r.stated_lower_is_better <> k.lower_is_better
GROUP BY r.source, r.metric_id, r.raw_metric
ORDER BY n DESC, r.source, r.metric_id, r.raw_metric
