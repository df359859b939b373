-- How often a sensor failed in all; `failures` counts those in a row.

ALTER TABLE sensor_state ADD COLUMN errors BIGINT NOT NULL DEFAULT 0;
