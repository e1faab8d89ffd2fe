-- Which datasets has a model been scored on, how well, and compared with how many others? `rank` counts
-- from the best of the group.
-- params: model=bert
WITH placed AS (
    SELECT
        *,
        rank() OVER (PARTITION BY group_id ORDER BY z DESC NULLS LAST) AS rank,
        count(*) OVER (PARTITION BY group_id) AS n
    FROM records
)

SELECT model_id, dataset_id, task_id, metric_id, setting, score, if(z IS NULL, NULL, rank) AS rank, n, tier
FROM placed
WHERE contains(lower(model_id), lower($model))
ORDER BY model_id, dataset_id, metric_id, setting
LIMIT 100
