-- Contacts are written one by one as well: how many a list or file holds is kept with it, its import's report
-- stays what it was.
ALTER TABLE contact_lists ADD COLUMN contact_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contact_lists ADD COLUMN do_not_call_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE csv_files ADD COLUMN contact_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE csv_files ADD COLUMN do_not_call_count INTEGER NOT NULL DEFAULT 0;
UPDATE contact_lists SET
    contact_count = COALESCE(report ->> 'imported', (SELECT count(*) FROM contacts c WHERE c.contact_list_id = contact_lists.id)),
    do_not_call_count = COALESCE(report ->> 'doNotCall', (SELECT count(*) FROM contacts c WHERE c.contact_list_id = contact_lists.id AND c.do_not_call = 1));
UPDATE csv_files SET
    contact_count = COALESCE(report ->> 'imported', (SELECT count(*) FROM csv_contacts c WHERE c.csv_file_id = csv_files.id)),
    do_not_call_count = COALESCE(report ->> 'doNotCall', (SELECT count(*) FROM csv_contacts c WHERE c.csv_file_id = csv_files.id AND c.do_not_call = 1));

-- A deleted list or file keeps its row while a deleted campaign names it; its contacts go.
ALTER TABLE contact_lists ADD COLUMN deleted_at TEXT;
ALTER TABLE csv_files ADD COLUMN deleted_at TEXT;
CREATE INDEX campaigns_by_list ON campaigns (contact_list_id) WHERE contact_list_id IS NOT NULL;
CREATE INDEX campaigns_by_file ON campaigns (csv_file_id) WHERE csv_file_id IS NOT NULL;

-- NULL: as it was imported. What was changed since is looked at again before the next attempt.
ALTER TABLE contacts ADD COLUMN updated_at TEXT;
ALTER TABLE csv_contacts ADD COLUMN updated_at TEXT;

DROP VIEW campaign_contacts;
CREATE VIEW campaign_contacts AS
    SELECT contact_list_id AS source_id, id, position, name, phone_number, country, zones, said, email, company, extra, do_not_call, consent_at, updated_at FROM contacts
    UNION ALL
    SELECT csv_file_id AS source_id, id, position, name, phone_number, country, zones, said, email, company, extra, do_not_call, consent_at, updated_at FROM csv_contacts;
