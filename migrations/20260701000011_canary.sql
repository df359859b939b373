-- Marked events that go the way of a sensor's own, so that it is seen when that way is blocked.

ALTER TABLE sensor ADD COLUMN canary DOUBLE PRECISION CHECK (canary > 0);
COMMENT ON COLUMN sensor.canary IS 'Seconds between two canaries; NULL: it sends none by itself';
ALTER TABLE sensor_poke ADD COLUMN canary BOOLEAN NOT NULL DEFAULT FALSE; -- the poll is to send one

-- Only canaries are in these, so that the last ones of a sensor and what followed are found, and nobody else pays for that.
CREATE INDEX idx_event_canary ON event(sensor, id) WHERE trigger_ref = 'core.canary';
CREATE INDEX idx_enforcement_canary ON enforcement(event) WHERE rule_ref = 'core.canary';
CREATE INDEX idx_execution_canary ON execution(enforcement) WHERE rule_ref = 'core.canary';

-- One that is disabled from the start has nothing to tell: it does not become stopped, it is.
CREATE OR REPLACE FUNCTION sensor_has_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sensor_state (sensor, status) VALUES (NEW.id, CASE WHEN NEW.enabled THEN 'starting' ELSE 'stopped' END);
    RETURN NULL;
END $$;
