-- A metric means one thing: one row, and under all its spellings the same direction and unit.
-- asset: corpus_metrics
-- severity: error
SELECT metric_id, count(*) AS n, 'listed twice' AS problem
FROM corpus.metrics
GROUP BY metric_id
HAVING count(*) > 1
UNION ALL
SELECT metric_id, count(DISTINCT (coalesce(lower_is_better::VARCHAR, '?'), unit)), 'several meanings'
FROM corpus.metric_names
GROUP BY metric_id
HAVING count(DISTINCT (coalesce(lower_is_better::VARCHAR, '?'), unit)) > 1
ORDER BY metric_id, problem
