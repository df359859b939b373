-- One number that rises with every change of configuration, by whatever program. Ingest compares it inside its statement,
-- so that a rule changed with psql is in force at once; everybody else hears the notification or reads it each 500 ms.
--
-- BEFORE ... FOR EACH STATEMENT, so that this row's lock always comes first: AFTER triggers deadlocked.

CREATE TABLE config_version (
    only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    version BIGINT NOT NULL DEFAULT 1) WITH (fillfactor = 50);
INSERT INTO config_version DEFAULT VALUES;

CREATE FUNCTION bump_config_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE config_version SET version = version + 1;
    PERFORM pg_notify('attune_config', TG_TABLE_NAME);
    RETURN NULL;
END $$;

CREATE FUNCTION touch_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated = NOW();
    RETURN NEW;
END $$;

CREATE FUNCTION touch_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated = NOW();
    NEW.revision = OLD.revision + 1;
    RETURN NEW;
END $$;

DO $$
DECLARE name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['runtime', 'pack', 'trigger', 'sensor', 'sensor_trigger', 'rule', 'action'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION bump_config_version()', name || '_bumps_config_version', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['runtime', 'pack', 'trigger', 'sensor', 'action'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION touch_updated()',
            name || '_touches_updated', name);
    END LOOP;
END $$;
CREATE TRIGGER rule_touches_revision BEFORE UPDATE ON rule FOR EACH ROW EXECUTE FUNCTION touch_rule();
