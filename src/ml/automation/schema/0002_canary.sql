CREATE TABLE automation_canary (
  id TEXT NOT NULL PRIMARY KEY,
  release_key TEXT NOT NULL UNIQUE,
  project TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  plan TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  step BIGINT NOT NULL,
  step_us BIGINT NOT NULL,
  base TEXT NOT NULL,
  history TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  ended_us BIGINT NOT NULL
);
CREATE INDEX automation_canary_open ON automation_canary (state);
