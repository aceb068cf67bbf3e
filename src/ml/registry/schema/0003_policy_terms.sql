-- What a gate compares by and on which rows; empty = the task's own metric, the rows that training held out.
ALTER TABLE registry_policy ADD COLUMN metric TEXT NOT NULL DEFAULT '';
ALTER TABLE registry_policy ADD COLUMN dataset TEXT NOT NULL DEFAULT '';
