CREATE TABLE usage_budget (
  name TEXT NOT NULL PRIMARY KEY,
  project TEXT NOT NULL,
  user_name TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  limit_nanos BIGINT NOT NULL,
  period TEXT NOT NULL CHECK (period IN ('day', 'week', 'month', 'year', 'total')),
  warn_percent BIGINT NOT NULL,
  stops BIGINT NOT NULL,
  stops_running BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_us BIGINT NOT NULL
);
-- Said once in a period.
CREATE TABLE usage_budget_said (
  budget TEXT NOT NULL REFERENCES usage_budget (name) ON DELETE CASCADE,
  period_us BIGINT NOT NULL,
  percent BIGINT NOT NULL,
  spent_nanos BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  PRIMARY KEY (budget, period_us, percent)
);
-- What hours that are over have cost, so that a start of work adds up the last ones only.
CREATE TABLE usage_budget_closed (
  budget TEXT NOT NULL PRIMARY KEY REFERENCES usage_budget (name) ON DELETE CASCADE,
  period_us BIGINT NOT NULL,
  until_us BIGINT NOT NULL,
  nanos BIGINT NOT NULL
);
