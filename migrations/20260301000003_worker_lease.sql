-- A registration is held by one process at a time: the epoch says which, the lease says until when.

ALTER TABLE worker ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE worker ADD COLUMN lease_until TIMESTAMPTZ;

COMMENT ON COLUMN worker.epoch IS 'Raised by every registration; a write by the holder of an older epoch is refused';
COMMENT ON COLUMN worker.lease_until IS 'Renewed every 5 s; after it anybody may take this worker''s sensors and executions';
COMMENT ON COLUMN worker.meta IS 'The process behind the registration: pid, start_time, boot_id, pid_namespace, host';
