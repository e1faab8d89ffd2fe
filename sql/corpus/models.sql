-- One row per model that any source names, scored or not. Models to which one source gave the same scores in
-- all of at least five groups (re-uploads, renamed copies) share a `clone_cluster`, named after the smallest id.
WITH RECURSIVE scored AS (
    SELECT model_id, count(*) AS n_records FROM corpus.records GROUP BY model_id
),

-- Per source, because an original has been measured in more places than its copy. Five equal scores to four
-- digits are no coincidence; fewer may be.
profiles AS (
    SELECT
        model_id,
        -- a sum of hashes does not depend on the order of the rows
        (source, count(*), sum(hash(group_id, round(score, 4))::HUGEINT)) AS profile
    FROM corpus.records
    GROUP BY model_id, source
    HAVING count(DISTINCT group_id) >= 5
),

shared AS (
    SELECT model_id, profile
    FROM profiles
    QUALIFY count(*) OVER (PARTITION BY profile) > 1
),

-- A copy of a copy under another source is a copy: names spread until nothing changes.
reached AS (
    SELECT model_id, min(model_id) OVER (PARTITION BY profile) AS cluster FROM shared
    UNION
    SELECT b.model_id, r.cluster
    FROM reached AS r
    JOIN shared AS a ON r.model_id = a.model_id
    JOIN shared AS b ON a.profile = b.profile
),

clones AS (
    SELECT model_id, min(cluster) AS clone_cluster FROM reached GROUP BY model_id
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
LEFT JOIN clones AS c ON f.model_id = c.model_id
ORDER BY f.model_id
