CREATE TABLE notice_channel (
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  settings TEXT NOT NULL,
  severity_min BIGINT NOT NULL,
  created_us BIGINT NOT NULL,
  changed_us BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  PRIMARY KEY (project, name)
);

CREATE TABLE notice (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  project TEXT NOT NULL,
  kind TEXT NOT NULL,
  severity BIGINT NOT NULL,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  dedupe_key TEXT,
  links TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_us BIGINT NOT NULL
);
CREATE UNIQUE INDEX notice_dedupe ON notice (project, dedupe_key);
CREATE INDEX notice_project ON notice (project, sequence);

-- One per notice and channel. The channel stands by its name: one that was removed and added again
-- can be given what it missed.
CREATE TABLE notice_delivery (
  notice BIGINT NOT NULL REFERENCES notice (sequence),
  project TEXT NOT NULL,
  channel TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  next_us BIGINT NOT NULL,
  error TEXT NOT NULL,
  answer TEXT NOT NULL,
  changed_us BIGINT NOT NULL,
  PRIMARY KEY (notice, channel)
);
CREATE INDEX notice_delivery_due ON notice_delivery (project, channel, state, next_us);
