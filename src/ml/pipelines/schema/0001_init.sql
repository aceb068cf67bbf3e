CREATE TABLE pipeline_version (
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  noun TEXT NOT NULL CHECK (noun IN ('pipeline', 'component')),
  digest TEXT NOT NULL,
  source TEXT NOT NULL,
  description TEXT NOT NULL,
  steps BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  PRIMARY KEY (project, name, version)
);
CREATE UNIQUE INDEX pipeline_version_by_digest ON pipeline_version (project, name, digest);
CREATE TABLE pipeline_run (
  id TEXT NOT NULL PRIMARY KEY,
  project TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  version BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'cancelled')),
  reason TEXT NOT NULL,
  params TEXT NOT NULL,
  outputs TEXT NOT NULL,
  plan TEXT NOT NULL,
  triggered_by TEXT NOT NULL,
  start_key TEXT,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  ended_us BIGINT NOT NULL,
  cpu_us BIGINT NOT NULL,
  cancel_asked BIGINT NOT NULL,
  retries BIGINT NOT NULL
);
CREATE UNIQUE INDEX pipeline_run_by_key ON pipeline_run (start_key);
CREATE INDEX pipeline_run_by_project ON pipeline_run (project, created_us);
CREATE INDEX pipeline_run_by_time ON pipeline_run (created_us);
CREATE INDEX pipeline_run_by_state ON pipeline_run (state, created_us);
CREATE INDEX pipeline_run_by_pipeline ON pipeline_run (project, pipeline, created_us);
CREATE TABLE pipeline_task (
  run_id TEXT NOT NULL REFERENCES pipeline_run (id),
  step BIGINT NOT NULL,
  item BIGINT NOT NULL,
  value TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  losses BIGINT NOT NULL,
  ready_us BIGINT NOT NULL,
  outputs TEXT NOT NULL,
  cache_key TEXT NOT NULL,
  cached_from TEXT NOT NULL,
  started_us BIGINT NOT NULL,
  ended_us BIGINT NOT NULL,
  cpu_us BIGINT NOT NULL,
  memory_bytes_peak BIGINT NOT NULL,
  PRIMARY KEY (run_id, step, item)
);
CREATE TABLE pipeline_attempt (
  run_id TEXT NOT NULL REFERENCES pipeline_run (id),
  step BIGINT NOT NULL,
  item BIGINT NOT NULL,
  number BIGINT NOT NULL,
  nonce TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  reference TEXT NOT NULL,
  exit_code BIGINT NOT NULL,
  started_us BIGINT NOT NULL,
  ended_us BIGINT NOT NULL,
  cpu_us BIGINT NOT NULL,
  memory_bytes_peak BIGINT NOT NULL,
  PRIMARY KEY (run_id, step, item, number)
);
CREATE TABLE pipeline_cache (
  project TEXT NOT NULL,
  cache_key TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  step TEXT NOT NULL,
  run_id TEXT NOT NULL,
  outputs TEXT NOT NULL,
  parts TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  PRIMARY KEY (project, cache_key)
);
CREATE INDEX pipeline_cache_by_step ON pipeline_cache (project, pipeline, step, created_us);
