-- What becomes of ticks that a polled sensor missed, ticks that are moved at random, and ticks that somebody wants now.

ALTER TABLE sensor ADD COLUMN missed TEXT NOT NULL DEFAULT 'skip' CHECK (missed IN ('skip', 'once', 'all'));
ALTER TABLE sensor ADD COLUMN jitter DOUBLE PRECISION CHECK (jitter > 0);
COMMENT ON COLUMN sensor.missed IS 'What becomes of ticks that passed while it could not be polled: skip, once (one poll for all of them), all';
COMMENT ON COLUMN sensor.jitter IS 'Seconds by which each tick is moved, at random; NULL: none is';

ALTER TABLE sensor_state
    ADD COLUMN ticks_since TIMESTAMPTZ,                 -- none is missed before: it was enabled, or not paused any more, then
    ADD COLUMN missed_ticks BIGINT NOT NULL DEFAULT 0,  -- passed, and were left out
    ADD COLUMN made_up BIGINT NOT NULL DEFAULT 0,       -- polls that made up for ticks that had passed
    ADD COLUMN owed INTEGER NOT NULL DEFAULT 0;         -- such polls that are still to come

-- What nobody wanted was not missed; what nobody could do was. By its name this trigger comes after sensor_state_changes, and
-- sees what that makes of a wish.
CREATE FUNCTION sensor_state_ticks_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.ticks_since = clock_timestamp();
    NEW.owed = 0;
    RETURN NEW;
END $$;
CREATE TRIGGER sensor_state_ticks_again BEFORE UPDATE ON sensor_state FOR EACH ROW
    WHEN (OLD.status IN ('stopped', 'paused') AND NEW.status <> OLD.status)
    EXECUTE FUNCTION sensor_state_ticks_again();

-- Who wants a sensor to tick now. A table of its own, so that a wish never waits for what is written of each poll, nor that
-- for a wish. A poll answers all of which its worker had heard when it began, so many wishes are few polls.
CREATE TABLE sensor_poke (
    sensor BIGINT PRIMARY KEY REFERENCES sensor(id) ON DELETE CASCADE,
    asked BIGINT NOT NULL DEFAULT 1,             -- wishes so far
    answered BIGINT NOT NULL DEFAULT 0,          -- the last of them that a poll has answered
    outcome JSONB,                               -- what came of that poll: {"events", "took_ms", "error"}
    asked_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    answered_at TIMESTAMPTZ);
CREATE INDEX idx_sensor_poke_open ON sensor_poke(sensor) WHERE asked > answered;

CREATE FUNCTION sensor_poke_hints() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('attune_poke', '');
    RETURN NULL;
END $$;
CREATE TRIGGER sensor_poke_hints AFTER INSERT OR UPDATE OF asked ON sensor_poke
    FOR EACH STATEMENT EXECUTE FUNCTION sensor_poke_hints();
