-- Where do two sources disagree most about the same model, dataset, metric and setting?
-- params: limit=20
SELECT
    model_id,
    dataset_id,
    metric_id,
    winner_source,
    winner_raw_value,
    loser_source,
    loser_raw_value,
    spread,
    winner_url,
    loser_url
FROM conflicts
ORDER BY loser_source <> winner_source DESC, spread DESC, record_id, loser_report_id
LIMIT $limit
