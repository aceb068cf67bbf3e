-- Models that clients log beside runs: what they are, and what was measured of them. Their files are in
-- tracking_file.
CREATE TABLE tracking_logged_model (
  id TEXT NOT NULL PRIMARY KEY,
  project TEXT NOT NULL,
  experiment BIGINT NOT NULL,
  run_id TEXT NOT NULL,
  name TEXT NOT NULL,
  model_type TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'ready', 'failed')),
  artifact_root TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  deleted_us BIGINT NOT NULL
);
CREATE INDEX tracking_logged_model_by_time
  ON tracking_logged_model (experiment, deleted_us, created_us, id);
CREATE INDEX tracking_logged_model_by_project ON tracking_logged_model (project);

CREATE TABLE tracking_logged_model_param (
  model TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, name)
) CLUSTERED;
CREATE TABLE tracking_logged_model_tag (
  model TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, name)
) CLUSTERED;
-- A few points a model: what it was judged by. NULL = NaN.
CREATE TABLE tracking_logged_model_metric (
  model TEXT NOT NULL,
  name TEXT NOT NULL,
  time_us BIGINT NOT NULL,
  step BIGINT NOT NULL,
  run_id TEXT NOT NULL,
  value REAL,
  dataset_name TEXT NOT NULL,
  dataset_digest TEXT NOT NULL,
  PRIMARY KEY (model, name, time_us, step, run_id)
) CLUSTERED;
