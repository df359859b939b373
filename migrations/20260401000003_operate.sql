-- What operators do by command, and by the same columns with plain SQL: a pack is switched off as a whole, a running
-- execution is asked to end, one that did not succeed is run again.

ALTER TABLE pack ADD COLUMN enabled BOOLEAN NOT NULL DEFAULT TRUE;

ALTER TABLE execution ADD COLUMN cancel_requested TIMESTAMPTZ;         -- its worker ends it and records it as cancelled
ALTER TABLE execution ADD COLUMN retry_of BIGINT;                      -- the first of those that this one repeats; it has no enforcement

-- Who waits is cancelled at once, so a wish never waits with it.
ALTER TABLE execution ADD CONSTRAINT execution_requested_is_not_cancelling
    CHECK (status <> 'requested' OR cancel_requested IS NULL);

COMMENT ON COLUMN pack.enabled IS 'FALSE: its sensors do not run, its rules are out of force, its triggers take no event, its actions no work';
COMMENT ON COLUMN execution.cancel_requested IS 'Set while it runs: the worker ends it within a second. A lost worker''s is cancelled, not repeated';
COMMENT ON COLUMN execution.retry_of IS 'The first execution that this one repeats, by hand; enforcement is NULL then';
