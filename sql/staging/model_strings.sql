-- One row per model name as a source wrote it, in a score or in a fact; `n` is how often. `is_repository`
-- says that the source describes it as something one can fetch, so its spelling is the one to keep.
SELECT
    source,
    raw_model,
    count(*) AS n,
    bool_or(is_repository) AS is_repository
FROM (
    SELECT source, raw_model, false AS is_repository FROM staging.reports
    UNION ALL
    SELECT
        source,
        raw_model,
        contains(raw_model, '/') AND ends_with(coalesce(url, ''), '/' || raw_model)
    FROM staging.models
)
GROUP BY source, raw_model
ORDER BY source, raw_model
