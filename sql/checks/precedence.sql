-- No report that lost has a better standing than the one that won: verified gold, gold, leaderboard owner,
-- silver, archive, bronze.
-- asset: corpus_records
-- severity: error
WITH standing AS (
    SELECT
        record_id,
        report_id,
        CASE
            WHEN tier = 'gold' AND verified THEN 1
            WHEN tier = 'gold' THEN 2
            WHEN tier = 'leaderboard' THEN 3
            WHEN tier = 'silver' THEN 4
            WHEN tier = 'archive' THEN 5
            WHEN tier = 'bronze' THEN 6
        END AS place
    FROM corpus.reports
    WHERE reject_reason IS NULL AND score IS NOT NULL
)

SELECT w.record_id, w.report_id AS winner, l.report_id AS loser
FROM corpus.records AS w
JOIN standing AS a ON w.report_id = a.report_id
JOIN standing AS l ON w.record_id = l.record_id AND l.place < a.place
ORDER BY w.record_id, l.report_id
