-- What Attune notices about itself becomes an event that rules can act on. The notice is written by the statement that
-- changes the row, so that neither is there without the other, whichever program changed it; an executor takes each into
-- ingest once and deletes it.

CREATE TABLE notice (
    id BIGSERIAL PRIMARY KEY,
    trigger_ref TEXT NOT NULL,
    payload JSONB NOT NULL,
    created TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp());

-- As everywhere a hint, and only that: notices are rare, so sending it with the insert costs nobody anything.
CREATE FUNCTION notice_hints() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('attune_notice', '');
    RETURN NULL;
END $$;
CREATE TRIGGER notice_hints AFTER INSERT ON notice FOR EACH STATEMENT EXECUTE FUNCTION notice_hints();

-- Capabilities are whatever a worker or an operator wrote: what is not as it should be counts as nothing.
CREATE FUNCTION reported_runtimes(capabilities JSONB) RETURNS JSONB IMMUTABLE LANGUAGE sql AS $$
    SELECT COALESCE(jsonb_path_query_array(capabilities, '$.runtimes[*] ? (@.type() == "string")'), '[]')
$$;

CREATE FUNCTION reported_versions(capabilities JSONB) RETURNS JSONB IMMUTABLE LANGUAGE sql AS $$
    SELECT COALESCE(jsonb_object_agg(d.key, d.value -> 'version'), '{}')
    FROM jsonb_each(CASE jsonb_typeof(capabilities -> 'runtime_details')
                    WHEN 'object' THEN capabilities -> 'runtime_details' END) AS d
$$;

-- A change is another status, another set of runtimes, or another version of one. When something was verified is none.
CREATE FUNCTION worker_state_notice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before JSONB := reported_runtimes(OLD.capabilities);
    after JSONB := reported_runtimes(NEW.capabilities);
    versions JSONB := reported_versions(NEW.capabilities);
    added JSONB := after - ARRAY(SELECT jsonb_array_elements_text(before));
    removed JSONB := before - ARRAY(SELECT jsonb_array_elements_text(after));
BEGIN
    IF OLD.status IS DISTINCT FROM NEW.status OR added <> '[]' OR removed <> '[]'
       OR versions <> reported_versions(OLD.capabilities) THEN
        INSERT INTO notice (trigger_ref, payload) VALUES ('core.worker_state', jsonb_build_object(
            'worker', NEW.name, 'role', NEW.worker_role, 'host', NEW.host,
            'status', NEW.status, 'previous_status', OLD.status,
            'runtimes', after, 'added', added, 'removed', removed, 'versions', versions));
    END IF;
    RETURN NULL;
END $$;

-- The renewals of leases, which are many, touch neither column.
CREATE TRIGGER worker_state_notice AFTER UPDATE OF status, capabilities ON worker FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.capabilities IS DISTINCT FROM NEW.capabilities)
    EXECUTE FUNCTION worker_state_notice();
