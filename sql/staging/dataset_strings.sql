-- One row per dataset name as a source wrote it, in a score or in a fact, with the configuration stated
-- beside it. A leaderboard's protocol fixes what it runs: a configuration repeated under it says nothing.
SELECT
    source,
    raw_dataset,
    if(setting ->> '$.protocol' IS NULL, setting ->> '$.config', NULL) AS config
FROM staging.reports
UNION
SELECT source, raw_dataset, NULL AS config FROM staging.datasets
ORDER BY source, raw_dataset, config
