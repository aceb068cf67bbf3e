-- Who was asked to agree that a run goes on, and what was said; `id` is the key of the attempt.
CREATE TABLE pipeline_approval (
  id TEXT NOT NULL PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES pipeline_run (id),
  project TEXT NOT NULL,
  step TEXT NOT NULL,
  item BIGINT NOT NULL,
  message TEXT NOT NULL,
  who TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('asked', 'approved', 'rejected', 'withdrawn')),
  decided_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  asked_us BIGINT NOT NULL,
  decided_us BIGINT NOT NULL
);
CREATE INDEX pipeline_approval_by_run ON pipeline_approval (run_id);
