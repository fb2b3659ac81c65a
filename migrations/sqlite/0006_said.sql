-- What a file said of where a contact is (`ZONE CELL;STATE`), apart from the zones that were made of it: zones are
-- made anew when a campaign takes the contact, by the tables of that day. NULL: imported before it was kept.

ALTER TABLE contacts ADD COLUMN said TEXT;
ALTER TABLE csv_contacts ADD COLUMN said TEXT;

DROP VIEW campaign_contacts;
CREATE VIEW campaign_contacts AS
    SELECT contact_list_id AS source_id, id, position, name, phone_number, country, zones, said, email, company, extra, do_not_call, consent_at FROM contacts
    UNION ALL
    SELECT csv_file_id AS source_id, id, position, name, phone_number, country, zones, said, email, company, extra, do_not_call, consent_at FROM csv_contacts;
