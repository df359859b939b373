-- One runtime per language, shared by sensors and actions: every `X.action.Y` and `X.sensor.Y`, of any pack, becomes `X.Y`.
--
-- Which row lives on as X.Y:
--   1. an X.Y that exists already; when it has no verification metadata it takes over the distributions of the best other;
--   2. else the row with verification metadata; between equals the sensor's.
-- The rest of the group is deleted, after everything that points at it points at the survivor.
-- Only core.sensor.builtin keeps its ref: no action may run it.

CREATE TEMPORARY TABLE unify_runtime AS
WITH candidate AS (
    SELECT id, distributions, installation, description,
           regexp_replace(ref, '^([^.]+)\.(action|sensor)\.(.+)$', '\1.\3') AS new_ref,
           (ref !~ '^[^.]+\.(action|sensor)\.') AS is_unified,
           (ref ~ '^[^.]+\.sensor\.') AS is_sensor,
           (jsonb_typeof(distributions -> 'verification') = 'object') IS TRUE AS is_verified
    FROM runtime
    WHERE ref <> 'core.sensor.builtin'),
ranked AS (
    SELECT *,
           first_value(id) OVER by_rank AS survivor,
           row_number() OVER by_rank AS rank,
           -- The best source of metadata, whichever row survives.
           first_value(distributions) OVER by_metadata AS best_distributions,
           bool_or(is_verified) OVER (PARTITION BY new_ref) AS any_verified,
           count(*) OVER (PARTITION BY new_ref) AS group_size
    FROM candidate
    WINDOW by_rank AS (PARTITION BY new_ref ORDER BY is_unified DESC, is_verified DESC, is_sensor DESC, id),
           by_metadata AS (PARTITION BY new_ref ORDER BY is_verified DESC, is_unified ASC, is_sensor DESC, id))
SELECT * FROM ranked;

UPDATE runtime r
SET distributions = u.best_distributions, updated = NOW()
FROM unify_runtime u
WHERE r.id = u.id AND u.rank = 1 AND u.is_unified AND NOT u.is_verified AND u.any_verified;

-- What only a loser knew is kept.
UPDATE runtime r
SET installation = COALESCE(r.installation, l.installation), description = COALESCE(r.description, l.description)
FROM (SELECT survivor,
             (array_agg(installation ORDER BY rank) FILTER (WHERE installation IS NOT NULL))[1] AS installation,
             (array_agg(description ORDER BY rank) FILTER (WHERE description IS NOT NULL))[1] AS description
      FROM unify_runtime WHERE rank > 1 GROUP BY survivor) l
WHERE r.id = l.survivor;

UPDATE action t SET runtime = u.survivor FROM unify_runtime u WHERE t.runtime = u.id AND u.survivor <> u.id;
UPDATE sensor t SET runtime = u.survivor FROM unify_runtime u WHERE t.runtime = u.id AND u.survivor <> u.id;
UPDATE worker t SET runtime = u.survivor FROM unify_runtime u WHERE t.runtime = u.id AND u.survivor <> u.id;

DELETE FROM runtime r USING unify_runtime u WHERE r.id = u.id AND u.rank > 1;
-- In two steps, because uniqueness is checked row by row, and X.action.sensor.Y becomes what X.sensor.Y was.
UPDATE runtime r SET ref = 'unify.' || r.id
FROM unify_runtime u WHERE r.id = u.id AND u.rank = 1 AND r.ref <> u.new_ref;
UPDATE runtime r SET ref = u.new_ref, updated = NOW()
FROM unify_runtime u WHERE r.id = u.id AND u.rank = 1 AND r.ref <> u.new_ref;

UPDATE action t SET runtime_ref = r.ref FROM runtime r WHERE t.runtime = r.id AND t.runtime_ref IS DISTINCT FROM r.ref;
UPDATE sensor t SET runtime_ref = r.ref FROM runtime r WHERE t.runtime = r.id AND t.runtime_ref IS DISTINCT FROM r.ref;
-- A ref without its foreign key follows too.
UPDATE action SET runtime_ref = regexp_replace(runtime_ref, '^([^.]+)\.(action|sensor)\.(.+)$', '\1.\3')
WHERE runtime IS NULL AND runtime_ref <> 'core.sensor.builtin' AND runtime_ref ~ '^[^.]+\.(action|sensor)\..';
UPDATE sensor SET runtime_ref = regexp_replace(runtime_ref, '^([^.]+)\.(action|sensor)\.(.+)$', '\1.\3')
WHERE runtime IS NULL AND runtime_ref <> 'core.sensor.builtin' AND runtime_ref ~ '^[^.]+\.(action|sensor)\..';

DROP TABLE unify_runtime;

DROP INDEX idx_runtime_type;
ALTER TABLE runtime DROP COLUMN runtime_type;
DROP TYPE runtime_type_enum;

CREATE INDEX idx_runtime_name ON runtime(name);
CREATE INDEX idx_runtime_verification ON runtime USING gin ((distributions -> 'verification'));
