-- What a chart needs of a segment: `whole` of all of it, `blocks` of every 256 points. A segment without
-- a row here is read itself.
CREATE TABLE tracking_metric_block (
  run BIGINT NOT NULL,
  name BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  whole BLOB NOT NULL,
  blocks BLOB NOT NULL,
  PRIMARY KEY (run, name, sequence)
) CLUSTERED;
