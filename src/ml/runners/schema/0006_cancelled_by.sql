-- Who asked the job to stop; empty: nobody, or somebody before this was written down.
ALTER TABLE job ADD COLUMN cancelled_by TEXT NOT NULL DEFAULT '';
