CREATE TABLE project (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL
);
CREATE TABLE project_problem (
  project_id TEXT NOT NULL REFERENCES project (id),
  version BIGINT NOT NULL,
  statement TEXT NOT NULL,
  target TEXT NOT NULL,
  owner TEXT NOT NULL,
  kpis TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  PRIMARY KEY (project_id, version)
);
