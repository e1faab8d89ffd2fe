-- How many models of each family there are by size, and how they do on average: z is 0 for the average
-- model of a leaderboard.
-- params: min_models=3
SELECT
    m.family,
    CASE
        WHEN m.params_b IS NULL THEN '?'
        WHEN m.params_b < 0.1 THEN 'a: < 0.1B'
        WHEN m.params_b < 1 THEN 'b: 0.1B - 1B'
        WHEN m.params_b < 10 THEN 'c: 1B - 10B'
        ELSE 'd: >= 10B'
    END AS size,
    count(DISTINCT m.model_id) AS n_models,
    count(r.record_id) AS n_records,
    avg(r.z) AS mean_z
FROM models AS m
LEFT JOIN records AS r ON m.model_id = r.model_id
GROUP BY m.family, size
HAVING count(DISTINCT m.model_id) >= $min_models
ORDER BY m.family, size
