-- Within a group of known direction, the models' z has mean 0 and standard deviation 1 (0 where all are
-- equal), and the best score has the greatest z.
-- asset: corpus_records
-- severity: error
WITH per_model AS (
    SELECT
        group_id,
        model_id,
        avg(z) AS z,
        avg(if(lower_is_better, -score, score)) AS oriented
    FROM corpus.records
    WHERE lower_is_better IS NOT NULL
    GROUP BY group_id, model_id
),

per_group AS (
    SELECT
        group_id,
        count(*) AS n_models,
        count(z) AS n_z,
        avg(z) AS mean,
        stddev_pop(z) AS std,
        max(abs(z)) AS furthest,
        arg_max(oriented, z) AS first,
        max(oriented) AS best,
        max(oriented) - min(oriented) > 1e-9 * max(abs(oriented)) AS differ,
        1e-9 * max(abs(oriented)) AS rounding
    FROM per_model
    GROUP BY group_id
)

SELECT group_id, n_models, n_z, mean, std, furthest, best - first AS best_is_off_by
FROM per_group
WHERE
    n_models >= 2
    AND (
        n_z < n_models
        OR abs(mean) > 1e-6
        OR (differ AND abs(std - 1) > 1e-6)
        OR (NOT differ AND furthest > 0)
        OR best - first > rounding
    )
ORDER BY group_id
