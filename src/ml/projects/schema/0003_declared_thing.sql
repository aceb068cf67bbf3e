-- Which thing an apply made: another may get its name.
ALTER TABLE project_declaration ADD COLUMN thing TEXT NOT NULL DEFAULT '';
