-- `title`: what people call a model, any text, unique in its project; `name`: the same where our rule
-- for names lets it be, else made of it.
ALTER TABLE registry_model ADD COLUMN title TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_model ADD COLUMN updated_us BIGINT NOT NULL DEFAULT 0;
UPDATE registry_model SET title = name, updated_us = created_us;
CREATE UNIQUE INDEX registry_model_by_title ON registry_model (project, title);
CREATE INDEX registry_model_by_update ON registry_model (project, updated_us);

-- Names that a model had before: what was written down with them goes on finding it.
CREATE TABLE registry_former_name (
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  model_id TEXT NOT NULL REFERENCES registry_model (id),
  PRIMARY KEY (project, name)
);
CREATE INDEX registry_former_name_by_model ON registry_former_name (model_id);

CREATE TABLE registry_model_tag (
  model_id TEXT NOT NULL REFERENCES registry_model (id),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_id, name)
);

-- Versions that others logged have no package of ours: `source` says where their files are, as it was
-- given; `location` what that comes to, where it names another version or a logged model.
ALTER TABLE registry_version ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_version ADD COLUMN location TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_version ADD COLUMN run_link TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_version ADD COLUMN logged_model TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_version ADD COLUMN flavors TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_version ADD COLUMN stage TEXT NOT NULL DEFAULT 'none';
ALTER TABLE registry_version ADD COLUMN updated_us BIGINT NOT NULL DEFAULT 0;
UPDATE registry_version SET updated_us = created_us;
CREATE INDEX registry_version_by_stage ON registry_version (model_id, stage, version);
CREATE INDEX registry_version_by_update ON registry_version (updated_us);

CREATE TABLE registry_version_tag (
  version_id TEXT NOT NULL REFERENCES registry_version (id),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (version_id, name)
);
