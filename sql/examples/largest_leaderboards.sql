-- The groups in which most models can be compared, and how far apart they lie.
-- params: limit=20
SELECT dataset_id, task_id, metric_id, setting, n_models, lower_is_better, mean, std, minimum, maximum
FROM groups
ORDER BY n_models DESC, group_id
LIMIT $limit
