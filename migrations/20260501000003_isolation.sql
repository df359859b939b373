-- Whether the code of a sensor or an action stays loaded in a host between its runs. NULL is the default: warm for a sensor
-- whose runtime has a host, a fresh process for an action.

ALTER TABLE sensor ADD COLUMN isolation TEXT CHECK (isolation IN ('warm', 'process'));
ALTER TABLE action ADD COLUMN isolation TEXT CHECK (isolation IN ('warm', 'process'));

COMMENT ON COLUMN sensor.isolation IS 'warm | process; NULL: warm when the runtime has a host. process: a fresh process for each poll';
COMMENT ON COLUMN action.isolation IS 'warm | process; NULL: process. warm: in a host that keeps its code loaded, when the runtime has one';
