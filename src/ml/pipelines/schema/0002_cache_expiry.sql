-- 0: never.
ALTER TABLE pipeline_cache ADD COLUMN expires_us BIGINT NOT NULL DEFAULT 0;
-- From now on a result refers to its files itself, so that it outlives the run that made it. Those
-- of before do not: they are made once more.
DELETE FROM pipeline_cache;
CREATE INDEX pipeline_cache_by_expiry ON pipeline_cache (expires_us);
