-- The rules of the policy that a verdict was given under. A verdict from before this column names
-- none, so it lets no alias move.
ALTER TABLE registry_verdict ADD COLUMN rules_hash TEXT NOT NULL DEFAULT '';
