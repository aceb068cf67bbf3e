-- The code of the error that a task, and the run, failed with; empty where a program's exit was the
-- reason, and in rows from before.
ALTER TABLE pipeline_task ADD COLUMN error TEXT NOT NULL DEFAULT '';
ALTER TABLE pipeline_run ADD COLUMN error TEXT NOT NULL DEFAULT '';
