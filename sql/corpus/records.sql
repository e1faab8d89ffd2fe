-- One row per (model, dataset, task, metric, setting): the report that wins there, by tier, then by date.
-- `spread` is the range of all its reports' scores; `z` is the score, turned so that higher is better,
-- standardised over the models of its group (null where the direction is unknown or nobody compares).
WITH standing AS (
    SELECT
        record_id,
        score,
        (
            CASE
                WHEN tier = 'gold' AND verified THEN 1
                WHEN tier = 'gold' THEN 2
                WHEN tier = 'leaderboard' THEN 3
                WHEN tier = 'silver' THEN 4
                WHEN tier = 'archive' THEN 5
                ELSE 6
            END,
            coalesce(-datediff('day', DATE '1970-01-01', evaluated_at), 1000000),
            -epoch_us(retrieved_at),
            report_id
        ) AS place
    FROM corpus.reports
    WHERE reject_reason IS NULL AND score IS NOT NULL
),

winners AS (
    SELECT
        struct_extract(min(place), 4) AS report_id,
        count(*) AS n_reports,
        max(score) - min(score) AS spread
    FROM standing
    GROUP BY record_id
),

won AS (
    SELECT r.*, w.n_reports, w.spread, if(r.lower_is_better, -r.score, r.score) AS oriented
    FROM winners AS w
    JOIN corpus.reports AS r ON w.report_id = r.report_id
),

-- Variants of one model in one group (precisions) count as one model. Sums are exact (decimal), so that the
-- last bit does not depend on the number of threads.
compared AS (
    SELECT
        group_id,
        model_id,
        if(count(*) = 1, min(oriented), sum(oriented::DECIMAL(38, 12))::DOUBLE / count(*)) AS oriented
    FROM won
    WHERE lower_is_better IS NOT NULL
    GROUP BY group_id, model_id
),

-- Scores that differ in the last bits only are equal: the width of such a group is 0.
ranges AS (
    SELECT
        group_id,
        min(oriented) AS low,
        if(
            max(oriented) - min(oriented) > 1e-9 * max(abs(oriented)), max(oriented) - min(oriented), 0
        ) AS width
    FROM compared
    GROUP BY group_id
    HAVING count(*) >= 2
),

-- Measured on the group's own range, 0 to 1, where nothing cancels out.
scale AS (
    SELECT
        group_id,
        low,
        width,
        sum(part)::DOUBLE / count(*) AS mean,
        sqrt(sum(part * part)::DOUBLE / count(*) - pow(sum(part)::DOUBLE / count(*), 2)) AS std
    FROM (
        SELECT
            r.*,
            if(r.width > 0, (c.oriented - r.low) / r.width, 0)::DECIMAL(18, 15) AS part
        FROM compared AS c
        JOIN ranges AS r ON c.group_id = r.group_id
    )
    GROUP BY group_id, low, width
)

SELECT
    w.record_id,
    w.report_id,
    w.group_id,
    w.model_id,
    w.dataset_id,
    w.dataset_family,
    w.task_id,
    w.metric_id,
    w.setting,
    w.group_setting,
    w.value,
    w.score,
    w.lower_is_better,
    CASE
        WHEN w.lower_is_better IS NULL THEN NULL
        WHEN s.width > 0 THEN ((w.oriented - s.low) / s.width - s.mean) / s.std
        WHEN s.width = 0 THEN 0
    END AS z,
    w.tier,
    w.source,
    w.source_url,
    w.source_revision,
    w.retrieved_at,
    w.evaluated_at,
    w.verified,
    w.reported_by,
    w.extractor,
    w.n_reports,
    w.spread,
    w.raw_model,
    w.raw_dataset,
    w.raw_task,
    w.raw_metric,
    w.raw_value
FROM won AS w
LEFT JOIN scale AS s ON w.group_id = s.group_id
ORDER BY w.group_id, w.model_id, w.record_id
