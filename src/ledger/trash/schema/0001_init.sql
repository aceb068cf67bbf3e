-- What was removed and can be put back.
CREATE TABLE trash_item (
  number INTEGER PRIMARY KEY,
  noun TEXT NOT NULL,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  what TEXT NOT NULL,
  removed_by TEXT NOT NULL,
  removed_us BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  row_bytes BIGINT NOT NULL
);
CREATE INDEX trash_item_name ON trash_item (project, noun, name);
CREATE INDEX trash_item_age ON trash_item (removed_us);

-- The rows that it was, in the order in which they were taken out of their tables: the last one
-- goes back first.
CREATE TABLE trash_row (
  item BIGINT NOT NULL REFERENCES trash_item (number),
  position BIGINT NOT NULL,
  table_name TEXT NOT NULL,
  cells BLOB NOT NULL,
  PRIMARY KEY (item, position)
);
