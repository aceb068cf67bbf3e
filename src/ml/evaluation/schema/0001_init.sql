CREATE TABLE evaluation_record (
  id TEXT NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,
  project TEXT NOT NULL,
  model_version_id TEXT NOT NULL,
  other_version_id TEXT NOT NULL,
  dataset_version_id TEXT NOT NULL,
  row_choice TEXT NOT NULL,
  primary_metric TEXT NOT NULL,
  metrics TEXT NOT NULL,
  document_digest TEXT NOT NULL,
  document_bytes BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL
);
CREATE INDEX evaluation_record_by_model ON evaluation_record (model_version_id, number);
CREATE INDEX evaluation_record_by_project ON evaluation_record (project, number);
