-- What each source contributes, by tier: records won, models, datasets, and the newest evaluation.
SELECT
    source,
    tier,
    count(*) AS n_records,
    count(DISTINCT model_id) AS n_models,
    count(DISTINCT dataset_id) AS n_datasets,
    count(z) AS n_comparable,
    max(evaluated_at) AS newest
FROM records
GROUP BY source, tier
ORDER BY n_records DESC, source, tier
