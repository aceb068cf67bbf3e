-- Places in the tail of a run are given once: `newest` is the last whose batch went into segments.
CREATE TABLE tracking_metric_moved (
  run BIGINT NOT NULL PRIMARY KEY,
  newest BIGINT NOT NULL
);
-- A segment holds its key's points of all batches up to `through`, though their tail is still there.
ALTER TABLE tracking_metric_segment ADD COLUMN through BIGINT NOT NULL DEFAULT 0;
-- Runs whose latest values are to be taken from all their points anew: places were given twice before,
-- and what was logged in such a one might be missing.
CREATE TABLE tracking_metric_recount (
  run BIGINT NOT NULL PRIMARY KEY
);
INSERT INTO tracking_metric_recount (run) SELECT DISTINCT run FROM tracking_metric_segment;
