-- Content is stored before the transaction that loads it. What no load came to use is removed: at once when the load is
-- refused, after an hour when the process ended in between. What was loaded once stays, for executions name it; what is
-- there already counts as loaded.
ALTER TABLE pack_content ADD COLUMN loaded BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE pack_content ALTER COLUMN loaded SET DEFAULT FALSE;
CREATE INDEX idx_pack_content_unused ON pack_content(created) WHERE NOT loaded;

COMMENT ON COLUMN pack_content.loaded IS 'Whether a load came to use it; else it is removed after an hour';
