-- What each KPI of a project is now, and since when; `told`: the last of met and missed that was told.
CREATE TABLE monitoring_kpi (
  project TEXT NOT NULL,
  kpi TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('met', 'missed', 'unknown')),
  value REAL,
  reason TEXT NOT NULL,
  told TEXT NOT NULL,
  since_us BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  PRIMARY KEY (project, kpi)
);
-- What it was: one row for each change.
CREATE TABLE monitoring_kpi_reading (
  project TEXT NOT NULL,
  kpi TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  state TEXT NOT NULL,
  value REAL,
  reason TEXT NOT NULL,
  PRIMARY KEY (project, kpi, at_us)
);
CREATE INDEX monitoring_kpi_reading_age ON monitoring_kpi_reading (at_us);
