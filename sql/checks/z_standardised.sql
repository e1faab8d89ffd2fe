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
)

SELECT
    group_id,
    count(*) AS n_models,
    avg(z) AS mean,
    stddev_pop(z) AS std,
    corr(z, oriented) AS agreement
FROM per_model
GROUP BY group_id
HAVING
    count(*) >= 2
    AND (
        count(z) < count(*)
        OR abs(avg(z)) > 1e-6
        OR (max(oriented) > min(oriented) AND abs(stddev_pop(z) - 1) > 1e-6)
        OR (max(oriented) = min(oriented) AND max(abs(z)) > 0)
        OR (stddev_pop(z) > 0 AND stddev_pop(oriented) > 0 AND corr(z, oriented) < 0.999)
    )
ORDER BY group_id
