-- An execution's row is its place in the queue.

ALTER TABLE action ADD COLUMN at_most_once BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE execution ADD COLUMN runtime BIGINT;                       -- what a worker must have to claim it
ALTER TABLE execution ADD COLUMN rule_ref TEXT;
ALTER TABLE execution ADD COLUMN trigger_ref TEXT;
ALTER TABLE execution ADD COLUMN pack_digest TEXT;                     -- the content it ran with
ALTER TABLE execution ADD COLUMN not_before TIMESTAMPTZ NOT NULL DEFAULT NOW();
ALTER TABLE execution ADD COLUMN lost SMALLINT NOT NULL DEFAULT 0;     -- attempts whose worker was lost; they do not count against max_attempts
ALTER TABLE execution ADD COLUMN lost_in_row SMALLINT NOT NULL DEFAULT 0;

ALTER TABLE execution ADD CONSTRAINT execution_running_has_worker
    CHECK (status <> 'running' OR (worker IS NOT NULL AND started IS NOT NULL));
ALTER TABLE execution ADD CONSTRAINT execution_ended_has_finished
    CHECK ((status IN ('succeeded', 'failed', 'timed_out', 'cancelled', 'abandoned')) = (finished IS NOT NULL));

-- The claim reads this one: by runtime, what is due first. A retry that waits an hour is behind what is due now.
CREATE INDEX idx_execution_requested ON execution(runtime, not_before, id) WHERE status = 'requested';
-- Taking over a lost worker reads this one.
CREATE INDEX idx_execution_running ON execution(worker) WHERE status = 'running';
-- Rows are born in id order, so block ranges find an event's enforcements and executions at almost no cost to inserts.
CREATE INDEX idx_enforcement_event ON enforcement USING brin (event) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX idx_execution_enforcement ON execution USING brin (enforcement) WITH (pages_per_range = 16, autosummarize = on);

-- Attempts that were not the last one. The execution's own row carries the current attempt, so that one that succeeds at
-- once costs no second row.
CREATE TABLE attempt (
    execution BIGINT NOT NULL, attempt INTEGER NOT NULL, worker BIGINT,
    status TEXT NOT NULL CHECK (status IN ('failed', 'timed_out', 'lost')),
    error TEXT, started TIMESTAMPTZ, finished TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    PRIMARY KEY (execution, attempt));

-- stderr of executions, bytes as they came. JSONB and TEXT refuse NUL, so neither would do.
CREATE TABLE log (
    id BIGSERIAL PRIMARY KEY, execution BIGINT NOT NULL, attempt INTEGER NOT NULL,
    data BYTEA NOT NULL, created TIMESTAMPTZ NOT NULL DEFAULT NOW());
CREATE INDEX idx_log_execution ON log(execution, attempt, id);
