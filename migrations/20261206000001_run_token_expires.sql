-- The token of a poll is good for as long as the poll may take, and the next run of a sensor ends it: whether or not the
-- worker could remove it.
ALTER TABLE run_token ADD COLUMN expires TIMESTAMPTZ;
CREATE INDEX idx_run_token_sensor ON run_token(sensor) WHERE sensor IS NOT NULL;

COMMENT ON COLUMN run_token.expires IS 'From then on the token is not good; NULL: it is good for as long as its run';
