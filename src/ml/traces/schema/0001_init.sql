-- Numbers are given once, also when what had them is in the trash.
CREATE TABLE traces_counter (
  noun TEXT NOT NULL PRIMARY KEY,
  newest BIGINT NOT NULL
);

-- `told`: its client has said what the trace is; spans that come later change that no more.
CREATE TABLE traces_trace (
  number BIGINT NOT NULL PRIMARY KEY,
  project TEXT NOT NULL,
  id TEXT NOT NULL,
  experiment BIGINT NOT NULL,
  started_us BIGINT NOT NULL,
  duration_us BIGINT,
  state BIGINT NOT NULL,
  client_request TEXT,
  request_preview TEXT,
  response_preview TEXT,
  told BIGINT NOT NULL,
  span_bytes BIGINT NOT NULL,
  span_batches BIGINT NOT NULL,
  UNIQUE (project, id)
);
CREATE INDEX traces_trace_by_time ON traces_trace (experiment, started_us, id);

-- kind 1: tags, 2: metadata.
CREATE TABLE traces_label (
  trace BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (trace, kind, name)
) CLUSTERED;
CREATE INDEX traces_label_by_value ON traces_label (kind, name, substr(value, 1, 64));

-- What a trace belongs to: 'run' and its id, 'prompt' and name/version.
CREATE TABLE traces_link (
  trace BIGINT NOT NULL,
  kind TEXT NOT NULL,
  target TEXT NOT NULL,
  PRIMARY KEY (trace, kind, target)
) CLUSTERED;
CREATE INDEX traces_link_by_target ON traces_link (kind, target);

-- Spans as they came, compressed; one row once the trace is complete.
CREATE TABLE traces_spans (
  trace BIGINT NOT NULL,
  batch BIGINT NOT NULL,
  spans BLOB NOT NULL,
  PRIMARY KEY (trace, batch)
);

-- kind: feedback, expectation or issue; `value` and `error` are JSON, empty = none.
CREATE TABLE traces_assessment (
  trace BIGINT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  error TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source_id TEXT NOT NULL,
  span TEXT NOT NULL,
  rationale TEXT,
  metadata TEXT NOT NULL,
  overrides TEXT NOT NULL,
  valid BIGINT NOT NULL,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  PRIMARY KEY (trace, id)
);
