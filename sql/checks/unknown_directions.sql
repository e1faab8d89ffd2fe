-- At most a tenth of all records have a metric whose direction nobody knows; more means that the metric
-- registry lags behind the sources. Shows the metrics to add first.
-- asset: corpus_metrics
-- severity: warn
SELECT
    metric_id,
    count(*) AS n,
    round(count(*) / (SELECT count(*) FROM corpus.records), 4) AS share
FROM corpus.records
WHERE
    lower_is_better IS NULL
    AND (
        SELECT count(*) FILTER (lower_is_better IS NULL) > 0.1 * count(*) FROM corpus.records
    )
GROUP BY metric_id
ORDER BY n DESC, metric_id
