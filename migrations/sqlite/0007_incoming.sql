-- The names of a file's script columns stand once with the file: a contact holds their values in that order.
-- Files of before hold name and value in each contact.
ALTER TABLE contact_lists ADD COLUMN columns TEXT;
ALTER TABLE csv_files ADD COLUMN columns TEXT;
CREATE VIEW source_columns AS
    SELECT id AS source_id, columns FROM contact_lists WHERE columns IS NOT NULL
    UNION ALL
    SELECT id AS source_id, columns FROM csv_files WHERE columns IS NOT NULL;

-- Other numbers of the person, joined by commas: kept, not dialled.
ALTER TABLE contacts ADD COLUMN alternatives TEXT NOT NULL DEFAULT '';
ALTER TABLE csv_contacts ADD COLUMN alternatives TEXT NOT NULL DEFAULT '';

-- A national list is one country's; those of before were meant for the United States.
UPDATE settings SET key = key || ':US' WHERE substr(key, 1, 14) = 'national_list:' AND length(key) = 46;
