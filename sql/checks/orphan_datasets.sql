-- Every record is on a dataset that is listed, under the same family.
-- asset: corpus_datasets
-- severity: error
SELECT r.dataset_id, r.dataset_family, count(*) AS n
FROM corpus.records AS r
ANTI JOIN
    corpus.datasets AS d
    ON r.dataset_id = d.dataset_id AND r.dataset_family = d.dataset_family
GROUP BY r.dataset_id, r.dataset_family
ORDER BY r.dataset_id, r.dataset_family
