-- The run that a release belongs to, until that run has ended and the release is settled.
ALTER TABLE automation_canary ADD COLUMN run_id TEXT NOT NULL DEFAULT '';
CREATE INDEX automation_canary_of_run ON automation_canary (run_id) WHERE run_id <> '';
