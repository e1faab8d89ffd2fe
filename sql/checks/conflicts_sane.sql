-- A conflict names a record that exists and its winner, and the two scores do differ.
-- asset: corpus_conflicts
-- severity: error
SELECT c.record_id, c.winner_report_id, c.loser_report_id, c.spread
FROM corpus.conflicts AS c
LEFT JOIN
    corpus.records AS r
    ON c.record_id = r.record_id AND c.winner_report_id = r.report_id
WHERE
    r.record_id IS NULL
    OR c.loser_report_id = c.winner_report_id
    OR c.spread <= c.tolerance
    OR abs(abs(c.winner_score - c.loser_score) - c.spread) > 1e-9
ORDER BY c.record_id, c.loser_report_id
