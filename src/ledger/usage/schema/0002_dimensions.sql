-- Lines know who caused them and what they are a part of: a step of a pipeline's run.
CREATE TABLE usage_line (
  project TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  user_name TEXT NOT NULL,
  step TEXT NOT NULL,
  hour_us BIGINT NOT NULL,
  subject_label TEXT NOT NULL,
  run_id TEXT NOT NULL,
  run_label TEXT NOT NULL,
  cpu_us BIGINT NOT NULL,
  gpu_us BIGINT NOT NULL,
  memory_mib_ms BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  requests BIGINT NOT NULL,
  storage_byte_hours BIGINT NOT NULL,
  egress_bytes BIGINT NOT NULL,
  PRIMARY KEY (project, subject_kind, subject_id, user_name, step, hour_us)
);
INSERT INTO usage_line (project, subject_kind, subject_id, user_name, step, hour_us, subject_label,
  run_id, run_label, cpu_us, gpu_us, memory_mib_ms, bytes, requests, storage_byte_hours, egress_bytes)
SELECT project, subject_kind, subject_id, '', '', hour_us, subject_label, '', '', cpu_us, 0,
  memory_mib_ms, bytes, requests, 0, 0 FROM usage_hour;
DROP TABLE usage_hour;
CREATE INDEX usage_line_by_hour ON usage_line (hour_us);
CREATE INDEX usage_line_by_project ON usage_line (project, hour_us);
CREATE INDEX usage_line_by_subject ON usage_line (subject_id);
CREATE INDEX usage_line_by_run ON usage_line (run_id);

ALTER TABLE usage_price ADD COLUMN gpu_hour_micros BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_price ADD COLUMN storage_gigabyte_month_micros BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_price ADD COLUMN egress_gigabyte_micros BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_price ADD COLUMN set_by TEXT NOT NULL DEFAULT '';
ALTER TABLE usage_price ADD COLUMN set_us BIGINT NOT NULL DEFAULT 0;

-- Hours whose stores have been looked at.
CREATE TABLE usage_storage_hour (
  hour_us BIGINT PRIMARY KEY
);
