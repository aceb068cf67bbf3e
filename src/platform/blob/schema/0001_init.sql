-- Who needs which blob. A blob without a row is an orphan.
CREATE TABLE blob_ref (
  owner_kind TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  PRIMARY KEY (owner_kind, owner_id, digest)
);
CREATE INDEX blob_ref_digest ON blob_ref (digest);

-- Blobs whose files are being removed: no reference may be added until that is over.
CREATE TABLE blob_condemned (
  digest TEXT PRIMARY KEY
);
