-- What was being evaluated when a process died. The first death makes a thing a suspect, the second puts it aside: it has a reason
-- then, which is in force for as long as the thing is as it was. Whoever changes the thing takes it back into use.

CREATE TABLE fuse (
    noun TEXT NOT NULL CHECK (noun IN ('trigger', 'sensor', 'action', 'rule')),
    thing BIGINT NOT NULL,                          -- its id
    version BIGINT NOT NULL,                        -- its config_version: another one is another thing
    deaths INTEGER NOT NULL,
    last_death TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    reason TEXT,                                    -- why it is put aside; NULL: it is only suspected
    PRIMARY KEY (noun, thing));

-- Whoever has read the thing reads it again: it is written, and so is its version.
CREATE FUNCTION stamp_again(noun TEXT, thing BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    stamped BIGINT;
BEGIN
    EXECUTE format('UPDATE %I SET updated = updated WHERE id = $1 RETURNING config_version', noun) INTO stamped USING thing;
    RETURN stamped;
END $$;

-- Counts one death. Returns the reason when it was the second. Chance begins anew.
CREATE FUNCTION count_death(of_noun TEXT, of_thing BIGINT, of_version BIGINT, is_chance BOOLEAN) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
    name TEXT;
    counted INTEGER;
    why TEXT;
BEGIN
    EXECUTE format('SELECT ref FROM %I WHERE id = $1 AND config_version = $2', of_noun) INTO name USING of_thing, of_version;
    IF name IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO fuse AS f (noun, thing, version, deaths) VALUES (of_noun, of_thing, of_version, 1)
    ON CONFLICT (noun, thing) DO UPDATE SET version = of_version, last_death = clock_timestamp(), reason = NULL,
        deaths = CASE WHEN f.version = of_version AND NOT is_chance THEN f.deaths + 1 ELSE 1 END
    RETURNING deaths INTO counted;
    IF counted < 2 THEN
        RETURN NULL;
    END IF;
    why = format('it was put aside: Attune died %s times while it evaluated this %s; change it, or run `attune %s enable %s`, to use it again',
        counted, of_noun, of_noun, name);
    UPDATE fuse SET version = stamp_again(of_noun, of_thing), reason = why WHERE noun = of_noun AND thing = of_thing;
    INSERT INTO notice (trigger_ref, payload) VALUES ('core.put_aside', jsonb_build_object(
        'noun', of_noun, 'ref', name, 'deaths', counted, 'reason', why));
    RETURN why;
END $$;

-- Takes a thing back into use. Says whether it was put aside.
CREATE FUNCTION take_back(of_noun TEXT, name TEXT) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
DECLARE
    of_thing BIGINT;
BEGIN
    EXECUTE format('SELECT t.id FROM %I t JOIN fuse f ON f.noun = $1 AND f.thing = t.id AND f.version = t.config_version
                    WHERE t.ref = $2 AND f.reason IS NOT NULL', of_noun) INTO of_thing USING of_noun, name;
    IF of_thing IS NULL THEN
        RETURN FALSE;
    END IF;
    DELETE FROM fuse WHERE noun = of_noun AND thing = of_thing;
    PERFORM stamp_again(of_noun, of_thing);
    RETURN TRUE;
END $$;
