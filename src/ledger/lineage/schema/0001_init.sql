CREATE TABLE lineage_node (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  label TEXT NOT NULL,
  project TEXT NOT NULL,
  created_us BIGINT NOT NULL
);
CREATE INDEX lineage_node_label ON lineage_node (project, label);

CREATE TABLE lineage_edge (
  from_id TEXT NOT NULL REFERENCES lineage_node (id),
  to_id TEXT NOT NULL REFERENCES lineage_node (id),
  role TEXT NOT NULL,
  PRIMARY KEY (from_id, to_id, role)
);
CREATE INDEX lineage_edge_to ON lineage_edge (to_id);
