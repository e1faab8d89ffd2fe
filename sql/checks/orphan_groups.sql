-- Every record lies in a group that is listed, with the same dataset, task, metric and setting.
-- asset: corpus_groups
-- severity: error
SELECT r.group_id, count(*) AS n
FROM corpus.records AS r
ANTI JOIN
    corpus.groups AS g
    ON
        r.group_id = g.group_id
        AND r.dataset_id = g.dataset_id
        AND r.task_id = g.task_id
        AND r.metric_id = g.metric_id
        AND r.group_setting = g.setting
GROUP BY r.group_id
ORDER BY r.group_id
