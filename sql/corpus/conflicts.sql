-- One row per report that lost to another of the same record and differs from it by more than rounding:
-- more than half the last digit either of them was written with, and more than 0.1 percentage points.
WITH losers AS (
    SELECT
        r.record_id,
        w.report_id AS winner_report_id,
        r.report_id AS loser_report_id,
        w.model_id,
        w.dataset_id,
        w.task_id,
        w.metric_id,
        w.setting,
        w.score AS winner_score,
        r.score AS loser_score,
        abs(w.score - r.score) AS spread,
        w.source AS winner_source,
        r.source AS loser_source,
        w.tier AS winner_tier,
        r.tier AS loser_tier,
        w.source_url AS winner_url,
        r.source_url AS loser_url,
        w.raw_value AS winner_raw_value,
        r.raw_value AS loser_raw_value,
        w.score = w.value AS winner_as_written,
        r.unit AS loser_unit
    FROM corpus.reports AS r
    JOIN corpus.records AS w ON r.record_id = w.record_id AND r.report_id <> w.report_id
    WHERE r.reject_reason IS NULL AND r.score IS NOT NULL AND r.score <> w.score
),

-- "83.20 (±0.3)" was written to two decimals; in percent that is 0.0001.
rounding AS (
    SELECT
        *,
        0.5 * greatest(
            if(winner_as_written, 1, 0.01)
            * pow(10, -length(regexp_extract(winner_raw_value, '^[^0-9]*[0-9,]*\.([0-9]*)', 1))),
            if(loser_unit = 'percent', 0.01, 1)
            * pow(10, -length(regexp_extract(loser_raw_value, '^[^0-9]*[0-9,]*\.([0-9]*)', 1)))
        ) AS half_digit
    FROM losers
)

SELECT
    record_id,
    winner_report_id,
    loser_report_id,
    model_id,
    dataset_id,
    task_id,
    metric_id,
    setting,
    winner_score,
    loser_score,
    spread,
    greatest(half_digit, if(loser_unit = 'raw', 0, 0.001)) AS tolerance,
    winner_source,
    loser_source,
    winner_tier,
    loser_tier,
    winner_url,
    loser_url,
    winner_raw_value,
    loser_raw_value
FROM rounding
WHERE spread > greatest(half_digit, if(loser_unit = 'raw', 0, 0.001)) * (1 + 1e-6)
ORDER BY record_id, loser_report_id
