CREATE TABLE inference_stream (
  id TEXT NOT NULL PRIMARY KEY,
  project TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  role TEXT NOT NULL,
  deployment_id TEXT NOT NULL,
  model TEXT NOT NULL,
  model_version_id TEXT NOT NULL,
  facts_json TEXT NOT NULL,
  created_us BIGINT NOT NULL
);
CREATE INDEX inference_stream_endpoint ON inference_stream (project, endpoint, created_us);

CREATE TABLE inference_segment (
  id TEXT NOT NULL PRIMARY KEY,
  stream_id TEXT NOT NULL REFERENCES inference_stream (id),
  project TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  event_min_us BIGINT NOT NULL,
  event_max_us BIGINT NOT NULL,
  received_max_us BIGINT NOT NULL,
  sealed_us BIGINT NOT NULL
);
CREATE INDEX inference_segment_time ON inference_segment (project, endpoint, event_min_us);
CREATE INDEX inference_segment_age ON inference_segment (received_max_us);
CREATE INDEX inference_segment_stream ON inference_segment (stream_id, row_count);

CREATE TABLE inference_label_batch (
  id TEXT NOT NULL PRIMARY KEY,
  project TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  received_us BIGINT NOT NULL
);
CREATE INDEX inference_label_batch_time ON inference_label_batch (project, endpoint, received_us);

CREATE TABLE inference_policy (
  project TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  policy_json TEXT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_us BIGINT NOT NULL,
  PRIMARY KEY (project, endpoint)
);

CREATE TABLE inference_count (
  project TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  name TEXT NOT NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (project, endpoint, name)
);
