-- One row per metric that any source names. `lower_is_better` is null where neither the registry nor
-- agreeing sources tell which end is good: such scores are kept, but never compared.
WITH used AS (
    SELECT
        metric_id,
        count(*) AS n_records,
        CASE
            WHEN bool_and(lower_is_better) = bool_or(lower_is_better) AND count(*) = count(lower_is_better)
                THEN bool_and(lower_is_better)
        END AS lower_is_better
    FROM corpus.records
    GROUP BY metric_id
)

SELECT
    k.metric_id,
    coalesce(bool_and(k.lower_is_better), min(u.lower_is_better)) AS lower_is_better,
    min(k.unit) AS unit,
    min(k.kind) AS kind,
    min(k.minimum) AS minimum,
    max(k.maximum) AS maximum,
    bool_and(k.is_quality) AS is_quality,
    coalesce(min(u.n_records), 0) AS n_records
FROM corpus.metric_names AS k
LEFT JOIN used AS u ON k.metric_id = u.metric_id
GROUP BY k.metric_id
ORDER BY k.metric_id
