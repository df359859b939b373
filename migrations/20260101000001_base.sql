-- The chain Sensor -> Event -> Rule -> Enforcement -> Execution -> Worker -> Action, before workers had a role
-- and while sensors and actions still had runtimes of their own.
--
-- Two families of tables: configuration (pack, runtime, worker, trigger, sensor, action, rule) has foreign keys; the hot
-- tables (event, enforcement, execution) have none, because their rows are born in one transaction, end by retention in
-- id order and must stay readable after what they point at is deleted.

CREATE TYPE runtime_type_enum AS ENUM ('action', 'sensor');
CREATE TYPE worker_type_enum AS ENUM ('local', 'remote', 'container');
CREATE TYPE worker_status_enum AS ENUM ('active', 'inactive');
CREATE TYPE enforcement_status_enum AS ENUM ('created', 'failed');
CREATE TYPE execution_status_enum AS ENUM
    ('requested', 'running', 'succeeded', 'failed', 'timed_out', 'cancelled', 'abandoned');

CREATE TABLE pack (
    id BIGSERIAL PRIMARY KEY, ref TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL, version TEXT NOT NULL DEFAULT '0.0.0', description TEXT,
    config JSONB NOT NULL DEFAULT '{}', config_schema JSONB NOT NULL DEFAULT '{}',
    created TIMESTAMPTZ NOT NULL DEFAULT NOW(), updated TIMESTAMPTZ NOT NULL DEFAULT NOW());

CREATE TABLE runtime (
    id BIGSERIAL PRIMARY KEY, ref TEXT NOT NULL UNIQUE,
    pack BIGINT REFERENCES pack(id), pack_ref TEXT, description TEXT,
    runtime_type runtime_type_enum NOT NULL,
    name TEXT NOT NULL,
    distributions JSONB NOT NULL,
    installation JSONB,
    created TIMESTAMPTZ DEFAULT NOW(), updated TIMESTAMPTZ DEFAULT NOW());
CREATE INDEX idx_runtime_type ON runtime(runtime_type);

CREATE TABLE worker (
    id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    worker_type worker_type_enum NOT NULL,
    runtime BIGINT REFERENCES runtime(id), host TEXT, port INTEGER,
    status worker_status_enum DEFAULT 'inactive',
    capabilities JSONB, meta JSONB, last_heartbeat TIMESTAMPTZ,
    created TIMESTAMPTZ NOT NULL DEFAULT NOW(), updated TIMESTAMPTZ NOT NULL DEFAULT NOW());
CREATE INDEX idx_worker_status ON worker(status);

CREATE TABLE trigger (
    id BIGSERIAL PRIMARY KEY, ref TEXT NOT NULL UNIQUE,
    pack BIGINT REFERENCES pack(id), pack_ref TEXT, label TEXT, description TEXT,
    param_schema JSONB NOT NULL DEFAULT '{}', payload_schema JSONB NOT NULL DEFAULT '{}',
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    created TIMESTAMPTZ NOT NULL DEFAULT NOW(), updated TIMESTAMPTZ NOT NULL DEFAULT NOW());

CREATE TABLE sensor (
    id BIGSERIAL PRIMARY KEY, ref TEXT NOT NULL UNIQUE,
    pack BIGINT REFERENCES pack(id), pack_ref TEXT, label TEXT, description TEXT,
    runtime BIGINT REFERENCES runtime(id), runtime_ref TEXT,
    entrypoint TEXT NOT NULL DEFAULT '',
    config JSONB NOT NULL DEFAULT '{}', param_schema JSONB NOT NULL DEFAULT '{}',
    mode TEXT NOT NULL DEFAULT 'poll' CHECK (mode IN ('poll', 'stream', 'builtin')),
    poll_interval DOUBLE PRECISION CHECK (poll_interval > 0), -- seconds; null: the worker's default
    timeout DOUBLE PRECISION CHECK (timeout > 0),             -- seconds; null: the worker's default
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    created TIMESTAMPTZ NOT NULL DEFAULT NOW(), updated TIMESTAMPTZ NOT NULL DEFAULT NOW());

-- The triggers a sensor may produce; `position` 0 is the one for events that name none.
CREATE TABLE sensor_trigger (
    sensor BIGINT NOT NULL REFERENCES sensor(id) ON DELETE CASCADE,
    trigger BIGINT NOT NULL REFERENCES trigger(id) ON DELETE CASCADE,
    position INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (sensor, trigger));

CREATE TABLE action (
    id BIGSERIAL PRIMARY KEY, ref TEXT NOT NULL UNIQUE,
    pack BIGINT REFERENCES pack(id), pack_ref TEXT, label TEXT, description TEXT,
    runtime BIGINT REFERENCES runtime(id), runtime_ref TEXT,
    entrypoint TEXT NOT NULL DEFAULT '',
    param_schema JSONB NOT NULL DEFAULT '{}',
    timeout DOUBLE PRECISION CHECK (timeout > 0),             -- seconds; null: the worker's default
    retry JSONB NOT NULL DEFAULT '{}',
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    created TIMESTAMPTZ NOT NULL DEFAULT NOW(), updated TIMESTAMPTZ NOT NULL DEFAULT NOW());

CREATE TABLE rule (
    id BIGSERIAL PRIMARY KEY, ref TEXT NOT NULL UNIQUE,
    pack BIGINT REFERENCES pack(id), pack_ref TEXT, label TEXT, description TEXT,
    trigger BIGINT REFERENCES trigger(id) ON DELETE CASCADE, trigger_ref TEXT,
    action BIGINT REFERENCES action(id) ON DELETE CASCADE, action_ref TEXT,
    conditions JSONB NOT NULL DEFAULT '[]',
    trigger_params JSONB NOT NULL DEFAULT '{}',
    action_params JSONB NOT NULL DEFAULT '{}',
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    revision BIGINT NOT NULL DEFAULT 1,
    created TIMESTAMPTZ NOT NULL DEFAULT NOW(), updated TIMESTAMPTZ NOT NULL DEFAULT NOW());
CREATE INDEX idx_rule_trigger ON rule(trigger);

CREATE TABLE event (
    id BIGSERIAL PRIMARY KEY,
    trigger BIGINT, trigger_ref TEXT NOT NULL, trigger_params JSONB,
    sensor BIGINT, sensor_ref TEXT, source TEXT, key TEXT,
    payload JSONB NOT NULL,
    created TIMESTAMPTZ NOT NULL DEFAULT NOW());

CREATE TABLE enforcement (
    id BIGSERIAL PRIMARY KEY,
    event BIGINT NOT NULL, rule BIGINT NOT NULL, rule_ref TEXT NOT NULL, rule_revision BIGINT NOT NULL,
    status enforcement_status_enum NOT NULL, reason TEXT,
    created TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    CONSTRAINT enforcement_failed_has_reason CHECK ((status = 'failed') = (reason IS NOT NULL)));

CREATE TABLE execution (
    id BIGSERIAL PRIMARY KEY,
    enforcement BIGINT, action BIGINT NOT NULL, action_ref TEXT NOT NULL,
    params JSONB NOT NULL DEFAULT '{}',
    status execution_status_enum NOT NULL DEFAULT 'requested',
    attempt INTEGER NOT NULL DEFAULT 1,
    worker BIGINT, result JSONB, error TEXT,
    started TIMESTAMPTZ, finished TIMESTAMPTZ,
    created TIMESTAMPTZ NOT NULL DEFAULT NOW(), updated TIMESTAMPTZ NOT NULL DEFAULT NOW());

INSERT INTO pack (ref, name, version, description) VALUES
    ('core', 'Core', '0.0.0', 'Runtimes, triggers and basic actions that every installation has');

INSERT INTO runtime (ref, pack, pack_ref, runtime_type, name, distributions)
SELECT r.ref, pack.id, pack.ref, r.runtime_type::runtime_type_enum, r.name, '{}'
FROM pack, (VALUES
    ('core.action.native',  'action', 'Native'),
    ('core.action.nodejs',  'action', 'Node.js'),
    ('core.action.python',  'action', 'Python'),
    ('core.action.shell',   'action', 'Shell'),
    ('core.sensor.builtin', 'sensor', 'Built-in Sensor')) AS r (ref, runtime_type, name)
WHERE pack.ref = 'core';
