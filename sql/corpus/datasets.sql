-- One row per dataset that any source names, scored or only described. The longest description wins.
WITH facts AS (
    SELECT
        n.dataset_id,
        f.description,
        f.languages,
        f.url,
        coalesce(f.modality, nullif(t.modality, 'unknown')) AS modality
    FROM staging.datasets AS f
    JOIN corpus.dataset_names AS n ON f.source = n.source AND f.raw_dataset = n.raw_dataset
    JOIN corpus.task_names AS t ON f.raw_task IS NOT DISTINCT FROM t.raw_task
),

described AS (
    SELECT
        dataset_id,
        arg_max(description, (length(description), description))
            FILTER (description IS NOT NULL) AS description,
        list_sort(list_distinct(flatten(list(languages)))) AS languages,
        mode(modality ORDER BY modality) FILTER (modality IS NOT NULL) AS modality,
        min(url) AS url
    FROM facts
    GROUP BY dataset_id
),

scored AS (
    SELECT
        dataset_id,
        count(*) AS n_records,
        count(DISTINCT model_id) AS n_models,
        mode(task_id ORDER BY task_id) AS task_id
    FROM corpus.records
    GROUP BY dataset_id
),

modalities AS (
    SELECT task_id, min(modality) AS modality FROM corpus.task_names GROUP BY task_id
)

SELECT
    n.dataset_id,
    n.dataset_family,
    d.description,
    coalesce(d.languages, []) AS languages,
    coalesce(d.modality, nullif(m.modality, 'unknown')) AS modality,
    d.url,
    coalesce(s.n_records, 0) AS n_records,
    coalesce(s.n_models, 0) AS n_models
FROM (
    SELECT dataset_id, min(dataset_family) AS dataset_family
    FROM corpus.dataset_names
    GROUP BY dataset_id
) AS n
LEFT JOIN described AS d ON n.dataset_id = d.dataset_id
LEFT JOIN scored AS s ON n.dataset_id = s.dataset_id
LEFT JOIN modalities AS m ON s.task_id = m.task_id
ORDER BY n.dataset_id
