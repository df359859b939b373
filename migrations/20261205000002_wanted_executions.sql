-- Which executions an order is about that have not ended: those that wait, and those that run and nobody asked to end. What is
-- left out (NULL) does not matter. Each part is found by a partial index.

CREATE FUNCTION wanted_executions(
    of_status TEXT, of_action TEXT, of_rule TEXT, of_trigger TEXT, of_event BIGINT, seconds_old DOUBLE PRECISION)
RETURNS TABLE (id BIGINT, status TEXT) LANGUAGE sql STABLE AS $$
    SELECT e.id, e.status::text
    FROM (SELECT * FROM execution WHERE status = 'requested' AND turn IS NOT FALSE
          UNION ALL SELECT * FROM execution WHERE status = 'requested' AND turn IS FALSE
          UNION ALL SELECT * FROM execution WHERE status = 'running' AND cancel_requested IS NULL) e
    WHERE (of_status IS NULL OR e.status::text = of_status) AND (of_action IS NULL OR e.action_ref = of_action)
      AND (of_rule IS NULL OR e.rule_ref = of_rule) AND (of_trigger IS NULL OR e.trigger_ref = of_trigger)
      AND (of_event IS NULL OR e.enforcement IN (SELECT f.id FROM enforcement f WHERE f.event = of_event))
      AND (seconds_old IS NULL OR e.created < NOW() - make_interval(secs => seconds_old))
$$;
