CREATE TABLE secret (
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  key_id TEXT NOT NULL,
  wrapped_key BLOB NOT NULL,
  sealed_value BLOB NOT NULL,
  created_us BIGINT NOT NULL,
  changed_us BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  PRIMARY KEY (project, name)
);
