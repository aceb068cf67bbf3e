-- Somebody asked for the job to stop: written before its worker hears of it, so it never runs again.
ALTER TABLE job ADD COLUMN cancel_asked BIGINT NOT NULL DEFAULT 0;
