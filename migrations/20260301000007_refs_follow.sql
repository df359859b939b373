-- A reference is an id with its ref beside it. Whoever changes one by plain SQL means both: what was changed wins, and a rule
-- can not name what does not exist. Without this a rule would show one action and run another.

CREATE FUNCTION follow_reference(target REGCLASS, old_id BIGINT, old_ref TEXT, INOUT id BIGINT, INOUT ref TEXT)
LANGUAGE plpgsql AS $$
BEGIN
    IF id IS DISTINCT FROM old_id THEN
        IF id IS NOT NULL THEN
            EXECUTE format('SELECT t.ref FROM %s AS t WHERE t.id = $1', target) INTO ref USING id;
        END IF;
    ELSIF ref IS DISTINCT FROM old_ref AND ref IS NOT NULL THEN
        EXECUTE format('SELECT t.id FROM %s AS t WHERE t.ref = $1', target) INTO id USING ref;
    END IF;
END $$;

CREATE FUNCTION rule_references_follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before rule;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        before = OLD;
    END IF;
    SELECT f.id, f.ref INTO NEW.trigger, NEW.trigger_ref
    FROM follow_reference('trigger', before.trigger, before.trigger_ref, NEW.trigger, NEW.trigger_ref) AS f;
    SELECT f.id, f.ref INTO NEW.action, NEW.action_ref
    FROM follow_reference('action', before.action, before.action_ref, NEW.action, NEW.action_ref) AS f;
    IF NEW.trigger IS NULL AND NEW.trigger_ref IS NOT NULL THEN
        RAISE foreign_key_violation USING MESSAGE = format('rule %s: there is no trigger %s', NEW.ref, NEW.trigger_ref);
    END IF;
    IF NEW.action IS NULL AND NEW.action_ref IS NOT NULL THEN
        RAISE foreign_key_violation USING MESSAGE = format('rule %s: there is no action %s', NEW.ref, NEW.action_ref);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rule_references_follow BEFORE INSERT OR UPDATE ON rule
    FOR EACH ROW EXECUTE FUNCTION rule_references_follow();

-- A sensor or an action may name a runtime that comes later; it is unschedulable until then, and says so.
CREATE FUNCTION runtime_reference_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old_id BIGINT;
    old_ref TEXT;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        old_id = OLD.runtime;
        old_ref = OLD.runtime_ref;
    END IF;
    SELECT f.id, f.ref INTO NEW.runtime, NEW.runtime_ref
    FROM follow_reference('runtime', old_id, old_ref, NEW.runtime, NEW.runtime_ref) AS f;
    RETURN NEW;
END $$;
CREATE TRIGGER sensor_runtime_follows BEFORE INSERT OR UPDATE ON sensor
    FOR EACH ROW EXECUTE FUNCTION runtime_reference_follows();
CREATE TRIGGER action_runtime_follows BEFORE INSERT OR UPDATE ON action
    FOR EACH ROW EXECUTE FUNCTION runtime_reference_follows();
