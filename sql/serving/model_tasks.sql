-- One row per (model, task) with at least one score: what a model is known to do.
SELECT DISTINCT
    m.model_index,
    t.task_index
FROM corpus.records AS r
JOIN features.models AS m ON r.model_id = m.model_id
JOIN features.tasks AS t ON r.task_id = t.task_id
ORDER BY m.model_index, t.task_index
