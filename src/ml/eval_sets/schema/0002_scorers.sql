-- Versions are numbered from 1 and never given twice while their scorer is there.
CREATE TABLE eval_sets_scorer (
  id TEXT NOT NULL PRIMARY KEY,
  project TEXT NOT NULL,
  experiment BIGINT NOT NULL,
  name TEXT NOT NULL,
  newest BIGINT NOT NULL,
  UNIQUE (project, experiment, name)
);
CREATE TABLE eval_sets_scorer_version (
  scorer TEXT NOT NULL,
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  PRIMARY KEY (scorer, version)
);
