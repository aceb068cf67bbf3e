-- What clients have deleted is looked for by when that was.
CREATE INDEX tracking_run_by_deletion ON tracking_run (deleted_us) WHERE deleted_us > 0;
