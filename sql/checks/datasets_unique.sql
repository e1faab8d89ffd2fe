-- A dataset is listed once, and belongs to one family.
-- asset: corpus_datasets
-- severity: error
SELECT dataset_id, count(*) AS n, 'listed twice' AS problem
FROM corpus.datasets
GROUP BY dataset_id
HAVING count(*) > 1
UNION ALL
SELECT dataset_id, count(DISTINCT dataset_family), 'several families'
FROM corpus.dataset_names
GROUP BY dataset_id
HAVING count(DISTINCT dataset_family) > 1
ORDER BY dataset_id, problem
