CREATE TABLE registry_model (
  id TEXT NOT NULL PRIMARY KEY,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  last_version BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  deleted_us BIGINT NOT NULL,
  UNIQUE (project, name)
);

CREATE TABLE registry_version (
  id TEXT NOT NULL PRIMARY KEY,
  model_id TEXT NOT NULL REFERENCES registry_model (id),
  version BIGINT NOT NULL,
  package_digest TEXT NOT NULL,
  package_bytes BIGINT NOT NULL,
  run_id TEXT NOT NULL,
  recipe_hash TEXT NOT NULL,
  task TEXT NOT NULL,
  target TEXT NOT NULL,
  learner TEXT NOT NULL,
  metrics TEXT NOT NULL,
  signature TEXT NOT NULL,
  evaluation_id TEXT NOT NULL,
  notes TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  deleted_us BIGINT NOT NULL,
  UNIQUE (model_id, version)
);
CREATE INDEX registry_version_by_run ON registry_version (run_id, package_digest);
CREATE INDEX registry_version_by_package ON registry_version (package_digest);

CREATE TABLE registry_version_dataset (
  version_id TEXT NOT NULL REFERENCES registry_version (id),
  position BIGINT NOT NULL,
  dataset_version_id TEXT NOT NULL,
  role TEXT NOT NULL,
  PRIMARY KEY (version_id, position)
);
CREATE INDEX registry_version_dataset_by_dataset ON registry_version_dataset (dataset_version_id);

CREATE TABLE registry_attachment (
  version_id TEXT NOT NULL REFERENCES registry_version (id),
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  PRIMARY KEY (version_id, name)
);

CREATE TABLE registry_alias (
  model_id TEXT NOT NULL REFERENCES registry_model (id),
  alias TEXT NOT NULL,
  version_id TEXT NOT NULL REFERENCES registry_version (id),
  PRIMARY KEY (model_id, alias)
);
CREATE INDEX registry_alias_by_version ON registry_alias (version_id);

CREATE TABLE registry_alias_move (
  id TEXT NOT NULL PRIMARY KEY,
  model_id TEXT NOT NULL REFERENCES registry_model (id),
  sequence BIGINT NOT NULL,
  alias TEXT NOT NULL,
  version_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  previous_version_id TEXT NOT NULL,
  previous_version BIGINT NOT NULL,
  basis TEXT NOT NULL,
  verdict_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  moved_by TEXT NOT NULL,
  moved_us BIGINT NOT NULL,
  UNIQUE (model_id, sequence)
);
CREATE INDEX registry_alias_move_by_time ON registry_alias_move (model_id, alias, moved_us);

CREATE TABLE registry_verdict (
  id TEXT NOT NULL PRIMARY KEY,
  version_id TEXT NOT NULL REFERENCES registry_version (id),
  sequence BIGINT NOT NULL,
  alias TEXT NOT NULL,
  champion_id TEXT NOT NULL,
  evaluation_id TEXT NOT NULL,
  pass BIGINT NOT NULL,
  verdict TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  UNIQUE (version_id, sequence)
);

CREATE TABLE registry_approval (
  id TEXT NOT NULL PRIMARY KEY,
  version_id TEXT NOT NULL REFERENCES registry_version (id),
  sequence BIGINT NOT NULL,
  approver TEXT NOT NULL,
  approved BIGINT NOT NULL,
  comment TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  UNIQUE (version_id, sequence)
);

CREATE TABLE registry_policy (
  model_id TEXT NOT NULL REFERENCES registry_model (id),
  alias TEXT NOT NULL,
  approvals_min BIGINT NOT NULL,
  author_may_approve BIGINT NOT NULL,
  rules TEXT NOT NULL,
  updated_by TEXT NOT NULL,
  updated_us BIGINT NOT NULL,
  PRIMARY KEY (model_id, alias)
);
