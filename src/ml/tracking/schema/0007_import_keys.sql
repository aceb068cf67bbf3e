-- What tells a run that was made elsewhere from others of its project; its tag of that name is for people.
ALTER TABLE tracking_run ADD COLUMN import_key TEXT NOT NULL DEFAULT '';
UPDATE tracking_run SET import_key = (
    SELECT t.value FROM tracking_run_tag t JOIN tracking_name n ON n.id = t.name
    WHERE t.run = tracking_run.number AND n.name = 'import.key')
  WHERE number IN (SELECT t.run FROM tracking_run_tag t JOIN tracking_name n ON n.id = t.name
                   WHERE n.name = 'import.key');
CREATE INDEX tracking_run_by_import ON tracking_run (project, import_key, number)
  WHERE import_key <> '';
