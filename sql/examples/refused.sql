-- What was refused and why, with one example each.
SELECT source, reason, count(*) AS n, min("where") AS example, min(raw) AS raw
FROM rejects
GROUP BY source, reason
ORDER BY n DESC, source, reason
