-- What sensors and actions take: processor time, memory, time, bytes and events. Kept in memory by who runs them, and added
-- here every ten seconds, each time to three rows of a sensor or an action: the one of all time, that of the hour and that
-- of the five minutes. The last two are removed when nobody looks back so far. A run counts where it ended.

CREATE TABLE usage (
    kind TEXT NOT NULL CHECK (kind IN ('sensor', 'action')),
    id BIGINT NOT NULL,                                 -- the sensor's or the action's, which may be gone
    period TEXT NOT NULL CHECK (period IN ('ever', 'hour', '5min')),
    start TIMESTAMPTZ NOT NULL,                         -- of the period
    runs BIGINT NOT NULL, failed BIGINT NOT NULL,       -- polls or runs that ended, of a stream its runs; those that failed
    timed_out BIGINT NOT NULL, stopped BIGINT NOT NULL, -- of the failed; those that somebody wanted to end
    metered BIGINT NOT NULL,                            -- those whose processor time is known
    cpu_us BIGINT NOT NULL, wall_us BIGINT NOT NULL,    -- microseconds
    longest_us BIGINT NOT NULL,                         -- of one run
    output_bytes BIGINT NOT NULL, events BIGINT NOT NULL,
    peak_memory_bytes BIGINT NOT NULL,
    PRIMARY KEY (kind, id, period, start),
    CHECK ((period = 'ever') = (start = '-infinity'))
    ) WITH (fillfactor = 50);                           -- rows are written again and again, beside themselves
CREATE INDEX idx_usage_start ON usage (period, start);

-- Numbers are not used again, but nobody shall find the rest of what is gone. Rows are locked in the order in which they are
-- added to. One that comes in beside the delete stays, and nobody reads it.
CREATE FUNCTION usage_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM usage u JOIN gone g ON g.id = u.id
        WHERE u.kind = TG_TABLE_NAME ORDER BY u.id, u.period, u.start FOR UPDATE OF u;
    DELETE FROM usage u USING gone g WHERE u.kind = TG_TABLE_NAME AND u.id = g.id;
    RETURN NULL;
END $$;
CREATE TRIGGER usage_ends AFTER DELETE ON sensor REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION usage_ends();
CREATE TRIGGER usage_ends AFTER DELETE ON action REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION usage_ends();
