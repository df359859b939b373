-- A worker says what it runs. Every worker known so far ran actions; from here on a name is unique per role, so that one
-- host can carry an action worker and a sensor worker of the same name.

CREATE TYPE worker_role_enum AS ENUM ('action', 'sensor', 'hybrid');

ALTER TABLE worker ADD COLUMN worker_role worker_role_enum NOT NULL DEFAULT 'action';
ALTER TABLE worker DROP CONSTRAINT worker_name_key;
ALTER TABLE worker ADD CONSTRAINT worker_name_role_key UNIQUE (name, worker_role);
CREATE INDEX idx_worker_role ON worker(worker_role);
CREATE INDEX idx_worker_role_status ON worker(worker_role, status);
