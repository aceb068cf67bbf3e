CREATE TABLE automation_trigger (
  id TEXT NOT NULL PRIMARY KEY,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  spec TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  UNIQUE (project, name)
);
CREATE TABLE automation_firing (
  id TEXT NOT NULL PRIMARY KEY,
  trigger_id TEXT NOT NULL REFERENCES automation_trigger (id),
  occurrence_key TEXT NOT NULL,
  cause TEXT NOT NULL,
  subject TEXT NOT NULL,
  source_id TEXT NOT NULL,
  text TEXT NOT NULL,
  fired_by TEXT NOT NULL,
  state TEXT NOT NULL,
  guard TEXT NOT NULL,
  reason TEXT NOT NULL,
  checks TEXT NOT NULL,
  run_id TEXT NOT NULL,
  approved_by TEXT NOT NULL,
  cpu_seconds REAL NOT NULL,
  created_us BIGINT NOT NULL,
  again_us BIGINT NOT NULL,
  started_us BIGINT NOT NULL,
  ended_us BIGINT NOT NULL,
  UNIQUE (trigger_id, occurrence_key)
);
CREATE INDEX automation_firing_open ON automation_firing (state, again_us);
CREATE INDEX automation_firing_recent ON automation_firing (trigger_id, created_us);
