-- All records of a group point the same way.
-- asset: corpus_records
-- severity: error
SELECT group_id, min(metric_id) AS metric_id, count(*) AS n
FROM corpus.records
GROUP BY group_id
HAVING
    bool_and(lower_is_better) <> bool_or(lower_is_better)
    OR count(lower_is_better) NOT IN (0, count(*))
ORDER BY group_id
