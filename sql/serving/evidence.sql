-- One row per known score of a model on a dataset, as a person wants to see it: with its place among the
-- models that were measured alike, and where it was read.
SELECT
    d.dataset_index,
    m.model_index,
    r.task_id,
    r.metric_id,
    r.setting,
    r.score,
    r.lower_is_better,
    CASE
        WHEN r.lower_is_better IS NOT NULL
            THEN rank() OVER (
                PARTITION BY r.group_id
                ORDER BY if(r.lower_is_better, -r.score, r.score) DESC
            )
    END AS place,
    count(*) OVER (PARTITION BY r.group_id) AS place_of,
    r.source,
    r.source_url,
    r.reported_by,
    r.verified
FROM corpus.records AS r
JOIN features.models AS m ON r.model_id = m.model_id
JOIN features.datasets AS d ON r.dataset_id = d.dataset_id
WHERE r.score IS NOT NULL
ORDER BY d.dataset_index, m.model_index, r.record_id
