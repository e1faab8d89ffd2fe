-- How a model's rank fell as others were published: its place on the day of its own evaluation, and today.
-- params: model=bert
WITH own AS (
    SELECT group_id, model_id, dataset_id, metric_id, z, evaluated_at
    FROM records
    WHERE contains(lower(model_id), lower($model)) AND evaluated_at IS NOT NULL AND z IS NOT NULL
)

SELECT
    own.model_id,
    own.dataset_id,
    own.metric_id,
    own.evaluated_at,
    1 + count(*) FILTER (other.z > own.z AND other.evaluated_at <= own.evaluated_at) AS rank_then,
    1 + count(*) FILTER (other.z > own.z) AS rank_now,
    count(*) AS n_now
FROM own
JOIN records AS other ON own.group_id = other.group_id
GROUP BY own.group_id, own.model_id, own.dataset_id, own.metric_id, own.evaluated_at
ORDER BY own.evaluated_at, own.model_id, own.dataset_id, own.metric_id, own.group_id
LIMIT 100
