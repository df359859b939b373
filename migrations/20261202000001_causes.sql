-- What caused an event: an execution that sent it, by the token of its run. What comes from outside has no cause.
-- No foreign keys: these tables are written at every event, and a cause may be gone before what it caused.

ALTER TABLE event ADD COLUMN caused_by BIGINT;                       -- the execution that sent it
ALTER TABLE event ADD COLUMN depth SMALLINT NOT NULL DEFAULT 0;      -- executions between it and the outside world
ALTER TABLE event ADD COLUMN root BIGINT;                            -- the event that its chain began with; null: it begins one

-- What the runs of an action or a sensor may ask of the API.
ALTER TABLE action ADD COLUMN api JSONB NOT NULL DEFAULT '[]';
ALTER TABLE sensor ADD COLUMN api JSONB NOT NULL DEFAULT '[]';

-- One for each run that may ask something. It is good while its execution runs that attempt, or its sensor is under that epoch.
CREATE TABLE run_token (
    hash BYTEA PRIMARY KEY,                                          -- SHA-256 of the token, which nothing else keeps
    execution BIGINT, attempt INTEGER,
    sensor BIGINT, epoch BIGINT,
    depth SMALLINT NOT NULL DEFAULT 0, root BIGINT,                  -- of the event that led to the execution
    created TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    CONSTRAINT run_token_is_of_one CHECK ((execution IS NULL) = (attempt IS NULL) AND (sensor IS NULL) = (epoch IS NULL)
        AND (execution IS NULL) <> (sensor IS NULL)));

-- How many events executions have sent in one chain, so that two rules that feed each other come to an end however often
-- they double.
CREATE TABLE chain (
    root BIGINT PRIMARY KEY, events BIGINT NOT NULL,
    updated TIMESTAMPTZ NOT NULL DEFAULT NOW());
CREATE INDEX idx_chain_updated ON chain(updated);
