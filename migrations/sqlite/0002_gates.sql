-- Consent where a profile asks for it, and callbacks that go first when they fall due.

ALTER TABLE contacts ADD COLUMN consent_at TEXT;
ALTER TABLE contacts ADD COLUMN consent_source TEXT;
ALTER TABLE csv_contacts ADD COLUMN consent_at TEXT;
ALTER TABLE csv_contacts ADD COLUMN consent_source TEXT;

DROP VIEW campaign_contacts;
CREATE VIEW campaign_contacts AS
    SELECT contact_list_id AS source_id, id, position, name, phone_number, country, zones, email, company, extra, do_not_call, consent_at FROM contacts
    UNION ALL
    SELECT csv_file_id AS source_id, id, position, name, phone_number, country, zones, email, company, extra, do_not_call, consent_at FROM csv_contacts;

-- 1: a moment promised to the contact.
ALTER TABLE campaign_calls ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
DROP INDEX calls_queue;
CREATE INDEX calls_queue ON campaign_calls (campaign_id, zones, priority, dialable_at, position, id) WHERE rank = 0;

-- Somebody answered and there was no agent.
ALTER TABLE campaign_calls ADD COLUMN abandoned INTEGER NOT NULL DEFAULT 0;
CREATE INDEX calls_abandoned ON campaign_calls (campaign_id) WHERE abandoned = 1;
