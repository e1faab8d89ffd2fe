-- One row per metric name as written, with the task it was written for (some names depend on it).
SELECT DISTINCT raw_metric, raw_task FROM staging.reports
ORDER BY raw_metric, raw_task
