-- What a file has declared of a project and `gyre apply` has brought about.
CREATE TABLE project_declaration (
  project_id TEXT NOT NULL REFERENCES project (id),
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  made BIGINT NOT NULL,
  spec TEXT NOT NULL,
  applied_by TEXT NOT NULL,
  applied_us BIGINT NOT NULL,
  PRIMARY KEY (project_id, kind, name)
);
