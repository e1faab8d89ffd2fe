-- Every staged score is a report or a reject: a name without a decision would lose its rows in a join.
-- asset: corpus_rejects
-- severity: error
SELECT r.report_id, r.source, r.raw_model, r.raw_dataset, r.raw_metric
FROM staging.reports AS r
ANTI JOIN corpus.reports AS c ON r.report_id = c.report_id
ANTI JOIN corpus.rejects AS j ON r.report_id = j.report_id
ORDER BY r.report_id
