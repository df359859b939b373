-- How many executions of an action run at once, over all workers, counted from rows.
--
-- An execution of a bounded action is born waiting (turn FALSE), where no claim sees it, so that a hundred thousand of them
-- stand in front of no other. An executor gives turns, oldest first and with the action's row locked, while fewer than
-- `max_concurrent` have one; what has a turn is claimed like any other, and gives it up with its end or while it waits for
-- a retry. Executions of actions without a bound have no turn (NULL), and cost nothing more than before.
-- Executions that are born in the moment in which an action gets its bound may run beside it.

ALTER TABLE action ADD COLUMN max_concurrent INTEGER CHECK (max_concurrent >= 1);
ALTER TABLE action ADD COLUMN overlap TEXT NOT NULL DEFAULT 'queue' CHECK (overlap IN ('queue', 'skip'));
ALTER TABLE execution ADD COLUMN turn BOOLEAN;

COMMENT ON COLUMN action.max_concurrent IS 'How many of its executions run at once, over all workers; NULL: as many as there is room for';
COMMENT ON COLUMN action.overlap IS 'queue | skip: what becomes of an execution while max_concurrent are running: it waits, or it is cancelled';
COMMENT ON COLUMN execution.turn IS 'NULL: its action has no bound; FALSE: it waits until fewer of the action run; TRUE: it may be claimed, or runs';

CREATE INDEX idx_action_bounded ON action(id) WHERE max_concurrent IS NOT NULL;
-- The claim reads the first, who gives turns the others.
DROP INDEX idx_execution_requested;
CREATE INDEX idx_execution_requested ON execution(runtime, not_before, id) WHERE status = 'requested' AND turn IS NOT FALSE;
CREATE INDEX idx_execution_waiting ON execution(action, not_before, id) WHERE status = 'requested' AND turn IS FALSE;
CREATE INDEX idx_execution_turn ON execution(action) WHERE turn IS TRUE AND status IN ('requested', 'running');

-- Ingest says by itself whether an execution waits; whatever else is inserted belongs to no enforcement.
CREATE FUNCTION execution_waits_for_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM action WHERE id = NEW.action AND max_concurrent IS NOT NULL) THEN
        NEW.turn = FALSE;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER execution_waits_for_turn BEFORE INSERT ON execution FOR EACH ROW
    WHEN (NEW.enforcement IS NULL AND NEW.turn IS NULL AND NEW.status = 'requested') EXECUTE FUNCTION execution_waits_for_turn();

-- An action that gets a bound, or loses it, takes its executions along.
CREATE FUNCTION action_bounds_executions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.max_concurrent IS NULL THEN
        UPDATE execution SET turn = NULL WHERE action = OLD.id AND status IN ('requested', 'running') AND turn IS NOT NULL;
    ELSE
        UPDATE execution SET turn = status = 'running'
        WHERE action = OLD.id AND status IN ('requested', 'running') AND turn IS NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER action_bounds_executions AFTER UPDATE OF max_concurrent ON action FOR EACH ROW
    WHEN ((OLD.max_concurrent IS NULL) <> (NEW.max_concurrent IS NULL)) EXECUTE FUNCTION action_bounds_executions();
CREATE TRIGGER action_frees_executions AFTER DELETE ON action FOR EACH ROW
    WHEN (OLD.max_concurrent IS NOT NULL) EXECUTE FUNCTION action_bounds_executions();

-- An operator who cancels executions in SQL need not say when. No trigger says it for them: one before each update would lock
-- each row once more, and updates of these rows are what claims and finishes are made of.
ALTER TABLE execution DROP CONSTRAINT execution_ended_has_finished;
ALTER TABLE execution ADD CONSTRAINT execution_ended_has_finished
    CHECK ((status IN ('succeeded', 'failed', 'timed_out', 'cancelled', 'abandoned')) = (finished IS NOT NULL) OR status = 'cancelled');
