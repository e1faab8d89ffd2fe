-- Ids are hashes of identities; two identities with one hash would be merged without a word.
-- asset: corpus_records
-- severity: error
SELECT record_id, count(*) AS n
FROM corpus.records
GROUP BY record_id
HAVING count(*) > 1
ORDER BY record_id
