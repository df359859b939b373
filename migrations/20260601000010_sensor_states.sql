-- A dead sensor never looks like a quiet one: more statuses, three clocks, what is expected of a sensor, and who watches.
-- Which status follows which is the table of attune-core (sensor_status); the statements that write them name the old ones.

ALTER TABLE sensor ADD COLUMN expect JSONB;
ALTER TABLE sensor ADD COLUMN pause_after INTEGER CHECK (pause_after > 0);
COMMENT ON COLUMN sensor.expect IS '{"event": "10m", "contact": 30}: at least one in each such time, or the sensor is silent. All has to hold';
COMMENT ON COLUMN sensor.pause_after IS 'Failures in a row after which it is paused; NULL: never';

ALTER TABLE sensor_state
    ADD COLUMN paused BOOLEAN NOT NULL DEFAULT FALSE,             -- somebody wants it paused; the status follows
    ADD COLUMN since TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),      -- it has had this status since then
    ADD COLUMN run_since TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),  -- it could have had events since then
    ADD COLUMN owner_since TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(), -- its worker, or that it has none, is the same since then
    ADD COLUMN last_contact TIMESTAMPTZ,
    ADD COLUMN says_contact BOOLEAN NOT NULL DEFAULT FALSE,       -- it says itself when it reached its source
    ADD COLUMN beats BOOLEAN NOT NULL DEFAULT FALSE,              -- a stream that promised to be heard
    ADD COLUMN ticks JSONB NOT NULL DEFAULT '[]',                 -- the last ones, the newest first: [ms since 1970, ms it took, ms late, events, error]
    ADD COLUMN look_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp();    -- the watch sees nothing new before
ALTER TABLE sensor_state
    DROP CONSTRAINT sensor_state_status_check,
    ADD CONSTRAINT sensor_state_status_check CHECK (status IN
        ('starting', 'running', 'quiet', 'silent', 'stuck', 'failing', 'paused', 'unschedulable', 'stopped')),
    ADD CONSTRAINT sensor_state_paused_by_wish CHECK (status <> 'paused' OR paused),
    ADD CONSTRAINT sensor_state_dead_has_reason CHECK
        (status NOT IN ('quiet', 'silent', 'stuck', 'paused', 'unschedulable') OR reason IS NOT NULL);
-- Only the watch and who gives a sensor back write it, so the rows that are written all the time stay out of it.
CREATE INDEX idx_sensor_state_look_at ON sensor_state(look_at);

-- Whoever wants a sensor paused, or not any more, sets `paused`, and may give a reason. The status follows from it, by any
-- program, and with it goes the time since when it has it.
CREATE FUNCTION sensor_state_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.paused AND NOT OLD.paused THEN
        NEW.next_try = NULL;
        IF OLD.status <> 'stopped' THEN
            NEW.status = 'paused';
            NEW.reason = COALESCE(NULLIF(NEW.reason, OLD.reason), 'somebody wants it paused');
        END IF;
    ELSIF OLD.paused AND NOT NEW.paused THEN
        NEW.failures = 0;
        NEW.look_at = clock_timestamp();
        IF OLD.status = 'paused' THEN
            NEW.status = 'starting';
            NEW.reason = NULL;
        END IF;
    END IF;
    IF NEW.status <> OLD.status THEN
        NEW.since = clock_timestamp();
    END IF;
    IF NEW.status <> OLD.status AND OLD.status IN ('stopped', 'paused', 'unschedulable') THEN
        NEW.run_since = clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sensor_state_changes BEFORE UPDATE ON sensor_state FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.paused IS DISTINCT FROM NEW.paused)
    EXECUTE FUNCTION sensor_state_changes();

-- Which sensors are to be polled is configuration: whoever runs them hears of it as of every other change.
CREATE TRIGGER sensor_state_bumps_config_version BEFORE UPDATE OF paused ON sensor_state
    FOR EACH STATEMENT EXECUTE FUNCTION bump_config_version();

-- Each change of status is one that rules can act on, but for the first start of a new sensor, which is none.
CREATE FUNCTION sensor_state_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notice (trigger_ref, payload)
    SELECT 'core.sensor_state', jsonb_build_object(
        'sensor', s.ref, 'from', OLD.status, 'to', NEW.status,
        'reason', CASE NEW.status WHEN 'failing' THEN NEW.last_error ELSE NEW.reason END, 'since', NEW.since,
        'clocks', jsonb_build_object('tick', NEW.last_tick, 'contact', NEW.last_contact, 'event', NEW.last_event))
    FROM sensor s WHERE s.id = NEW.sensor;
    RETURN NULL;
END $$;
CREATE TRIGGER sensor_state_notice AFTER UPDATE ON sensor_state FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status
          AND NOT (OLD.status = 'starting' AND NEW.status = 'running' AND OLD.last_tick IS NULL))
    EXECUTE FUNCTION sensor_state_notice();

-- Every process can keep the watch. Whoever takes this row makes the next round, so there is one each second over all of
-- them, and the others go on when he does not come back.
CREATE TABLE sensor_watch (
    only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    keeper TEXT NOT NULL DEFAULT '',             -- who made the last round
    at TIMESTAMPTZ NOT NULL DEFAULT '-infinity', -- when
    clock_jumped BOOLEAN NOT NULL DEFAULT FALSE  -- the clock stood earlier than at the round before
    ) WITH (fillfactor = 50);
INSERT INTO sensor_watch DEFAULT VALUES;
