-- How many events a minute a trigger takes, a sensor brings and a rule acts on; null: any number.

ALTER TABLE trigger ADD COLUMN max_per_minute INTEGER CHECK (max_per_minute > 0);
ALTER TABLE sensor ADD COLUMN max_per_minute INTEGER CHECK (max_per_minute > 0);
ALTER TABLE rule ADD COLUMN max_per_minute INTEGER CHECK (max_per_minute > 0);

-- What is, or was, held because it was more. Not in the things' own rows: those are configuration, and this changes nothing of it.
CREATE TABLE held (
    kind TEXT NOT NULL CHECK (kind IN ('trigger', 'sensor', 'rule')), thing BIGINT NOT NULL,
    since TIMESTAMPTZ NOT NULL, until TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (kind, thing));
