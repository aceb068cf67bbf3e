-- The graph that the version means for ever: components are in it, pipelines that it runs have their
-- numbers. Empty: of a server before this; it is made when the next one begins.
ALTER TABLE pipeline_version ADD COLUMN plan TEXT NOT NULL DEFAULT '';

-- A number stands for one source for ever, also after that was removed.
CREATE TABLE pipeline_number (
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  newest BIGINT NOT NULL,
  PRIMARY KEY (project, name)
);
INSERT INTO pipeline_number (project, name, newest)
SELECT project, name, MAX(version) FROM (
  SELECT project, name, version FROM pipeline_version
  UNION ALL SELECT project, pipeline, version FROM pipeline_run) AS known
GROUP BY project, name;

-- Which versions a version uses or runs.
CREATE TABLE pipeline_part (
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  part TEXT NOT NULL,
  part_version BIGINT NOT NULL,
  PRIMARY KEY (project, name, version, part, part_version)
);
CREATE INDEX pipeline_part_users ON pipeline_part (project, part, part_version);
