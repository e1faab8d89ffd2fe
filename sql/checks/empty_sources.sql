-- A source that answered gave something.
-- asset: corpus_sources
-- severity: warn
SELECT source, state, detail
FROM corpus.sources
WHERE state IN ('ok', 'partial') AND n_read = 0 AND n_reports = 0
ORDER BY source
