-- One row per source: how many reports it gave, what became of them, and how it fared when last read
-- (`n_read` raw rows; `state` is that of its worst part, null where a collection goes by another name).
WITH staged AS (
    SELECT source, count(*) AS n_staged FROM staging.reports GROUP BY source
),

reported AS (
    SELECT
        source,
        count(*) FILTER (reject_reason IS NULL AND score IS NULL) AS n_undecided_unit,
        count(DISTINCT model_id) AS n_models,
        count(DISTINCT dataset_id) AS n_datasets
    FROM corpus.reports
    GROUP BY source
),

won AS (
    SELECT
        source,
        count(*) AS n_records,
        count(*) FILTER (lower_is_better IS NULL) AS n_unknown_direction
    FROM corpus.records
    GROUP BY source
),

refused AS (
    SELECT source, count(*) AS n_rejects FROM corpus.rejects GROUP BY source
),

described AS (
    SELECT source, count(DISTINCT raw_model) AS n_described FROM staging.models GROUP BY source
),

read AS (
    SELECT
        source AS collection,
        sum(rows)::BIGINT AS n_read,
        arg_max(state, (severity, part)) AS state,
        coalesce(
            string_agg(part || ': ' || detail, '; ' ORDER BY part) FILTER (detail <> ''), ''
        ) AS detail
    FROM (
        SELECT
            *,
            CASE state WHEN 'ok' THEN 0 WHEN 'partial' THEN 1 WHEN 'unreachable' THEN 2 ELSE 3 END
            AS severity
        FROM raw.status
    )
    GROUP BY source
),

named AS (
    SELECT source FROM staged
    UNION
    SELECT source FROM refused
    UNION
    SELECT source FROM described
),

-- One collection may hold several sources: "open_llm_leaderboard" holds "open_llm_leaderboard_v1".
matched AS (
    SELECT n.source, arg_max(r.collection, length(r.collection)) AS collection
    FROM named AS n
    LEFT JOIN read AS r ON n.source = r.collection OR starts_with(n.source, r.collection || '_')
    GROUP BY n.source
),

origins AS (
    SELECT source, collection FROM matched
    UNION ALL
    SELECT r.collection, r.collection
    FROM read AS r
    ANTI JOIN matched AS m ON r.collection = m.collection
)

SELECT
    o.source,
    coalesce(s.n_staged, 0) AS n_reports,
    coalesce(w.n_records, 0) AS n_records,
    coalesce(f.n_rejects, 0) AS n_rejects,
    coalesce(p.n_undecided_unit, 0) AS n_undecided_unit,
    coalesce(w.n_unknown_direction, 0) AS n_unknown_direction,
    coalesce(p.n_models, 0) AS n_models,
    coalesce(p.n_datasets, 0) AS n_datasets,
    coalesce(d.n_described, 0) AS n_described_models,
    coalesce(r.n_read, 0) AS n_read,
    r.state,
    coalesce(r.detail, '') AS detail
FROM origins AS o
LEFT JOIN staged AS s ON o.source = s.source
LEFT JOIN won AS w ON o.source = w.source
LEFT JOIN refused AS f ON o.source = f.source
LEFT JOIN reported AS p ON o.source = p.source
LEFT JOIN described AS d ON o.source = d.source
LEFT JOIN read AS r ON o.collection = r.collection
ORDER BY o.source
