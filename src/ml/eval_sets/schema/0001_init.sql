CREATE TABLE eval_sets_set (
  id TEXT NOT NULL PRIMARY KEY,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  fields TEXT NOT NULL,
  record_count BIGINT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  updated_by TEXT NOT NULL
);
CREATE INDEX eval_sets_set_by_time ON eval_sets_set (project, created_us, id);

CREATE TABLE eval_sets_tag (
  set_id TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (set_id, name)
) CLUSTERED;

CREATE TABLE eval_sets_experiment (
  set_id TEXT NOT NULL,
  experiment BIGINT NOT NULL,
  PRIMARY KEY (set_id, experiment)
) CLUSTERED;

-- One record for the same inputs (`hash`). Texts are JSON; empty = not given.
CREATE TABLE eval_sets_record (
  set_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  id TEXT NOT NULL,
  inputs TEXT NOT NULL,
  outputs TEXT NOT NULL,
  expectations TEXT NOT NULL,
  tags TEXT NOT NULL,
  source TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  updated_by TEXT NOT NULL,
  PRIMARY KEY (set_id, hash)
);
CREATE INDEX eval_sets_record_by_time ON eval_sets_record (set_id, created_us, id);
