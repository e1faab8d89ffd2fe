-- Two sources that repeat each other on a benchmark mostly agree. Where more than half of at least ten
-- shared results differ, the two measure different things, and the setting should say so.
-- asset: corpus_conflicts
-- severity: warn
WITH shared AS (
    SELECT w.source AS winner, r.source AS loser, w.dataset_id, w.metric_id, count(*) AS n
    FROM corpus.records AS w
    JOIN corpus.reports AS r ON w.record_id = r.record_id AND w.report_id <> r.report_id
    WHERE r.reject_reason IS NULL AND r.score IS NOT NULL
    GROUP BY w.source, r.source, w.dataset_id, w.metric_id
),

differing AS (
    SELECT winner_source AS winner, loser_source AS loser, dataset_id, metric_id, count(*) AS n
    FROM corpus.conflicts
    GROUP BY winner_source, loser_source, dataset_id, metric_id
)

SELECT s.winner, s.loser, s.dataset_id, s.metric_id, s.n AS shared, d.n AS differing
FROM shared AS s
JOIN differing AS d USING (winner, loser, dataset_id, metric_id)
WHERE s.n >= 10 AND d.n > 0.5 * s.n
ORDER BY d.n DESC, s.winner, s.loser, s.dataset_id, s.metric_id
