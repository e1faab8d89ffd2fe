-- A group's counts are those of its records.
-- asset: corpus_groups
-- severity: error
WITH counted AS (
    SELECT group_id, count(DISTINCT model_id) AS n_models, count(*) AS n_records
    FROM corpus.records
    GROUP BY group_id
)

SELECT g.group_id, g.n_models, c.n_models AS counted_models, g.n_records, c.n_records AS counted_records
FROM corpus.groups AS g
LEFT JOIN counted AS c ON g.group_id = c.group_id
WHERE (g.n_models, g.n_records) IS DISTINCT FROM (c.n_models, c.n_records)
ORDER BY g.group_id
