-- A time is one that clocks show. PostgreSQL also has `infinity`, and years that no calendar of a program reaches; one such cell
-- failed every statement that counts from it, and with it all rows beside it.

CREATE FUNCTION readable_time(TIMESTAMPTZ) RETURNS TIMESTAMPTZ IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT CASE WHEN $1 IS NOT NULL THEN
        LEAST(GREATEST($1, '0001-01-01 00:00:00+00'::timestamptz), '9999-12-31 00:00:00+00'::timestamptz) END
$$;
COMMENT ON FUNCTION readable_time IS 'The time, or the nearest one within the years 1 to 9999';

-- Tables whose clocks are counted with refuse such a time when it is written. What stands there already becomes the nearest one.
-- The hot tables keep what is written; whoever reads their times asks for the nearest one.
DO $$
DECLARE
    name TEXT;
    columns TEXT[];
BEGIN
    FOREACH name IN ARRAY ARRAY['worker', 'sensor_state', 'sensor_poke', 'timer', 'timer_progress'] LOOP
        SELECT array_agg(c.column_name::text) INTO columns FROM information_schema.columns c
        WHERE c.table_schema = current_schema() AND c.table_name = name AND c.data_type = 'timestamp with time zone';
        EXECUTE format('UPDATE %I SET %s WHERE NOT (%s)', name,
            (SELECT string_agg(format('%1$I = readable_time(%1$I)', c), ', ') FROM unnest(columns) AS c),
            (SELECT string_agg(format('%1$I IS NOT DISTINCT FROM readable_time(%1$I)', c), ' AND ') FROM unnest(columns) AS c));
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (%s)', name, name || '_times_are_readable',
            (SELECT string_agg(format('%1$I IS NOT DISTINCT FROM readable_time(%1$I)', c), ' AND ') FROM unnest(columns) AS c));
    END LOOP;
END $$;

-- Counters that Attune counts on from have room to do so: one that stands at the end of its type would fail the statement that
-- raises it, and all rows beside it. What stands there already is not judged.
DO $$
DECLARE
    c RECORD;
BEGIN
    FOR c IN SELECT x.table_name, string_agg(format('%I BETWEEN -%s AND %2$s', x.column_name,
                 CASE x.data_type WHEN 'bigint' THEN 1::bigint << 62 WHEN 'integer' THEN 1 << 30 ELSE 1 << 14 END), ' AND ') AS room
             FROM information_schema.columns x JOIN (VALUES
                 ('sensor_state', ARRAY['epoch', 'failures', 'polls', 'events', 'duplicates', 'rejected', 'lateness_ms', 'errors',
                                        'missed_ticks', 'made_up', 'owed']),
                 ('sensor_poke', ARRAY['asked', 'answered']), ('worker', ARRAY['epoch']), ('timer', ARRAY['seen', 'fired', 'missed']),
                 ('execution', ARRAY['attempt', 'lost', 'lost_in_row'])) AS t (name, counters)
                 ON x.table_name = t.name AND x.column_name = ANY (t.counters)
             WHERE x.table_schema = current_schema() GROUP BY x.table_name LOOP
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (%s) NOT VALID', c.table_name, c.table_name || '_counters_have_room', c.room);
    END LOOP;
END $$;
