-- One row per dataset name as a source wrote it, in a score or in a fact.
SELECT source, raw_dataset FROM staging.reports
UNION
SELECT source, raw_dataset FROM staging.datasets
ORDER BY source, raw_dataset
