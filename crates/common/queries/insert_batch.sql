WITH current AS MATERIALIZED (
    SELECT version FROM config_version WHERE version = $1),
-- The fence. Locked in id order; whoever is not returned here has nothing in this batch.
held AS MATERIALIZED (
    SELECT s.sensor, h.state, h.polls, h.duplicates, h.rejected, h.lateness_ms, h.contact, h.ticks, h.heard
    FROM sensor_state s JOIN unnest($2::bigint[], $3::bigint[], $4::jsonb[], $5::bigint[], $6::bigint[], $38::bigint[],
                                    $39::bool[], $40::jsonb[], $41::bool[], $45::bigint[])
         AS h (sensor, epoch, state, polls, duplicates, lateness_ms, contact, ticks, heard, rejected) ON s.sensor = h.sensor
    WHERE s.sensor = ANY($2) AND s.epoch = h.epoch AND EXISTS (SELECT FROM current)
    ORDER BY s.sensor FOR UPDATE OF s),
-- The count reads `held` to its end before any key is locked, also when no event has a sensor.
admitted AS MATERIALIZED (
    SELECT e.*
    FROM unnest($7::bigint[], $8::bigint[], $9::text[], $10::jsonb[], $11::bigint[], $12::text[], $13::text[], $14::text[],
                $15::text[], $16::timestamptz[], $17::text[], $18::timestamptz[], $19::bigint[], $20::text[],
                $42::bigint[], $43::smallint[], $44::bigint[])
         AS e (id, trigger, trigger_ref, trigger_params, sensor, sensor_ref, source, key,
               key_source, key_expires, payload, created, sensor_config, pack_digest, caused_by, depth, root)
    WHERE EXISTS (SELECT FROM current) AND (SELECT count(*) >= 0 FROM held)
      AND (e.sensor IS NULL OR e.sensor IN (SELECT sensor FROM held))),
keyed AS (
    INSERT INTO event_key (source, key, event, expires)
    SELECT key_source, key, id, key_expires FROM admitted WHERE key IS NOT NULL ORDER BY key_source, key
    ON CONFLICT (source, key) DO UPDATE SET event = EXCLUDED.event, expires = EXCLUDED.expires
        WHERE event_key.expires <= clock_timestamp()
    RETURNING event),
fresh AS MATERIALIZED (
    SELECT * FROM admitted WHERE key IS NULL OR id IN (SELECT event FROM keyed)),
inserted AS (
    INSERT INTO event (id, trigger, trigger_ref, trigger_params, sensor, sensor_ref, source, key, payload, created,
                       sensor_config, pack_digest, caused_by, depth, root)
    SELECT id, trigger, trigger_ref, trigger_params, sensor, sensor_ref, source, key, payload::jsonb, created,
           sensor_config, pack_digest, caused_by, COALESCE(depth, 0), root
    FROM fresh ORDER BY id
    RETURNING id),
set_aside AS (
    INSERT INTO event_rejected (sensor, sensor_ref, trigger_ref, raw, reason)
    SELECT r.sensor, r.sensor_ref, r.trigger_ref, r.raw, r.reason
    FROM unnest($33::bigint[], $34::text[], $35::text[], $36::bytea[], $37::text[]) AS r (sensor, sensor_ref, trigger_ref, raw, reason)
    WHERE r.sensor IN (SELECT sensor FROM held)
    RETURNING sensor),
-- Both ids are drawn here, so that an execution can name its enforcement without a second round trip.
fired AS MATERIALIZED (
    SELECT f.*, nextval('enforcement_id_seq') AS enforcement
    FROM unnest($21::bigint[], $22::bigint[], $23::text[], $24::bigint[], $25::text[], $26::bigint[], $27::text[], $28::bigint[],
                $29::text[], $30::text[], $31::text[], $32::timestamptz[])
         AS f (event, rule, rule_ref, rule_revision, reason, action, action_ref, runtime, params, trigger_ref, pack_digest, created)
    WHERE f.event IN (SELECT id FROM inserted)),
enforced AS (
    INSERT INTO enforcement (id, event, rule, rule_ref, rule_revision, status, reason, created)
    SELECT enforcement, event, rule, rule_ref, rule_revision,
           CASE WHEN reason IS NULL THEN 'created' ELSE 'failed' END::enforcement_status_enum, reason, created
    FROM fired),
-- Executions of actions with a bound wait for their turn. There are few such actions, and mostly none.
bounded AS MATERIALIZED (
    SELECT id FROM action WHERE max_concurrent IS NOT NULL),
-- Due by the clock of the database, which is the one that claims go by: `created` may be ahead of it.
requested AS (
    INSERT INTO execution (enforcement, action, action_ref, runtime, params, rule_ref, trigger_ref, pack_digest, created,
                           not_before, turn)
    SELECT enforcement, action, action_ref, runtime, params::jsonb, rule_ref, trigger_ref, pack_digest, created, NOW(),
           CASE WHEN action IN (SELECT id FROM bounded) THEN FALSE END
    FROM fired WHERE reason IS NULL
    RETURNING id),
-- One row for each sensor in `held`. An event that was admitted is a duplicate unless it is fresh. A canary is no event of its sensor.
tally AS MATERIALIZED (
    SELECT sensor, (array_agg(state) FILTER (WHERE state IS NOT NULL))[1] AS state, sum(polls) AS polls,
           sum(events) AS events, sum(duplicates) AS duplicates, sum(rejected) AS rejected,
           max(lateness_ms) AS lateness_ms, bool_or(contact) AS contact,
           (array_agg(ticks) FILTER (WHERE ticks IS NOT NULL))[1] AS ticks, bool_or(heard) AS heard
    FROM (SELECT sensor, state, polls, 0, duplicates, rejected, lateness_ms, contact, ticks, heard FROM held
          UNION ALL SELECT sensor, NULL, 0, 0, 1, 0, NULL, FALSE, NULL, FALSE FROM admitted
          UNION ALL SELECT sensor, NULL, 0, (trigger_ref <> 'core.canary')::int, -1, 0, NULL, FALSE, NULL, FALSE FROM fresh
          UNION ALL SELECT sensor, NULL, 0, 0, 0, 1, NULL, FALSE, NULL, FALSE FROM set_aside)
         AS part (sensor, state, polls, events, duplicates, rejected, lateness_ms, contact, ticks, heard)
    GROUP BY sensor),
-- An event makes a sensor running; without one it stays as quiet as it was. What is silent is for the watch to say. One that
-- is paused stays that. Who sent a canary and said nothing stays as it was.
committed AS (
    UPDATE sensor_state s
    SET state = COALESCE(t.state, s.state), failures = 0, next_try = NULL,
        status = CASE WHEN s.status IN ('paused', 'silent') OR t.events = 0 AND s.status = 'quiet' THEN s.status ELSE 'running' END,
        reason = CASE WHEN s.status IN ('paused', 'silent') OR t.events = 0 AND s.status = 'quiet' THEN s.reason END,
        says_contact = s.says_contact OR t.contact,
        last_contact = CASE WHEN t.contact OR NOT s.says_contact THEN clock_timestamp() ELSE s.last_contact END,
        ticks = CASE WHEN t.ticks IS NULL THEN s.ticks ELSE jsonb_path_query_array(t.ticks || s.ticks, '$[0 to 19]') END,
        last_tick = clock_timestamp(), lateness_ms = COALESCE(t.lateness_ms, s.lateness_ms),
        last_event = CASE WHEN t.events > 0 THEN clock_timestamp() ELSE s.last_event END,
        polls = s.polls + t.polls, events = s.events + t.events, duplicates = s.duplicates + t.duplicates,
        rejected = s.rejected + t.rejected, updated = clock_timestamp()
    FROM tally t WHERE s.sensor = t.sensor AND s.sensor = ANY($2) AND t.heard)
SELECT (SELECT version FROM config_version) AS "version!",
       ARRAY(SELECT id FROM inserted) AS "events!: Vec<i64>",
       ARRAY(SELECT sensor FROM held) AS "sensors!: Vec<i64>",
       (SELECT count(*) FROM requested) AS "executions!",
       -- Where no action has a bound, the second half is not read.
       EXISTS (SELECT FROM bounded) AND EXISTS (
           SELECT FROM fired WHERE reason IS NULL AND action IN (SELECT id FROM bounded)) AS "is_any_waiting!"
