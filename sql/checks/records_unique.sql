-- A record's identity occurs once: two winners for one (model, dataset, task, metric, setting) would count
-- one result twice, and could put the same score into training and into the test.
-- asset: corpus_records
-- severity: error
SELECT model_id, dataset_id, task_id, metric_id, setting, count(*) AS n
FROM corpus.records
GROUP BY model_id, dataset_id, task_id, metric_id, setting
HAVING count(*) > 1
ORDER BY n DESC, model_id, dataset_id, task_id, metric_id, setting
