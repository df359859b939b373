-- Every row of configuration says in which config version it was last written, so that whoever knows the configuration of one
-- version reads what was written since, however much there is beside it.
--
-- A change raises the version before it writes a row, and holds that number until it commits. So versions are in the order of
-- commits, nobody sees a part of them, and what a later statement of a transaction writes carries a later version.
-- What is gone says nothing; for that there is the version of the last statement that may have deleted something.

ALTER TABLE config_version ADD COLUMN last_delete BIGINT NOT NULL DEFAULT 0;

CREATE OR REPLACE FUNCTION bump_config_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE config_version SET version = version + 1,
        last_delete = CASE WHEN TG_OP IN ('DELETE', 'TRUNCATE') THEN version + 1 ELSE last_delete END;
    PERFORM pg_notify('attune_config', TG_TABLE_NAME);
    RETURN NULL;
END $$;

CREATE FUNCTION stamp_config_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.config_version = (SELECT version FROM config_version);
    RETURN NEW;
END $$;

DO $$
DECLARE name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['runtime', 'pack', 'trigger', 'sensor', 'rule', 'action'] LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN config_version BIGINT NOT NULL DEFAULT 0', name);
        EXECUTE format('CREATE INDEX %I ON %I(config_version)', 'idx_' || name || '_config_version', name);
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE ON %I
            FOR EACH ROW EXECUTE FUNCTION stamp_config_version()', name || '_stamps_config_version', name);
        EXECUTE format('COMMENT ON COLUMN %I.config_version IS %L', name,
            'The config version in which it was last written; a trigger says so');
    END LOOP;
END $$;

-- Whose pack, runtime, action or trigger was written is found by these, and so is what goes with them.
CREATE INDEX idx_rule_pack ON rule(pack);
CREATE INDEX idx_rule_action ON rule(action);
CREATE INDEX idx_sensor_pack ON sensor(pack);
CREATE INDEX idx_sensor_runtime ON sensor(runtime);
CREATE INDEX idx_sensor_trigger_trigger ON sensor_trigger(trigger);

-- The triggers of a sensor and the wish to pause it are parts of the sensor: who changes them changes it.
CREATE FUNCTION sensor_trigger_changes_sensor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        UPDATE sensor SET config_version = DEFAULT;
        RETURN NULL;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        UPDATE sensor SET config_version = DEFAULT WHERE id IN (SELECT sensor FROM written);
    END IF;
    IF TG_OP <> 'INSERT' THEN
        UPDATE sensor SET config_version = DEFAULT WHERE id IN (SELECT sensor FROM gone);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sensor_changes_with_insert AFTER INSERT ON sensor_trigger REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION sensor_trigger_changes_sensor();
CREATE TRIGGER sensor_changes_with_update AFTER UPDATE ON sensor_trigger REFERENCING OLD TABLE AS gone NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION sensor_trigger_changes_sensor();
CREATE TRIGGER sensor_changes_with_delete AFTER DELETE ON sensor_trigger REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION sensor_trigger_changes_sensor();
CREATE TRIGGER sensor_changes_with_truncate BEFORE TRUNCATE ON sensor_trigger
    FOR EACH STATEMENT EXECUTE FUNCTION sensor_trigger_changes_sensor();

CREATE FUNCTION pause_changes_sensor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sensor SET config_version = DEFAULT WHERE id = NEW.sensor;
    RETURN NULL;
END $$;
CREATE TRIGGER sensor_state_pause_changes_sensor AFTER UPDATE OF paused ON sensor_state FOR EACH ROW
    WHEN (OLD.paused IS DISTINCT FROM NEW.paused) EXECUTE FUNCTION pause_changes_sensor();
