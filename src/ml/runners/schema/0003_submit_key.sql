-- A caller that is repeated after a crash finds its job by the key, instead of submitting another.
ALTER TABLE job ADD COLUMN submit_key TEXT;
CREATE UNIQUE INDEX job_by_submit_key ON job (submit_key);
