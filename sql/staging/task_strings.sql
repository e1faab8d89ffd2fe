-- One row per task name as written: in a score, for a dataset, or as a model's pipeline tag. Includes the
-- missing name (NULL) where a score has none.
SELECT raw_task FROM staging.reports
UNION
SELECT raw_task FROM staging.datasets
UNION
SELECT pipeline_tag FROM staging.models
ORDER BY raw_task
