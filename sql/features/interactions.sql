-- One row per (group, model): the oriented score y (higher is better; variants of one model in one group
-- averaged) and z, y standardised within its group. Only groups whose direction is known, with at least
-- two models that differ by more than rounding.
WITH oriented AS (
    SELECT
        group_id,
        model_id,
        min(dataset_id) AS dataset_id,
        min(dataset_family) AS dataset_family,
        min(task_id) AS task_id,
        min(metric_id) AS metric_id,
        -- in a fixed order, so that the last bit does not depend on the number of threads
        avg(CASE WHEN lower_is_better THEN -score ELSE score END ORDER BY record_id) AS y
    FROM corpus.records
    WHERE lower_is_better IS NOT NULL AND isfinite(score) AND abs(score) < 1e100
    GROUP BY group_id, model_id
),

comparable AS (
    SELECT *
    FROM oriented
    WINDOW in_group AS (PARTITION BY group_id)
    QUALIFY
        count(*) OVER in_group >= 2
        AND max(y) OVER in_group - min(y) OVER in_group > 1e-9 * max(abs(y)) OVER in_group
),

standardised AS (
    SELECT
        *,
        (y - avg(y) OVER in_group) / stddev_pop(y) OVER in_group AS z,
        dense_rank() OVER (ORDER BY group_id) - 1 AS group_index
    FROM comparable
    WINDOW in_group AS (
        PARTITION BY group_id ORDER BY model_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
)

SELECT
    s.group_id,
    s.model_id,
    s.dataset_id,
    s.dataset_family,
    s.task_id,
    s.metric_id,
    s.group_index,
    m.model_index,
    d.dataset_index,
    t.task_index,
    u.metric_index,
    s.y,
    s.z
FROM standardised AS s
LEFT JOIN features.models AS m ON s.model_id = m.model_id
LEFT JOIN features.datasets AS d ON s.dataset_id = d.dataset_id
LEFT JOIN features.tasks AS t ON s.task_id = t.task_id
LEFT JOIN features.metrics AS u ON s.metric_id = u.metric_id
ORDER BY s.group_index, s.z DESC, m.model_index
