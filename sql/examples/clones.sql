-- Models that are copies of one another under different names: the same scores wherever both were measured.
-- params: limit=20
SELECT
    clone_cluster,
    count(*) AS n_models,
    list(model_id ORDER BY model_id)[:5] AS some_of_them,
    min(n_records) AS n_records
FROM models
GROUP BY clone_cluster
HAVING count(*) > 1
ORDER BY n_models DESC, clone_cluster
LIMIT $limit
