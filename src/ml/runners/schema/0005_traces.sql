-- The span that the job began in, as a W3C traceparent; empty: none.
ALTER TABLE job ADD COLUMN trace TEXT NOT NULL DEFAULT '';
