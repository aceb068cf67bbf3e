-- What a run came to: a kind for programs, a sentence for people. Empty where it judged nothing.
ALTER TABLE automation_firing ADD COLUMN outcome_kind TEXT NOT NULL DEFAULT '';
ALTER TABLE automation_firing ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
-- Occurrences that came while a firing waited or ran, and are answered by it.
CREATE TABLE automation_joined (
  trigger_id TEXT NOT NULL REFERENCES automation_trigger (id),
  occurrence_key TEXT NOT NULL,
  firing_id TEXT NOT NULL REFERENCES automation_firing (id),
  cause TEXT NOT NULL,
  source_id TEXT NOT NULL,
  text TEXT NOT NULL,
  joined_us BIGINT NOT NULL,
  PRIMARY KEY (trigger_id, occurrence_key)
);
CREATE INDEX automation_joined_of ON automation_joined (firing_id, joined_us);
