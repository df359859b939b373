-- How late a sensor's last poll started, in milliseconds after it was due.

ALTER TABLE sensor_state ADD COLUMN lateness_ms BIGINT;

-- Rows are written again and again, each time with a column or two changed: room on the page keeps that out of the indexes.
ALTER TABLE sensor_state SET (fillfactor = 50);
