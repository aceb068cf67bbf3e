-- The numbers that a model's name has given out, also when the model is gone: the next one of that
-- name goes on from there.
CREATE TABLE registry_number (
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  newest BIGINT NOT NULL,
  PRIMARY KEY (project, name)
);
