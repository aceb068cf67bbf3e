CREATE TABLE serving_endpoint (
  id TEXT NOT NULL PRIMARY KEY,
  project TEXT NOT NULL,
  name TEXT NOT NULL UNIQUE,
  follows TEXT NOT NULL,
  deployment_id TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL
);
CREATE INDEX serving_endpoint_project ON serving_endpoint (project, name);

CREATE TABLE serving_deployment (
  id TEXT NOT NULL PRIMARY KEY,
  endpoint_id TEXT NOT NULL REFERENCES serving_endpoint (id),
  number INTEGER NOT NULL,
  model_version_id TEXT NOT NULL,
  model TEXT NOT NULL,
  reference TEXT NOT NULL,
  package_digest TEXT NOT NULL,
  package_bytes BIGINT NOT NULL,
  basis TEXT NOT NULL,
  reason TEXT NOT NULL,
  deployed_by TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  UNIQUE (endpoint_id, number)
);
