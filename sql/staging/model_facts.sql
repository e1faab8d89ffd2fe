-- One row per model: what all sources together say about it. A field comes from the first source that
-- states it: the model's own repository, then the others by name; a parameter count from the most exact
-- kind of statement. Reads `model_names`, registered by the caller.
WITH facts AS (
    SELECT
        n.model_id,
        f.*,
        row_number() OVER (
            ORDER BY f.source = 'hub' DESC, f.source, f.raw_model, to_json(f)::VARCHAR
        ) AS rank,
        CASE f.params_origin
            WHEN 'safetensors' THEN 1 WHEN 'config' THEN 2 WHEN 'source' THEN 3 WHEN 'name' THEN 4
            ELSE 5
        END AS params_rank
    FROM staging.models AS f
    JOIN model_names AS n ON f.source = n.source AND f.raw_model = n.raw_model
    WHERE n.model_id IS NOT NULL
),

merged AS (
    SELECT
        model_id,
        arg_min(params_b, (params_rank, rank)) FILTER (params_b > 0) AS params_b,
        arg_min(params_origin, (params_rank, rank)) FILTER (params_b > 0) AS params_origin,
        arg_min(license, rank) FILTER (license IS NOT NULL) AS license,
        arg_min(base_model, rank) FILTER (base_model IS NOT NULL) AS base_model,
        arg_min(architecture, rank) FILTER (architecture IS NOT NULL) AS architecture,
        arg_min(library, rank) FILTER (library IS NOT NULL) AS library,
        arg_min(pipeline_tag, rank) FILTER (pipeline_tag IS NOT NULL) AS pipeline_tag,
        list_sort(list_distinct(flatten(list(languages)))) AS languages,
        list_sort(list_distinct(flatten(list(tags)))) AS tags,
        list_sort(list_distinct(flatten(list(trained_on)))) AS trained_on,
        min(released_at) AS released_at,
        max(downloads) AS downloads,
        max(likes) AS likes,
        arg_min(description, rank) FILTER (description IS NOT NULL) AS description,
        arg_min(url, rank) FILTER (url IS NOT NULL) AS url,
        list_sort(list_distinct(list(source))) AS described_by
    FROM facts
    GROUP BY model_id
)

SELECT n.model_id, m.* EXCLUDE (model_id)
FROM (SELECT DISTINCT model_id FROM model_names WHERE model_id IS NOT NULL) AS n
LEFT JOIN merged AS m ON n.model_id = m.model_id
ORDER BY n.model_id
