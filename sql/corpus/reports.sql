-- One row per reported score that names a model, in canonical names. `score` is the value in the
-- metric's canonical unit, null where nobody can tell percent from proportion; `reject_reason` says why a
-- report can never become a record.
WITH named AS (
    SELECT
        r.*,
        -- who writes: a leaderboard; one document (a card, a paper); and who publishes such documents
        if(r.tier = 'leaderboard', '', coalesce(r.source_url, r.raw_model)) AS voice,
        CASE
            WHEN r.tier IN ('gold', 'silver', 'bronze') THEN regexp_replace(r.source_url, '/[^/]*$', '')
        END AS publisher,
        m.model_id,
        d.dataset_id,
        d.dataset_family,
        nullif(t.task_id, 'unknown') AS own_task,
        k.metric_id,
        k.lower_is_better AS known_direction,
        k.unit = 'proportion' AS is_share,
        k.minimum,
        k.maximum,
        k.is_quality,
        s.setting AS stated_setting,
        s.group_setting,
        s.protocol,
        s.precision,
        s.setting_without_precision
    -- LEFT keeps the mapping tables on the build side: as inner joins, the optimiser once joined two of
    -- them with each other on `source` first
    FROM staging.reports AS r
    LEFT JOIN corpus.model_names AS m ON r.source = m.source AND r.raw_model = m.raw_model
    LEFT JOIN
        corpus.dataset_names AS d
        ON
            r.source = d.source
            AND r.raw_dataset = d.raw_dataset
            AND if(r.setting ->> '$.protocol' IS NULL, r.setting ->> '$.config', NULL) IS NOT DISTINCT FROM d.config
    LEFT JOIN corpus.task_names AS t ON r.raw_task IS NOT DISTINCT FROM t.raw_task
    LEFT JOIN
        corpus.metric_names AS k
        ON r.raw_metric = k.raw_metric AND r.raw_task IS NOT DISTINCT FROM k.raw_task
    LEFT JOIN
        corpus.setting_names AS s
        ON
            r.setting = s.stated_setting
            AND d.setting_json = s.dataset_setting
            AND d.takes_config = s.takes_config
    WHERE m.model_id IS NOT NULL
),

-- A report without a task gets the one its dataset most often has elsewhere, else its model's.
dataset_tasks AS (
    SELECT dataset_id, arg_min(own_task, (-n, own_task)) AS task_id
    FROM (
        SELECT dataset_id, own_task, count(*) AS n
        FROM named
        WHERE own_task IS NOT NULL
        GROUP BY dataset_id, own_task
    )
    GROUP BY dataset_id
),

model_tasks AS (
    SELECT f.model_id, nullif(t.task_id, 'unknown') AS task_id
    FROM corpus.model_facts AS f
    JOIN corpus.task_names AS t ON f.pipeline_tag = t.raw_task
),

-- A leaderboard with a protocol of its own runs a model once per precision; a copy of that result
-- elsewhere (a card, an archive) does not repeat the precision. Where only one is known, that is it.
single_precision AS (
    SELECT
        model_id,
        dataset_id,
        metric_id,
        setting_without_precision,
        min(stated_setting) AS setting
    FROM named
    WHERE protocol IS NOT NULL AND precision IS NOT NULL
    GROUP BY model_id, dataset_id, metric_id, setting_without_precision
    HAVING min(precision) = max(precision)
),

-- Percent or proportion, where the source does not say: a matter of evidence, never of one value. What one
-- voice writes about one benchmark, about one metric, and at all...
unstated AS (
    SELECT source, voice, publisher, dataset_id, raw_dataset, metric_id, abs(value) AS size
    FROM named
    WHERE is_share AND unit IS NULL
),

by_voice AS (
    SELECT
        source,
        voice,
        dataset_id,
        metric_id,
        count(*) AS n,
        max(size) AS high,
        count(*) FILTER (size > 1.5) AS n_above
    FROM unstated
    GROUP BY source, voice, dataset_id, metric_id
),

by_voice_metric AS (
    SELECT source, voice, metric_id, sum(n) AS n, max(high) AS high, sum(n_above) AS n_above
    FROM by_voice
    WHERE voice <> ''
    GROUP BY source, voice, metric_id
),

by_document AS (
    SELECT source, voice, sum(n) AS n, max(high) AS high
    FROM by_voice_metric
    GROUP BY source, voice
),

by_publisher AS (
    SELECT source, publisher, metric_id, count(*) AS n, max(size) AS high
    FROM unstated
    WHERE publisher IS NOT NULL
    GROUP BY source, publisher, metric_id
),

-- ...and what all write about one benchmark under one name ("glue" in metadata, "CoLA" in tables), if they
-- agree: habits of writing go with the name.
by_name AS (
    SELECT
        source,
        raw_dataset,
        metric_id,
        count(*) AS n,
        max(size) AS high,
        count(*) FILTER (size > 1.5) AS n_above
    FROM unstated
    GROUP BY source, raw_dataset, metric_id
),

read AS (
    SELECT
        n.*,
        coalesce(n.own_task, d.task_id, m.task_id, 'unknown') AS task_id,
        coalesce(x.setting, n.stated_setting) AS full_setting,
        CASE
            WHEN NOT n.is_share THEN 'raw'
            WHEN n.unit IN ('percent', 'proportion') THEN n.unit
            WHEN n.value = 0 THEN 'proportion'  -- nought either way
            -- the only reading left: no proportion is that large
            WHEN n.maximum = 1 AND abs(n.value) > 1.5 AND abs(n.value) <= 100 THEN 'percent'
            WHEN n.maximum IS NULL AND abs(n.value) > 10 THEN 'percent'
            WHEN v.n >= 3 AND v.high <= 1 THEN 'proportion'
            WHEN n.maximum = 1 AND n.voice = '' AND v.high > 1.5 AND v.high <= 100 THEN 'percent'
            -- A value of at most 1 among percentages may be either: one author, two scales. It stays undecided.
            WHEN n.maximum = 1 AND abs(n.value) > 1 AND v.n >= 3 AND 2 * v.n_above > v.n AND v.high <= 100
                THEN 'percent'
            WHEN n.maximum IS NULL AND (n.voice = '' OR abs(n.value) > 1) AND v.n >= 3 AND 2 * v.n_above > v.n AND v.high > 5 THEN 'percent'
            WHEN k.n >= 3 AND k.high <= 1 THEN 'proportion'
            WHEN abs(n.value) > 1 AND k.n >= 5 AND 5 * k.n_above >= 4 * k.n AND k.high > 5 AND k.high <= 100 THEN 'percent'
            WHEN o.n >= 3 AND o.high <= 1 THEN 'proportion'
            -- Others may speak for a document only where it does not contradict them.
            WHEN coalesce(k.high, 0) <= 1 AND p.n >= 3 AND p.high <= 1 THEN 'proportion'
            WHEN coalesce(k.high, 0) <= 1 AND b.n >= 3 AND b.high <= 1 THEN 'proportion'
            WHEN n.maximum IS NULL AND b.n >= 3 AND 2 * b.n_above > b.n AND b.high > 5
                AND abs(n.value) > 1 THEN 'percent'
        END AS read_unit
    FROM named AS n
    LEFT JOIN dataset_tasks AS d ON n.dataset_id = d.dataset_id AND n.own_task IS NULL
    LEFT JOIN model_tasks AS m ON n.model_id = m.model_id AND n.own_task IS NULL
    LEFT JOIN
        single_precision AS x
        ON
            n.protocol IS NOT NULL
            AND n.precision IS NULL
            AND n.model_id = x.model_id
            AND n.dataset_id = x.dataset_id
            AND n.metric_id = x.metric_id
            AND n.setting_without_precision = x.setting_without_precision
    LEFT JOIN
        by_voice AS v
        ON
            n.source = v.source
            AND n.voice = v.voice
            AND n.dataset_id = v.dataset_id
            AND n.metric_id = v.metric_id
    LEFT JOIN
        by_voice_metric AS k
        ON n.source = k.source AND n.voice = k.voice AND n.metric_id = k.metric_id
    LEFT JOIN by_document AS o ON n.source = o.source AND n.voice = o.voice
    LEFT JOIN
        by_publisher AS p
        ON n.source = p.source AND n.publisher = p.publisher AND n.metric_id = p.metric_id
    LEFT JOIN
        by_name AS b
        ON n.source = b.source AND n.raw_dataset = b.raw_dataset AND n.metric_id = b.metric_id
),

scored AS (
    SELECT
        *,
        -- 12 digits: 92.1 / 100 is 0.921, not 0.9209999999999999
        CASE read_unit WHEN 'percent' THEN round(value / 100, 12) ELSE value END AS any_score,
        substr(md5(concat_ws(chr(31), dataset_id, task_id, metric_id, group_setting)), 1, 16) AS group_id
    FROM read
),

-- The registry knows most directions; for the rest, what the sources of a group agree on.
stated_directions AS (
    SELECT group_id, bool_and(lower_is_better) AS lower_is_better
    FROM scored
    WHERE known_direction IS NULL AND lower_is_better IS NOT NULL
    GROUP BY group_id
    HAVING bool_and(lower_is_better) = bool_or(lower_is_better)
)

SELECT
    s.report_id,
    substr(
        md5(concat_ws(chr(31), s.model_id, s.dataset_id, s.task_id, s.metric_id, s.full_setting)), 1, 16
    ) AS record_id,
    s.group_id,
    s.model_id,
    s.dataset_id,
    s.dataset_family,
    s.task_id,
    s.metric_id,
    s.full_setting AS setting,
    s.group_setting,
    s.value,
    s.read_unit AS unit,
    CASE WHEN s.read_unit IS NOT NULL THEN s.any_score END AS score,
    coalesce(s.known_direction, d.lower_is_better) AS lower_is_better,
    s.tier,
    s.source,
    s.source_url,
    s.source_revision,
    s.retrieved_at,
    s.evaluated_at,
    s.verified,
    s.reported_by,
    s.extractor,
    s.raw_model,
    s.raw_dataset,
    s.raw_task,
    s.raw_metric,
    s.raw_value,
    s.unit AS stated_unit,
    s.lower_is_better AS stated_lower_is_better,
    CASE
        WHEN NOT s.is_quality THEN 'not_a_quality_metric'
        WHEN s.read_unit IS NULL AND s.maximum = 1 AND abs(s.value) > 100 THEN 'out_of_range'
        WHEN s.any_score < s.minimum - 1e-9 OR s.any_score > s.maximum + 1e-9
            THEN if(s.read_unit IS NULL, NULL, 'out_of_range')
    END AS reject_reason
FROM scored AS s
LEFT JOIN stated_directions AS d ON s.group_id = d.group_id AND s.known_direction IS NULL
ORDER BY s.group_id, s.model_id, s.report_id
