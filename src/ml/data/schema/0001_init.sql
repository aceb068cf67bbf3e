CREATE TABLE dataset (
  id TEXT PRIMARY KEY,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  number_latest BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  UNIQUE (project, name)
);

CREATE TABLE dataset_version (
  id TEXT PRIMARY KEY,
  dataset_id TEXT NOT NULL REFERENCES dataset (id),
  number BIGINT NOT NULL,
  content_hash TEXT NOT NULL,
  source_key TEXT NOT NULL,
  source_name TEXT NOT NULL,
  source_bytes BIGINT NOT NULL,
  format TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  schema_json TEXT NOT NULL,
  notes_json TEXT NOT NULL,
  warnings_json TEXT NOT NULL,
  check_json TEXT NOT NULL,
  profile_digest TEXT NOT NULL,
  merged_digest TEXT NOT NULL,
  merged_bytes BIGINT NOT NULL,
  quarantine_digest TEXT NOT NULL,
  quarantine_rows BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  UNIQUE (dataset_id, number)
);
CREATE INDEX dataset_version_content ON dataset_version (dataset_id, content_hash);
CREATE INDEX dataset_version_source ON dataset_version (dataset_id, source_key);

CREATE TABLE dataset_part (
  version_id TEXT NOT NULL REFERENCES dataset_version (id),
  position BIGINT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  PRIMARY KEY (version_id, position)
);

CREATE TABLE dataset_tag (
  version_id TEXT NOT NULL REFERENCES dataset_version (id),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (version_id, name)
);

-- Suites are kept: the newest is in force, a check names the one that it used.
CREATE TABLE dataset_suite (
  dataset_id TEXT NOT NULL REFERENCES dataset (id),
  number BIGINT NOT NULL,
  suite_json TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  PRIMARY KEY (dataset_id, number)
);
