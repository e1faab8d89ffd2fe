-- One row per group: the list of models that can be compared because dataset, task, metric and setting are
-- the same. Mean and std are of the scores as they are (not turned), over models.
WITH per_model AS (
    SELECT
        group_id,
        model_id,
        min(dataset_id) AS dataset_id,
        min(dataset_family) AS dataset_family,
        min(task_id) AS task_id,
        min(metric_id) AS metric_id,
        min(group_setting) AS setting,
        bool_and(lower_is_better) AS lower_is_better,
        count(*) AS n_records,
        avg(score ORDER BY record_id) AS score
    FROM corpus.records
    GROUP BY group_id, model_id
)

SELECT
    group_id,
    min(dataset_id) AS dataset_id,
    min(dataset_family) AS dataset_family,
    min(task_id) AS task_id,
    min(metric_id) AS metric_id,
    min(setting) AS setting,
    count(*) AS n_models,
    sum(n_records)::BIGINT AS n_records,
    bool_and(lower_is_better) AS lower_is_better,
    avg(score ORDER BY model_id) AS mean,
    if(max(score) > min(score), stddev_pop(score ORDER BY model_id), 0) AS std,
    min(score) AS minimum,
    max(score) AS maximum
FROM per_model
GROUP BY group_id
ORDER BY group_id
