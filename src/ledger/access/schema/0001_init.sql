CREATE TABLE access_user (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  disabled BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL
);
CREATE TABLE access_grant (
  user_id TEXT NOT NULL REFERENCES access_user (id),
  project TEXT NOT NULL,
  role TEXT NOT NULL,
  granted_by TEXT NOT NULL,
  granted_us BIGINT NOT NULL,
  PRIMARY KEY (user_id, project, role)
);
CREATE TABLE access_token (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  scopes TEXT NOT NULL,
  project TEXT NOT NULL,
  run_id TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  last_used_us BIGINT NOT NULL,
  revoked_us BIGINT NOT NULL
);
CREATE INDEX access_token_live ON access_token (revoked_us, expires_us);
CREATE TABLE access_setup (
  hash TEXT NOT NULL PRIMARY KEY,
  expires_us BIGINT NOT NULL,
  used_us BIGINT NOT NULL
);
