-- One row per dataset that has records: the task under which most models were measured on it.
SELECT
    dataset_id,
    task_id
FROM corpus.records
WHERE task_id <> 'unknown'
GROUP BY dataset_id, task_id
QUALIFY row_number() OVER (
    PARTITION BY dataset_id ORDER BY count(DISTINCT model_id) DESC, task_id
) = 1
