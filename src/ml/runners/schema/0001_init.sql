CREATE TABLE job (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  project TEXT NOT NULL,
  title TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted')),
  input TEXT NOT NULL,
  result TEXT NOT NULL,
  progress REAL NOT NULL,
  progress_text TEXT NOT NULL,
  error TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  started_us BIGINT NOT NULL,
  ended_us BIGINT NOT NULL,
  cpu_slots REAL NOT NULL,
  memory_bytes BIGINT NOT NULL,
  cpu_seconds REAL NOT NULL,
  memory_bytes_peak BIGINT NOT NULL
);
CREATE INDEX job_by_project ON job (project, created_us);
CREATE INDEX job_by_time ON job (created_us);
CREATE INDEX job_unfinished ON job (state, created_us);
