-- Every record is of a task that is listed.
-- asset: corpus_tasks
-- severity: error
SELECT r.task_id, count(*) AS n
FROM corpus.records AS r
ANTI JOIN corpus.tasks AS t ON r.task_id = t.task_id
GROUP BY r.task_id
ORDER BY r.task_id
