-- Datasets whose name is like a given one (typing errors are forgiven), the best known first.
-- params: dataset=squad
SELECT
    dataset_id,
    dataset_family,
    modality,
    n_models,
    n_records,
    round(jaro_winkler_similarity(lower(dataset_id), lower($dataset)), 3) AS similarity,
    left(description, 120) AS description
FROM datasets
WHERE
    contains(lower(dataset_id), lower($dataset))
    OR jaro_winkler_similarity(lower(dataset_id), lower($dataset)) > 0.85
ORDER BY contains(lower(dataset_id), lower($dataset)) DESC, n_records DESC, dataset_id
LIMIT 20
