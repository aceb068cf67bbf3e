CREATE TABLE tracking_experiment (
  id TEXT NOT NULL PRIMARY KEY,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  UNIQUE (project, name)
);

CREATE TABLE tracking_run (
  id TEXT NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,
  project TEXT NOT NULL,
  experiment_id TEXT NOT NULL REFERENCES tracking_experiment (id),
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  job TEXT NOT NULL,
  parent TEXT NOT NULL,
  created_by TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('scheduled', 'running', 'finished', 'failed', 'killed')),
  seed TEXT NOT NULL,
  error TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  started_us BIGINT NOT NULL,
  ended_us BIGINT NOT NULL,
  source TEXT NOT NULL,
  code TEXT NOT NULL,
  inputs TEXT NOT NULL,
  environment TEXT NOT NULL,
  resources TEXT NOT NULL
);
CREATE INDEX tracking_run_by_project ON tracking_run (project, number);
CREATE INDEX tracking_run_by_experiment ON tracking_run (experiment_id, number);
CREATE INDEX tracking_run_by_name ON tracking_run (project, name);
CREATE INDEX tracking_run_by_job ON tracking_run (job);
CREATE INDEX tracking_run_by_parent ON tracking_run (parent);
CREATE INDEX tracking_run_by_status ON tracking_run (status);

CREATE TABLE tracking_param (
  run_id TEXT NOT NULL REFERENCES tracking_run (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_id, key)
);

CREATE TABLE tracking_tag (
  run_id TEXT NOT NULL REFERENCES tracking_run (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_id, key)
);
CREATE INDEX tracking_tag_by_value ON tracking_tag (key, value);

CREATE TABLE tracking_metric_latest (
  run_id TEXT NOT NULL REFERENCES tracking_run (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value REAL,
  step BIGINT NOT NULL,
  time_us BIGINT NOT NULL,
  points BIGINT NOT NULL,
  PRIMARY KEY (run_id, key)
);
CREATE INDEX tracking_metric_by_value ON tracking_metric_latest (key, value);

CREATE TABLE tracking_metric_batch (
  run_id TEXT NOT NULL REFERENCES tracking_run (id) ON DELETE CASCADE,
  number BIGINT NOT NULL,
  points BLOB NOT NULL,
  PRIMARY KEY (run_id, number)
);

CREATE TABLE tracking_artifact (
  run_id TEXT NOT NULL REFERENCES tracking_run (id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  media_type TEXT NOT NULL,
  PRIMARY KEY (run_id, path)
);

CREATE TABLE tracking_output (
  run_id TEXT NOT NULL REFERENCES tracking_run (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (run_id, kind, id)
);
CREATE INDEX tracking_output_by_id ON tracking_output (id);
