-- One row per dataset that has records: the task under which most models were compared on it.
SELECT
    dataset_id,
    task_id
FROM corpus.groups
GROUP BY dataset_id, task_id
QUALIFY row_number() OVER (PARTITION BY dataset_id ORDER BY sum(n_models) DESC, task_id) = 1
