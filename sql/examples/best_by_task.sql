-- Models that do best over a whole task, at least on a few datasets each: mean z over datasets.
-- params: task=text-generation min_datasets=3
WITH per_dataset AS (
    SELECT model_id, dataset_id, avg(z) AS z
    FROM records
    WHERE task_id = $task AND z IS NOT NULL
    GROUP BY model_id, dataset_id
)

SELECT p.model_id, m.family, m.params_b, m.license, count(*) AS n_datasets, avg(p.z) AS mean_z
FROM per_dataset AS p
JOIN models AS m ON p.model_id = m.model_id
GROUP BY p.model_id, m.family, m.params_b, m.license
HAVING count(*) >= $min_datasets
ORDER BY mean_z DESC, p.model_id
LIMIT 20
