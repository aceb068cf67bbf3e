-- SHA-256 of the file as it was uploaded; empty for versions from before this column.
ALTER TABLE dataset_version ADD COLUMN source_digest TEXT NOT NULL DEFAULT '';
