-- Models and versions that have a tag are found by it.
CREATE INDEX registry_model_tag_by_value
  ON registry_model_tag (name, substr(value, 1, 64), model_id);
CREATE INDEX registry_version_tag_by_value
  ON registry_version_tag (name, substr(value, 1, 64), version_id);

-- The newest version of a stage, and the few that stand in one.
DROP INDEX registry_version_by_stage;
CREATE INDEX registry_version_newest ON registry_version (model_id, stage, version)
  WHERE deleted_us = 0;
CREATE INDEX registry_version_staged ON registry_version (model_id, stage, version)
  WHERE deleted_us = 0 AND stage <> 'none';
