CREATE TABLE event (
  sequence INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  project TEXT NOT NULL,
  subject TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_us BIGINT NOT NULL
);
CREATE INDEX event_project ON event (project, sequence);

CREATE TABLE event_cursor (
  subscriber TEXT PRIMARY KEY,
  sequence BIGINT NOT NULL,
  changed_us BIGINT NOT NULL
);

CREATE TABLE event_parked (
  subscriber TEXT NOT NULL,
  sequence BIGINT NOT NULL REFERENCES event (sequence),
  error TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  parked_us BIGINT NOT NULL,
  PRIMARY KEY (subscriber, sequence)
);
