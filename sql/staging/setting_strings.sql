-- One row per pair of an evaluation setting as a source states it and the setting that the dataset's name
-- implies; `takes_config` says that the dataset's id holds the configuration. Reads `dataset_names`,
-- registered by the caller.
SELECT DISTINCT r.setting AS stated_setting, d.setting_json AS dataset_setting, d.takes_config
FROM staging.reports AS r
JOIN
    dataset_names AS d
    ON
        r.source = d.source
        AND r.raw_dataset = d.raw_dataset
        AND if(r.setting ->> '$.protocol' IS NULL, r.setting ->> '$.config', NULL) IS NOT DISTINCT FROM d.config
ORDER BY stated_setting, dataset_setting, takes_config
