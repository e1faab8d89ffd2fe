-- One row per model that any source names, scored or not. Models whose scores are the same wherever both
-- were measured (re-uploads, renamed copies) share a `clone_cluster`, named after the smallest id.
WITH scored AS (
    SELECT
        model_id,
        count(*) AS n_records,
        -- five equal scores to four digits are no coincidence; fewer may be
        CASE
            WHEN count(DISTINCT group_id) >= 5
                THEN md5(string_agg(group_id || '=' || round(score, 4), ';' ORDER BY group_id, record_id))
        END AS profile
    FROM corpus.records
    GROUP BY model_id
),

clones AS (
    SELECT profile, min(model_id) AS clone_cluster
    FROM scored
    WHERE profile IS NOT NULL
    GROUP BY profile
)

SELECT
    f.model_id,
    f.org,
    f.name,
    f.family,
    f.architecture,
    f.params_b,
    f.params_origin,
    f.size_bucket,
    f.license,
    f.base_model,
    f.library,
    f.pipeline_tag,
    f.languages,
    f.tags,
    f.trained_on,
    f.released_at,
    f.downloads,
    f.likes,
    f.description,
    f.url,
    f.described_by,
    coalesce(c.clone_cluster, f.model_id) AS clone_cluster,
    coalesce(s.n_records, 0) AS n_records
FROM corpus.model_facts AS f
LEFT JOIN scored AS s ON f.model_id = s.model_id
LEFT JOIN clones AS c ON s.profile = c.profile
ORDER BY f.model_id
