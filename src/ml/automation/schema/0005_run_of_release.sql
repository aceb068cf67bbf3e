-- The run that a release was made by, also after it is settled.
ALTER TABLE automation_canary ADD COLUMN of_run TEXT NOT NULL DEFAULT '';
UPDATE automation_canary SET of_run = run_id;
CREATE INDEX automation_canary_made_by ON automation_canary (of_run);
CREATE INDEX automation_canary_at ON automation_canary (endpoint, created_us);
