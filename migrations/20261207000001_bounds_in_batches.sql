-- A bound costs nothing where there is none, and to set one costs the same however many executions there are.
--
-- An action that gets a bound is noted, and an executor takes its executions along in batches. So a load that sets a bound
-- reads no execution, and cannot fail because there are millions. Until then some may run beside the bound. An action that
-- loses its bound is not noted: what waits for a turn that is needed no more is found by its index.

CREATE TABLE newly_bounded (
    action BIGINT PRIMARY KEY,
    since TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp());

COMMENT ON TABLE newly_bounded IS 'Actions that got a bound, and whose executions are not all counted yet';

DROP TRIGGER action_bounds_executions ON action;
DROP TRIGGER action_frees_executions ON action;
DROP FUNCTION action_bounds_executions();

CREATE FUNCTION note_newly_bounded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO newly_bounded (action) VALUES (NEW.id)
    ON CONFLICT (action) DO UPDATE SET since = EXCLUDED.since;
    RETURN NULL;
END $$;
CREATE TRIGGER action_is_newly_bounded AFTER UPDATE OF max_concurrent ON action FOR EACH ROW
    WHEN (OLD.max_concurrent IS NULL AND NEW.max_concurrent IS NOT NULL) EXECUTE FUNCTION note_newly_bounded();

-- What Attune inserts says by itself whether it waits.
DROP TRIGGER execution_waits_for_turn ON execution;
DROP FUNCTION execution_waits_for_turn();

-- Six comparisons for each row that is written. The statements that raise a counter stop at the end of its type instead.
ALTER TABLE execution DROP CONSTRAINT execution_counters_have_room;

-- One index for those that have a turn and those that wait, apart within each action: to count the few does not read the many.
-- It says `turn IS NOT NULL` in such words that the planner sees it hold where a statement asks for one of the two.
DROP INDEX idx_execution_waiting;
DROP INDEX idx_execution_turn;
CREATE INDEX idx_execution_turn ON execution(action, turn, not_before, id)
    WHERE (turn IS FALSE OR turn IS TRUE) AND status IN ('requested', 'running');
