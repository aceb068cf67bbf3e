-- What was done to an endpoint, for whoever asks after a restart: the newest entries of each.
CREATE TABLE serving_log (
  endpoint_id TEXT NOT NULL REFERENCES serving_endpoint (id),
  number INTEGER NOT NULL,
  at_us BIGINT NOT NULL,
  variant TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (endpoint_id, number)
);
