-- Every record is of a model that is listed.
-- asset: corpus_models
-- severity: error
SELECT r.model_id, count(*) AS n
FROM corpus.records AS r
ANTI JOIN corpus.models AS m ON r.model_id = m.model_id
GROUP BY r.model_id
ORDER BY r.model_id
