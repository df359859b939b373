-- A sensor that asks to be polled more often than this is polled as often as this; a load refuses it.
COMMENT ON COLUMN sensor.poll_interval IS 'Seconds; NULL: the default of the service. Less than 0.1 counts as 0.1';
