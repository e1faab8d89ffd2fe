-- Where the registry knows no direction, the sources of one group agree on one. Where they do not, the
-- group is kept and never compared.
-- asset: corpus_reports
-- severity: warn
SELECT
    group_id,
    min(dataset_id) AS dataset_id,
    min(metric_id) AS metric_id,
    count(*) FILTER (stated_lower_is_better) AS n_lower,
    count(*) FILTER (NOT stated_lower_is_better) AS n_higher
FROM corpus.reports
WHERE lower_is_better IS NULL
GROUP BY group_id
HAVING n_lower > 0 AND n_higher > 0
ORDER BY group_id
