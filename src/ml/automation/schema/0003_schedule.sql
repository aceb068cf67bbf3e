CREATE TABLE automation_schedule (
  trigger_id TEXT NOT NULL PRIMARY KEY REFERENCES automation_trigger (id),
  looked_us BIGINT NOT NULL
);
