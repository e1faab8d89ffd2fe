-- Best models on a dataset below a size: the top ten of its largest group, with licence and evidence.
-- params: dataset=imagenet max_params_b=7
WITH leaderboard AS (
    SELECT group_id
    FROM groups
    WHERE contains(lower(dataset_id), lower($dataset)) AND lower_is_better IS NOT NULL
    ORDER BY dataset_id = lower($dataset) DESC, n_models DESC, group_id
    LIMIT 1
)

SELECT
    r.dataset_id,
    r.metric_id,
    r.setting,
    r.model_id,
    m.params_b,
    m.license,
    r.score,
    r.z,
    r.tier,
    r.source_url
FROM records AS r
JOIN leaderboard AS l ON r.group_id = l.group_id
JOIN models AS m ON r.model_id = m.model_id
WHERE m.params_b <= $max_params_b
ORDER BY r.z DESC, r.model_id
LIMIT 10
