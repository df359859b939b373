-- How far the program of a sensor or an action is confined, and what it may take. NULL is the default: process for a sensor,
-- none for an action.

ALTER TABLE sensor ADD COLUMN sandbox TEXT CHECK (sandbox IN ('none', 'process', 'namespace', 'strict'));
ALTER TABLE action ADD COLUMN sandbox TEXT CHECK (sandbox IN ('none', 'process', 'namespace', 'strict'));
ALTER TABLE action ADD COLUMN limits JSONB NOT NULL DEFAULT '{}';

COMMENT ON COLUMN sensor.sandbox IS 'none | process | namespace | strict; NULL: process';
COMMENT ON COLUMN action.sandbox IS 'none | process | namespace | strict; NULL: none';
COMMENT ON COLUMN sensor.limits IS '{memory, cpu_seconds, processes, open_files, file_size, output}; sizes are bytes or texts like 256M';
COMMENT ON COLUMN action.limits IS '{memory, cpu_seconds, processes, open_files, file_size, output}; sizes are bytes or texts like 256M';
