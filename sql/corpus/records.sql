-- One row per (model, dataset, task, metric, setting): the report that wins there, by tier, then by date.
-- `spread` is the range of all its reports' scores; `z` is the score, turned so that higher is better,
-- standardised over the models of its group (null where the direction is unknown or nobody compares).
WITH ranked AS (
    SELECT
        record_id,
        report_id,
        score,
        row_number() OVER (
            PARTITION BY record_id
            ORDER BY
                CASE
                    WHEN tier = 'gold' AND verified THEN 1
                    WHEN tier = 'gold' THEN 2
                    WHEN tier = 'leaderboard' THEN 3
                    WHEN tier = 'silver' THEN 4
                    WHEN tier = 'archive' THEN 5
                    ELSE 6
                END,
                evaluated_at DESC NULLS LAST,
                retrieved_at DESC,
                report_id
        ) AS place
    FROM corpus.reports
    WHERE reject_reason IS NULL AND score IS NOT NULL
),

winners AS (
    SELECT
        record_id,
        min(report_id) FILTER (place = 1) AS report_id,
        count(*) AS n_reports,
        max(score) - min(score) AS spread
    FROM ranked
    GROUP BY record_id
),

won AS (
    SELECT
        r.*,
        w.n_reports,
        w.spread,
        if(r.lower_is_better, -r.score, r.score) AS oriented
    FROM winners AS w
    JOIN corpus.reports AS r ON w.report_id = r.report_id
),

-- Variants of one model in one group (precisions) count as one model. Sums run in a fixed order, so that
-- the last bit does not depend on the number of threads.
compared AS (
    SELECT group_id, model_id, avg(oriented ORDER BY record_id) AS oriented
    FROM won
    WHERE lower_is_better IS NOT NULL
    GROUP BY group_id, model_id
),

scale AS (
    SELECT
        group_id,
        avg(oriented ORDER BY model_id) AS mean,
        if(max(oriented) > min(oriented), stddev_pop(oriented ORDER BY model_id), 0) AS std
    FROM compared
    GROUP BY group_id
    HAVING count(*) >= 2
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
        WHEN s.std > 0 THEN (w.oriented - s.mean) / s.std
        WHEN s.std = 0 THEN 0
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
ORDER BY w.record_id
