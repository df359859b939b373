-- A pack has a schema of its own, by which its configuration is masked; what evaluates that can die of it, too.

ALTER TABLE fuse DROP CONSTRAINT fuse_noun_check;
ALTER TABLE fuse ADD CONSTRAINT fuse_noun_check CHECK (noun IN ('pack', 'trigger', 'sensor', 'action', 'rule'));

-- A thing is evaluated in several ways. That one of them came to its end says nothing of the others.

ALTER TABLE fuse ADD COLUMN part TEXT NOT NULL DEFAULT 'whole';
COMMENT ON COLUMN fuse.part IS 'whole | check | match | render | instants | mask: what of it was evaluated when a process last died';

DROP FUNCTION count_death(TEXT, BIGINT, BIGINT, BOOLEAN);
-- Counts one death. Returns the reason when it was the second. Chance begins anew.
CREATE FUNCTION count_death(of_noun TEXT, of_thing BIGINT, of_version BIGINT, of_part TEXT, is_chance BOOLEAN)
RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
    name TEXT;
    counted INTEGER;
    why TEXT;
BEGIN
    EXECUTE format('SELECT ref FROM %I WHERE id = $1 AND config_version = $2', of_noun) INTO name USING of_thing, of_version;
    IF name IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO fuse AS f (noun, thing, version, part, deaths) VALUES (of_noun, of_thing, of_version, of_part, 1)
    ON CONFLICT (noun, thing) DO UPDATE SET version = of_version, part = of_part, last_death = clock_timestamp(), reason = NULL,
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
