-- The step of a pipeline's run that the job is.
ALTER TABLE job ADD COLUMN part_run TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN part_label TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN part_step TEXT NOT NULL DEFAULT '';
