-- Of an alert: where the trouble began, by the time of the data; 0 = it is not known.
ALTER TABLE automation_firing ADD COLUMN since_us BIGINT NOT NULL DEFAULT 0;
-- Rows with labels since then when the firing was judged last; -1 = nobody counted.
ALTER TABLE automation_firing ADD COLUMN labelled BIGINT NOT NULL DEFAULT -1;
-- The newest event when what it learned took over; 0 = nothing did.
ALTER TABLE automation_firing ADD COLUMN answered_us BIGINT NOT NULL DEFAULT 0;
