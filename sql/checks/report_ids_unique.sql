-- A report is listed once: the same id twice means that two parts of a source said the same thing, and
-- n_reports would count an echo as a confirmation.
-- asset: corpus_reports
-- severity: error
SELECT report_id, count(*) AS n, min(source) AS source
FROM corpus.reports
GROUP BY report_id
HAVING count(*) > 1
ORDER BY report_id
