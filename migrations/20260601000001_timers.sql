-- Timers: one for each distinct pair of a timer trigger and its parameters that enabled rules ask for.
--
-- A timer keeps its anchor, the phase of an interval, for ever; rules come and go. What it fires are events whose key is
-- (timer, instant), so that a second service, or the same one after a restart, can not fire an instant again. Everything here
-- is written now and then: what was fired since is read from the keys.

CREATE TABLE timer (
    id BIGSERIAL PRIMARY KEY,
    trigger_ref TEXT NOT NULL,
    params JSONB NOT NULL,                          -- canonical, defaults filled in
    anchor TIMESTAMPTZ NOT NULL,                    -- what an interval is counted from: when the first rule asked for it
    live BOOLEAN NOT NULL DEFAULT TRUE,             -- whether an enabled rule asks for it
    since TIMESTAMPTZ NOT NULL,                     -- since when it is live or not; instants before are nobody's
    seen BIGINT NOT NULL,                           -- config_version by which that was last changed: older ones change nothing
    handled TIMESTAMPTZ NOT NULL,                   -- the newest instant that was fired or counted as missed, as last written
    last TIMESTAMPTZ,                               -- the newest that was fired
    fired BIGINT NOT NULL DEFAULT 0, missed BIGINT NOT NULL DEFAULT 0,
    created TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    UNIQUE (trigger_ref, params));

-- Everything that live timers were to fire until `done` is in, or counted as missed.
CREATE TABLE timer_progress (
    only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    done TIMESTAMPTZ NOT NULL);
INSERT INTO timer_progress (done) VALUES (NOW());
