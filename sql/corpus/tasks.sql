-- One row per task that any source names.
SELECT
    t.task_id,
    min(t.modality) AS modality,
    coalesce(min(r.n_records), 0) AS n_records
FROM (
    SELECT task_id, modality FROM corpus.task_names
    UNION ALL
    SELECT 'unknown', 'unknown'
) AS t
LEFT JOIN (
    SELECT task_id, count(*) AS n_records FROM corpus.records GROUP BY task_id
) AS r ON t.task_id = r.task_id
GROUP BY t.task_id
ORDER BY t.task_id
