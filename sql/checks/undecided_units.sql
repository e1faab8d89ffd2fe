-- At most a fifth of a source's scores are of a unit that nobody can tell; more means that the source's
-- parser should state it.
-- asset: corpus_sources
-- severity: warn
SELECT source, n_reports, n_undecided_unit
FROM corpus.sources
WHERE n_reports >= 10 AND n_undecided_unit > 0.2 * n_reports
ORDER BY source
