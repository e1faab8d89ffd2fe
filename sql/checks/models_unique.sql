-- A model is listed once, also under another spelling of upper and lower case.
-- asset: corpus_models
-- severity: error
SELECT lower(model_id) AS model, count(*) AS n, list(model_id ORDER BY model_id) AS spellings
FROM corpus.models
GROUP BY lower(model_id)
HAVING count(*) > 1
ORDER BY model
