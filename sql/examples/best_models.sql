-- Best models on a dataset below a size: the top ten of the group in which most of them were compared, with
-- licence and evidence.
-- params: dataset=imagenet max_params_b=7
WITH small AS (
    SELECT r.*, m.params_b, m.license
    FROM records AS r
    JOIN models AS m ON r.model_id = m.model_id
    WHERE
        contains(lower(r.dataset_id), lower($dataset))
        AND m.params_b <= $max_params_b
        AND r.z IS NOT NULL
),

leaderboard AS (
    SELECT group_id
    FROM small
    GROUP BY group_id, dataset_id
    ORDER BY dataset_id = lower($dataset) DESC, count(*) DESC, group_id
    LIMIT 1
)

SELECT dataset_id, metric_id, setting, model_id, params_b, license, score, z, tier, source_url
FROM small
JOIN leaderboard USING (group_id)
ORDER BY z DESC, model_id
LIMIT 10
