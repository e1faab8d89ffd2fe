-- A score whose direction is unknown is never compared: a wrong guess turns a leaderboard upside down.
-- asset: corpus_records
-- severity: error
SELECT record_id, metric_id, z
FROM corpus.records
WHERE lower_is_better IS NULL AND z IS NOT NULL
ORDER BY record_id
