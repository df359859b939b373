-- Who runs a sensor, what it remembers, and how it fares. No lease of its own: a sensor may be claimed when it has no
-- worker or when its worker's lease has ended, and whoever takes a worker over bumps the epochs of its sensors.

ALTER TABLE sensor ADD COLUMN limits JSONB NOT NULL DEFAULT '{}';
ALTER TABLE sensor ADD COLUMN labels JSONB NOT NULL DEFAULT '{}';

CREATE TABLE sensor_state (
    sensor BIGINT PRIMARY KEY REFERENCES sensor(id) ON DELETE CASCADE,
    worker BIGINT REFERENCES worker(id) ON DELETE SET NULL,
    epoch BIGINT NOT NULL DEFAULT 0,             -- the fence of ingest: raised whenever `worker` changes
    state JSONB NOT NULL DEFAULT '{}',           -- what poll_sensor keeps between polls
    status TEXT NOT NULL DEFAULT 'starting' CHECK (status IN ('starting', 'running', 'failing', 'unschedulable', 'stopped')),
    reason TEXT,                                 -- why it is not running, in words
    failures INTEGER NOT NULL DEFAULT 0,         -- in a row
    last_error TEXT, next_try TIMESTAMPTZ,
    last_tick TIMESTAMPTZ, last_event TIMESTAMPTZ,
    polls BIGINT NOT NULL DEFAULT 0, events BIGINT NOT NULL DEFAULT 0,
    duplicates BIGINT NOT NULL DEFAULT 0, rejected BIGINT NOT NULL DEFAULT 0,
    updated TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    CONSTRAINT sensor_state_failing_has_error CHECK (status <> 'failing' OR last_error IS NOT NULL));
CREATE INDEX idx_sensor_state_worker ON sensor_state(worker);

-- Every sensor has a state from the start, whoever inserts it.
CREATE FUNCTION sensor_has_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sensor_state (sensor) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER sensor_has_state AFTER INSERT ON sensor FOR EACH ROW EXECUTE FUNCTION sensor_has_state();
INSERT INTO sensor_state (sensor) SELECT id FROM sensor;

-- The configuration that produced an event, once per distinct snapshot, secrets as "***".
CREATE TABLE sensor_config (
    id BIGSERIAL PRIMARY KEY, sensor BIGINT NOT NULL, digest TEXT NOT NULL, config JSONB NOT NULL,
    created TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    UNIQUE (sensor, digest));

ALTER TABLE event ADD COLUMN sensor_config BIGINT;
ALTER TABLE event ADD COLUMN pack_digest TEXT;

-- Events that can not be stored, with the bytes as they came.
CREATE TABLE event_rejected (
    id BIGSERIAL PRIMARY KEY, sensor BIGINT, sensor_ref TEXT, trigger_ref TEXT,
    raw BYTEA NOT NULL, reason TEXT NOT NULL,
    created TIMESTAMPTZ NOT NULL DEFAULT NOW());

-- Keys of events within their window. `source` is the sensor's ref, or the source that a posted event names.
CREATE TABLE event_key (
    source TEXT NOT NULL, key TEXT NOT NULL, event BIGINT NOT NULL, expires TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (source, key));
CREATE INDEX idx_event_key_expires ON event_key(expires);
