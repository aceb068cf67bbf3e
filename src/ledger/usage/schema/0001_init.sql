-- Sums per hour: a row per subject and hour, whatever the number of samples.
CREATE TABLE usage_hour (
  project TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  hour_us BIGINT NOT NULL,
  subject_label TEXT NOT NULL,
  cpu_us BIGINT NOT NULL,
  memory_mib_ms BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  requests BIGINT NOT NULL,
  PRIMARY KEY (project, subject_kind, subject_id, hour_us)
);

CREATE TABLE usage_price (
  valid_from_us BIGINT PRIMARY KEY,
  currency TEXT NOT NULL,
  cpu_hour_micros BIGINT NOT NULL,
  memory_gib_hour_micros BIGINT NOT NULL,
  gigabyte_micros BIGINT NOT NULL,
  thousand_requests_micros BIGINT NOT NULL
);
