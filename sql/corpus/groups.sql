-- One row per group: the list of models that can be compared because dataset, task, metric and setting are
-- the same. Mean and std are of the scores as they are (not turned), over models.
WITH per_model AS (
    SELECT
        group_id,
        model_id,
        min(dataset_id) AS dataset_id,
        min(dataset_family) AS dataset_family,
        min(task_id) AS task_id,
        min(metric_id) AS metric_id,
        min(group_setting) AS setting,
        bool_and(lower_is_better) AS lower_is_better,
        count(*) AS n_records,
        if(count(*) = 1, min(score), sum(score::DECIMAL(38, 12))::DOUBLE / count(*)) AS score
    FROM corpus.records
    GROUP BY group_id, model_id
),

ranges AS (
    SELECT
        group_id,
        min(score) AS low,
        max(score) AS high,
        if(max(score) - min(score) > 1e-9 * max(abs(score)), max(score) - min(score), 0) AS width
    FROM per_model
    GROUP BY group_id
),

-- Sums are exact (decimal) and taken on the group's own range, as in records.
placed AS (
    SELECT
        p.*,
        r.low,
        r.high,
        r.width,
        if(r.width > 0, (p.score - r.low) / r.width, 0)::DECIMAL(18, 15) AS part
    FROM per_model AS p
    JOIN ranges AS r ON p.group_id = r.group_id
)

SELECT
    group_id,
    min(dataset_id) AS dataset_id,
    min(dataset_family) AS dataset_family,
    min(task_id) AS task_id,
    min(metric_id) AS metric_id,
    min(setting) AS setting,
    count(*) AS n_models,
    sum(n_records)::BIGINT AS n_records,
    bool_and(lower_is_better) AS lower_is_better,
    low + width * sum(part)::DOUBLE / count(*) AS mean,
    width * sqrt(sum(part * part)::DOUBLE / count(*) - pow(sum(part)::DOUBLE / count(*), 2)) AS std,
    low AS minimum,
    high AS maximum
FROM placed
GROUP BY group_id, low, high, width
ORDER BY group_id
