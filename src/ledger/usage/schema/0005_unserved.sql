-- Bytes answered at addresses that no protocol serves had no name.
UPDATE usage_line SET subject_id = 'unserved', subject_label = 'addresses that nothing serves'
WHERE subject_kind = 'api' AND subject_id = '';
