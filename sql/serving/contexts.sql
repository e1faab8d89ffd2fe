-- One row per (dataset, task, metric) in which models were compared, and how many they were.
SELECT
    dataset_index,
    task_index,
    metric_index,
    count(DISTINCT model_index) AS n_models
FROM features.interactions
GROUP BY dataset_index, task_index, metric_index
ORDER BY dataset_index, task_index, metric_index
