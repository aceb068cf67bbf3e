-- Runs by the hundred thousand: rows that stand by the million name their run, experiment and key by
-- number, and are kept in the order in which they are read.

-- Names of params, tags and metrics, each once.
CREATE TABLE tracking_name (
  id BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
INSERT INTO tracking_name (id, name)
  SELECT ROW_NUMBER() OVER (ORDER BY key), key FROM (
    SELECT key FROM tracking_param UNION SELECT key FROM tracking_tag
    UNION SELECT key FROM tracking_metric_latest) AS keys;

-- Numbers are given once, also when what had them is in the trash.
CREATE TABLE tracking_counter (
  noun TEXT NOT NULL PRIMARY KEY,
  newest BIGINT NOT NULL
);

-- `title`: what people call it, any text; `name`: the same, or what our rule for names makes of it.
-- `artifact_root`: empty = ours.
ALTER TABLE tracking_experiment ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tracking_experiment ADD COLUMN title TEXT NOT NULL DEFAULT '';
ALTER TABLE tracking_experiment ADD COLUMN artifact_root TEXT NOT NULL DEFAULT '';
ALTER TABLE tracking_experiment ADD COLUMN updated_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tracking_experiment ADD COLUMN deleted_us BIGINT NOT NULL DEFAULT 0;
UPDATE tracking_experiment SET title = name, updated_us = created_us, number = (
  SELECT COUNT(*) FROM tracking_experiment e
  WHERE e.created_us < tracking_experiment.created_us
     OR (e.created_us = tracking_experiment.created_us AND e.id <= tracking_experiment.id));
CREATE UNIQUE INDEX tracking_experiment_by_number ON tracking_experiment (number);
CREATE UNIQUE INDEX tracking_experiment_by_title ON tracking_experiment (project, title);
CREATE INDEX tracking_experiment_by_time ON tracking_experiment (project, deleted_us, created_us);
INSERT INTO tracking_counter (noun, newest)
  SELECT 'experiment', COALESCE(MAX(number), 0) FROM tracking_experiment;

CREATE TABLE tracking_experiment_tag (
  experiment BIGINT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (experiment, name)
) CLUSTERED;

-- `user_name`: who the client says it is; `created_by`: who the server knows it is. `deleted_us`:
-- left out of lists, and restored by one call, as the protocols of others have it; what is in the
-- trash has no row here.
CREATE TABLE tracking_run_new (
  number BIGINT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  project TEXT NOT NULL,
  experiment BIGINT NOT NULL REFERENCES tracking_experiment (number),
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  job TEXT NOT NULL,
  parent TEXT NOT NULL,
  created_by TEXT NOT NULL,
  user_name TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL CHECK (status IN ('scheduled', 'running', 'finished', 'failed', 'killed')),
  seed TEXT NOT NULL,
  error TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  started_us BIGINT NOT NULL,
  ended_us BIGINT NOT NULL,
  deleted_us BIGINT NOT NULL DEFAULT 0,
  artifact_root TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL,
  code TEXT NOT NULL,
  inputs TEXT NOT NULL,
  environment TEXT NOT NULL,
  resources TEXT NOT NULL
);
INSERT INTO tracking_run_new (number, id, project, experiment, name, kind, job, parent, created_by,
    status, seed, error, created_us, started_us, ended_us, source, code, inputs, environment, resources)
  SELECT r.number, r.id, r.project, e.number, r.name, r.kind, r.job, r.parent, r.created_by,
    r.status, r.seed, r.error, r.created_us, r.started_us, r.ended_us, r.source, r.code, r.inputs,
    r.environment, r.resources
  FROM tracking_run r JOIN tracking_experiment e ON e.id = r.experiment_id;
INSERT INTO tracking_counter (noun, newest) SELECT 'run', COALESCE(MAX(number), 0) FROM tracking_run;

CREATE TABLE tracking_run_param (
  run BIGINT NOT NULL,
  name BIGINT NOT NULL,
  experiment BIGINT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, name)
) CLUSTERED;
INSERT INTO tracking_run_param (run, name, experiment, value)
  SELECT r.number, n.id, r.experiment, p.value FROM tracking_param p
  JOIN tracking_run_new r ON r.id = p.run_id JOIN tracking_name n ON n.name = p.key;
CREATE INDEX tracking_run_param_by_value
  ON tracking_run_param (experiment, name, substr(value, 1, 64));

CREATE TABLE tracking_run_tag (
  run BIGINT NOT NULL,
  name BIGINT NOT NULL,
  experiment BIGINT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, name)
) CLUSTERED;
INSERT INTO tracking_run_tag (run, name, experiment, value)
  SELECT r.number, n.id, r.experiment, t.value FROM tracking_tag t
  JOIN tracking_run_new r ON r.id = t.run_id JOIN tracking_name n ON n.name = t.key;
CREATE INDEX tracking_run_tag_by_value ON tracking_run_tag (experiment, name, substr(value, 1, 64));

-- The last point of each key; NULL = NaN. `least` and `most` are of the points that are numbers.
CREATE TABLE tracking_metric (
  run BIGINT NOT NULL,
  name BIGINT NOT NULL,
  experiment BIGINT NOT NULL,
  value REAL,
  step BIGINT NOT NULL,
  time_us BIGINT NOT NULL,
  points BIGINT NOT NULL,
  least REAL,
  most REAL,
  PRIMARY KEY (run, name)
) CLUSTERED;
INSERT INTO tracking_metric (run, name, experiment, value, step, time_us, points, least, most)
  SELECT r.number, n.id, r.experiment, m.value, m.step, m.time_us, m.points, m.value, m.value
  FROM tracking_metric_latest m
  JOIN tracking_run_new r ON r.id = m.run_id JOIN tracking_name n ON n.name = m.key;
CREATE INDEX tracking_metric_of_value ON tracking_metric (experiment, name, value);

-- Points as they came, of all keys of a batch; compaction moves them into segments of one key.
CREATE TABLE tracking_metric_tail (
  run BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  points BLOB NOT NULL,
  PRIMARY KEY (run, sequence)
) CLUSTERED;
INSERT INTO tracking_metric_tail (run, sequence, points)
  SELECT r.number, b.number, b.points FROM tracking_metric_batch b
  JOIN tracking_run_new r ON r.id = b.run_id;
-- Runs whose latest values (tracking_metric) lack the batches of their tail from `first` on.
CREATE TABLE tracking_metric_unsettled (
  run BIGINT NOT NULL PRIMARY KEY,
  first BIGINT NOT NULL
);
CREATE TABLE tracking_metric_segment (
  run BIGINT NOT NULL,
  name BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  first_step BIGINT NOT NULL,
  last_step BIGINT NOT NULL,
  point_count BIGINT NOT NULL,
  least REAL,
  most REAL,
  points BLOB NOT NULL,
  PRIMARY KEY (run, name, sequence)
);

-- Data sets that a client names: what it says of them, and which runs read them.
CREATE TABLE tracking_dataset (
  number BIGINT NOT NULL PRIMARY KEY,
  experiment BIGINT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source TEXT NOT NULL,
  schema_text TEXT NOT NULL,
  profile TEXT NOT NULL,
  UNIQUE (experiment, name, digest)
);
CREATE TABLE tracking_run_dataset (
  run BIGINT NOT NULL,
  dataset BIGINT NOT NULL,
  context TEXT NOT NULL,
  tags TEXT NOT NULL,
  PRIMARY KEY (run, dataset)
) CLUSTERED;
CREATE INDEX tracking_run_dataset_by_dataset ON tracking_run_dataset (dataset, run);

-- Files of a run (owner: its id) and of what else holds files.
CREATE TABLE tracking_file (
  owner TEXT NOT NULL,
  path TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  media_type TEXT NOT NULL,
  PRIMARY KEY (owner, path)
) CLUSTERED;
INSERT INTO tracking_file (owner, path, digest, size_bytes, media_type)
  SELECT run_id, path, digest, size_bytes, media_type FROM tracking_artifact;

CREATE TABLE tracking_run_output (
  run_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (run_id, kind, id)
) CLUSTERED;
INSERT INTO tracking_run_output (run_id, kind, id, name)
  SELECT run_id, kind, id, name FROM tracking_output;
CREATE INDEX tracking_run_output_by_id ON tracking_run_output (id);

DROP TABLE tracking_param;
DROP TABLE tracking_tag;
DROP TABLE tracking_metric_latest;
DROP TABLE tracking_metric_batch;
DROP TABLE tracking_artifact;
DROP TABLE tracking_output;
DROP TABLE tracking_run;
ALTER TABLE tracking_run_new RENAME TO tracking_run;
CREATE INDEX tracking_run_by_project ON tracking_run (project, number);
CREATE INDEX tracking_run_by_time ON tracking_run (experiment, deleted_us, started_us, id);
CREATE INDEX tracking_run_by_name ON tracking_run (project, name);
CREATE INDEX tracking_run_by_job ON tracking_run (job) WHERE job <> '';
CREATE INDEX tracking_run_by_parent ON tracking_run (parent) WHERE parent <> '';
CREATE INDEX tracking_run_at_work ON tracking_run (status) WHERE status IN ('scheduled', 'running');
