-- The span that the run began in, as a W3C traceparent; empty: none.
ALTER TABLE pipeline_run ADD COLUMN trace TEXT NOT NULL DEFAULT '';
