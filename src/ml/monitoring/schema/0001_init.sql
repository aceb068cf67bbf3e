CREATE TABLE monitoring_monitor (
  id TEXT NOT NULL PRIMARY KEY,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  spec_json TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  cursor_us BIGINT NOT NULL,
  counts_json TEXT NOT NULL,
  looked_json TEXT NOT NULL,
  problem TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  UNIQUE (project, name)
);
CREATE INDEX monitoring_monitor_endpoint ON monitoring_monitor (project, endpoint);

CREATE TABLE monitoring_window (
  id TEXT NOT NULL PRIMARY KEY,
  monitor_id TEXT NOT NULL REFERENCES monitoring_monitor (id),
  number INTEGER NOT NULL,
  begin_us BIGINT NOT NULL,
  end_us BIGINT NOT NULL,
  state TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  labelled BIGINT NOT NULL,
  revision INTEGER NOT NULL,
  document_json TEXT NOT NULL,
  computed_us BIGINT NOT NULL,
  UNIQUE (monitor_id, begin_us),
  UNIQUE (monitor_id, number)
);

CREATE TABLE monitoring_revision (
  window_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  document_json TEXT NOT NULL,
  computed_us BIGINT NOT NULL,
  PRIMARY KEY (window_id, revision)
);

CREATE TABLE monitoring_observed (
  window_id TEXT NOT NULL,
  signal TEXT NOT NULL,
  PRIMARY KEY (window_id, signal)
);

CREATE TABLE monitoring_alert (
  id TEXT NOT NULL PRIMARY KEY,
  monitor_id TEXT NOT NULL REFERENCES monitoring_monitor (id),
  project TEXT NOT NULL,
  monitor TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  signal TEXT NOT NULL,
  phase TEXT NOT NULL,
  state_json TEXT NOT NULL,
  what TEXT NOT NULL,
  columns_json TEXT NOT NULL,
  model TEXT NOT NULL,
  model_version_id TEXT NOT NULL,
  window_id TEXT NOT NULL,
  window_number INTEGER NOT NULL,
  incident_id TEXT NOT NULL,
  changes INTEGER NOT NULL,
  updated_us BIGINT NOT NULL
);
CREATE INDEX monitoring_alert_project ON monitoring_alert (project, phase, updated_us);
CREATE INDEX monitoring_alert_monitor ON monitoring_alert (monitor_id);

CREATE TABLE monitoring_alert_change (
  alert_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  window_id TEXT NOT NULL,
  from_phase TEXT NOT NULL,
  to_phase TEXT NOT NULL,
  reason TEXT NOT NULL,
  mute TEXT NOT NULL,
  told INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  data_us BIGINT NOT NULL,
  changed_us BIGINT NOT NULL,
  PRIMARY KEY (alert_id, number)
);
