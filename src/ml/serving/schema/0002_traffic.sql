-- Empty: what the endpoint itself was deployed as. Else the variant that ran it.
ALTER TABLE serving_deployment ADD COLUMN variant TEXT NOT NULL DEFAULT '';
-- What keeps a caller on one variant: "header:X-User", "column:customer", "member:session".
ALTER TABLE serving_endpoint ADD COLUMN sticky TEXT NOT NULL DEFAULT '';
-- 0: never.
ALTER TABLE serving_endpoint ADD COLUMN park_after_us BIGINT NOT NULL DEFAULT 0;

-- What answers beside the deployment that the endpoint points at, which has the rest.
CREATE TABLE serving_variant (
  endpoint_id TEXT NOT NULL REFERENCES serving_endpoint (id),
  name TEXT NOT NULL,
  deployment_id TEXT NOT NULL REFERENCES serving_deployment (id),
  share REAL NOT NULL,
  shadow INTEGER NOT NULL,
  PRIMARY KEY (endpoint_id, name)
);
