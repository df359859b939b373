-- How a runtime runs its code, by data, and the names people call it by.

ALTER TABLE runtime ADD COLUMN execution JSONB NOT NULL DEFAULT '{}';
ALTER TABLE runtime ADD COLUMN aliases TEXT[] NOT NULL DEFAULT '{}';

UPDATE runtime SET aliases = '{node}' WHERE ref = 'core.nodejs';
UPDATE runtime SET aliases = '{python3}' WHERE ref = 'core.python';
UPDATE runtime SET aliases = '{bash,sh}', execution = '{"binary": ["bash", "sh"]}' WHERE ref = 'core.shell';
UPDATE runtime SET execution = '{"roles": ["sensor"]}' WHERE ref = 'core.sensor.builtin';
