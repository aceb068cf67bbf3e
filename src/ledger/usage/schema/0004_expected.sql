-- What a job or a run was expected to use when it began.
CREATE TABLE usage_expected (
  subject_id TEXT NOT NULL PRIMARY KEY,
  at_us BIGINT NOT NULL,
  cpu_us BIGINT NOT NULL,
  memory_mib_ms BIGINT NOT NULL,
  measured BIGINT NOT NULL,
  how TEXT NOT NULL
);
