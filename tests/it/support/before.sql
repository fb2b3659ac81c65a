-- What a Supabase database looks like after the outbound-calls script of the system before has run, and that of its
-- numbers and agents before it; with rows in each table.

CREATE SCHEMA auth;
CREATE TABLE auth.users (id UUID PRIMARY KEY);
CREATE FUNCTION auth.uid() RETURNS UUID LANGUAGE sql STABLE AS
    $$ SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
GRANT USAGE ON SCHEMA auth TO PUBLIC;

CREATE TABLE agents (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(), user_id UUID NOT NULL REFERENCES auth.users ON DELETE CASCADE, name VARCHAR(255) NOT NULL,
    description TEXT, prompt TEXT, language VARCHAR(10) DEFAULT 'en', created_at TIMESTAMPTZ DEFAULT now(), updated_at TIMESTAMPTZ DEFAULT now());
CREATE TABLE phone_number (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(), phone_sid TEXT NOT NULL UNIQUE, number TEXT NOT NULL UNIQUE, label TEXT,
    inbound_assistant_id UUID REFERENCES agents ON DELETE SET NULL, webhook_status TEXT DEFAULT 'configured', status TEXT DEFAULT 'active',
    trunk_sid TEXT, user_id UUID NOT NULL REFERENCES auth.users ON DELETE CASCADE, created_at TIMESTAMPTZ DEFAULT now(), updated_at TIMESTAMPTZ DEFAULT now());
ALTER TABLE phone_number ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users can view their own phone numbers" ON phone_number FOR SELECT USING (auth.uid() = user_id);
-- What its agents write of their calls, apart from campaigns.
CREATE TABLE calls (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), agent_id UUID, user_id UUID, contact_phone TEXT, call_sid TEXT);

CREATE TABLE campaigns (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(), user_id UUID NOT NULL REFERENCES auth.users ON DELETE CASCADE, name VARCHAR(255) NOT NULL,
    assistant_id UUID NOT NULL, assistant_name VARCHAR(255),
    contact_source VARCHAR(50) NOT NULL CHECK (contact_source IN ('contact_list', 'csv_file')), contact_list_id UUID, csv_file_id UUID,
    daily_cap INTEGER NOT NULL DEFAULT 100,
    calling_days TEXT[] NOT NULL DEFAULT ARRAY['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
    start_hour INTEGER NOT NULL DEFAULT 9 CHECK (start_hour BETWEEN 0 AND 23), end_hour INTEGER NOT NULL DEFAULT 17 CHECK (end_hour BETWEEN 0 AND 23),
    campaign_prompt TEXT,
    execution_status VARCHAR(20) NOT NULL DEFAULT 'idle' CHECK (execution_status IN ('idle', 'running', 'paused', 'completed', 'error')),
    next_call_at TIMESTAMPTZ, current_daily_calls INTEGER NOT NULL DEFAULT 0, total_calls_made INTEGER NOT NULL DEFAULT 0,
    total_calls_answered INTEGER NOT NULL DEFAULT 0, dials INTEGER NOT NULL DEFAULT 0, pickups INTEGER NOT NULL DEFAULT 0,
    interested INTEGER NOT NULL DEFAULT 0, not_interested INTEGER NOT NULL DEFAULT 0, callback INTEGER NOT NULL DEFAULT 0,
    do_not_call INTEGER NOT NULL DEFAULT 0, total_usage INTEGER NOT NULL DEFAULT 0, last_execution_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ DEFAULT now(), updated_at TIMESTAMPTZ DEFAULT now());
CREATE TABLE campaign_calls (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(), campaign_id UUID NOT NULL REFERENCES campaigns ON DELETE CASCADE, contact_id UUID,
    phone_number VARCHAR(20) NOT NULL, contact_name VARCHAR(255), contact_email VARCHAR(255), call_sid VARCHAR(100), room_name VARCHAR(255),
    status VARCHAR(20) NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'calling', 'answered', 'completed', 'failed', 'no_answer', 'busy')),
    outcome VARCHAR(50) CHECK (outcome IN ('interested', 'not_interested', 'callback', 'do_not_call', 'voicemail', 'wrong_number')),
    call_duration INTEGER DEFAULT 0, notes TEXT, started_at TIMESTAMPTZ, completed_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ DEFAULT now(), updated_at TIMESTAMPTZ DEFAULT now());
CREATE TABLE contact_lists (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(), user_id UUID NOT NULL REFERENCES auth.users ON DELETE CASCADE, name VARCHAR(255) NOT NULL,
    description TEXT, created_at TIMESTAMPTZ DEFAULT now(), updated_at TIMESTAMPTZ DEFAULT now());
CREATE TABLE contacts (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(), contact_list_id UUID NOT NULL REFERENCES contact_lists ON DELETE CASCADE, name VARCHAR(255) NOT NULL,
    phone_number VARCHAR(20) NOT NULL, email VARCHAR(255), company VARCHAR(255), notes TEXT, do_not_call BOOLEAN DEFAULT FALSE,
    created_at TIMESTAMPTZ DEFAULT now(), updated_at TIMESTAMPTZ DEFAULT now());
CREATE TABLE csv_files (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(), user_id UUID NOT NULL REFERENCES auth.users ON DELETE CASCADE, filename VARCHAR(255) NOT NULL,
    original_filename VARCHAR(255) NOT NULL, file_size INTEGER NOT NULL, total_contacts INTEGER NOT NULL DEFAULT 0,
    processed_contacts INTEGER NOT NULL DEFAULT 0,
    status VARCHAR(20) NOT NULL DEFAULT 'uploading' CHECK (status IN ('uploading', 'processing', 'completed', 'failed')),
    created_at TIMESTAMPTZ DEFAULT now(), updated_at TIMESTAMPTZ DEFAULT now());
CREATE TABLE csv_contacts (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(), csv_file_id UUID NOT NULL REFERENCES csv_files ON DELETE CASCADE, name VARCHAR(255),
    phone_number VARCHAR(20) NOT NULL, email VARCHAR(255), company VARCHAR(255), do_not_call BOOLEAN DEFAULT FALSE, created_at TIMESTAMPTZ DEFAULT now());
ALTER TABLE phone_number ADD COLUMN outbound_trunk_id TEXT, ADD COLUMN outbound_trunk_name TEXT;
CREATE INDEX idx_campaigns_user_id ON campaigns (user_id);
CREATE INDEX idx_campaign_calls_campaign_id ON campaign_calls (campaign_id);
ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_calls ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_lists ENABLE ROW LEVEL SECURITY;
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE csv_files ENABLE ROW LEVEL SECURITY;
ALTER TABLE csv_contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users can view their own campaigns" ON campaigns FOR SELECT USING (auth.uid() = user_id);
CREATE POLICY "Users can view campaign calls for their campaigns" ON campaign_calls
    FOR SELECT USING (EXISTS (SELECT 1 FROM campaigns WHERE campaigns.id = campaign_calls.campaign_id AND campaigns.user_id = auth.uid()));

INSERT INTO auth.users VALUES ('00000000-0000-0000-0000-00000000000a'), ('00000000-0000-0000-0000-00000000000b');
INSERT INTO agents (id, user_id, name, prompt) VALUES ('00000000-0000-0000-0001-000000000001', '00000000-0000-0000-0000-00000000000a', 'Sarah', 'Hello {name}');
INSERT INTO phone_number (phone_sid, number, user_id, inbound_assistant_id, outbound_trunk_id)
VALUES ('PN1', '+15550009999', '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0001-000000000001', 'ST_1');
INSERT INTO calls (contact_phone) VALUES ('+12025550199');
INSERT INTO contact_lists (id, user_id, name) VALUES ('00000000-0000-0000-0002-000000000001', '00000000-0000-0000-0000-00000000000b', 'Leads');
INSERT INTO contacts (id, contact_list_id, name, phone_number, do_not_call, notes) VALUES
    ('00000000-0000-0000-0005-000000000001', '00000000-0000-0000-0002-000000000001', 'Ann', '+1 (202) 555-0101', FALSE, NULL),
    ('00000000-0000-0000-0005-000000000002', '00000000-0000-0000-0002-000000000001', 'Ann again', '+12025550101', TRUE, 'asked'),
    ('00000000-0000-0000-0005-000000000003', '00000000-0000-0000-0002-000000000001', 'Bob', '+442079460102', NULL, NULL),
    ('00000000-0000-0000-0005-000000000004', '00000000-0000-0000-0002-000000000001', 'Nobody', '2025550103', FALSE, NULL);
INSERT INTO csv_files (id, user_id, filename, original_filename, file_size, status)
VALUES ('00000000-0000-0000-0003-000000000001', '00000000-0000-0000-0000-00000000000a', 'q4.csv', 'q4.csv', 100, 'completed');
INSERT INTO csv_contacts (csv_file_id, name, phone_number) SELECT '00000000-0000-0000-0003-000000000001', 'Person ' || n, '+120255502' || lpad(n::text, 2, '0') FROM generate_series(1, 20) AS n;
INSERT INTO campaigns (id, user_id, name, assistant_id, contact_source, contact_list_id, csv_file_id, execution_status, daily_cap, calling_days, dials) VALUES
    ('00000000-0000-0000-0004-000000000001', '00000000-0000-0000-0000-00000000000a', 'Q4', '00000000-0000-0000-0001-000000000001', 'csv_file', NULL, '00000000-0000-0000-0003-000000000001', 'running', 100, ARRAY['Monday', 'tuesday', 'someday'], 99),
    ('00000000-0000-0000-0004-000000000002', '00000000-0000-0000-0000-00000000000b', 'Old', '00000000-0000-0000-0001-000000000009', 'contact_list', '00000000-0000-0000-0002-000000000001', NULL, 'completed', -5, ARRAY['friday'], 0);
INSERT INTO campaign_calls (campaign_id, phone_number, contact_name, status, outcome, call_duration, started_at) VALUES
    ('00000000-0000-0000-0004-000000000001', '+12025550201', 'Person 1', 'calling', NULL, 0, now() - interval '5 minutes'),
    ('00000000-0000-0000-0004-000000000001', '+12025550201', 'Person 1', 'calling', NULL, 0, now() - interval '4 minutes'),
    ('00000000-0000-0000-0004-000000000001', '+12025550202', 'Person 2', 'answered', NULL, 0, now() - interval '3 hours'),
    ('00000000-0000-0000-0004-000000000001', '+12025550203', 'Person 3', 'completed', 'interested', 61, now() - interval '2 hours'),
    ('00000000-0000-0000-0004-000000000001', '+12025550204', 'Person 4', 'completed', 'do_not_call', 9, now() - interval '2 hours'),
    ('00000000-0000-0000-0004-000000000001', '+12025550205', 'Person 5', 'failed', NULL, NULL, NULL),
    ('00000000-0000-0000-0004-000000000001', '+12025550206', NULL, 'no_answer', NULL, 0, now() - interval '1 hour'),
    ('00000000-0000-0000-0004-000000000001', '+12025550207', NULL, 'busy', NULL, 0, now() - interval '1 hour'),
    ('00000000-0000-0000-0004-000000000001', '+12025550208', NULL, 'pending', NULL, 0, NULL),
    ('00000000-0000-0000-0004-000000000002', '+442079460102', 'Bob', 'completed', NULL, 30, now() - interval '40 days');
