-- What the system that came before has left (0001) is taken over: every row, under its own id. Nothing of it is
-- dialled: running campaigns are paused, what waited in its queue is off it, and a call that never came to an end
-- stays unresolved, which no rule calls again. Where the script never ran, this does nothing.
DO $$
BEGIN
    IF to_regclass('dialdeck_before.campaigns') IS NULL THEN
        RETURN;
    END IF;

    -- A number as it is dialled, or NULL: without a country code it could be anybody's.
    CREATE FUNCTION dialdeck_before.number_of(written TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $f$
        SELECT CASE WHEN n ~ '^\+[1-9][0-9]{6,14}$' THEN n END
        FROM (SELECT regexp_replace(regexp_replace(written, '[^0-9+]', '', 'g'), '^00', '+')) AS digits (n) $f$;

    -- Their assistants are the agents of another script; where that is missing, a campaign has only the id.
    IF to_regclass('agents') IS NOT NULL THEN
        INSERT INTO assistants (id, user_id, name, prompt, language, created_at, updated_at)
        SELECT (a ->> 'id')::uuid, (a ->> 'user_id')::uuid, COALESCE(NULLIF(a ->> 'name', ''), 'Assistant'), COALESCE(a ->> 'prompt', ''),
               COALESCE(NULLIF(a ->> 'language', ''), 'en'), COALESCE((a ->> 'created_at')::timestamptz, now()), COALESCE((a ->> 'updated_at')::timestamptz, now())
        FROM (SELECT to_jsonb(x) AS a FROM agents x) AS agents WHERE a ->> 'user_id' IS NOT NULL;
    END IF;
    INSERT INTO assistants (id, user_id, name, created_at, updated_at)
    SELECT DISTINCT ON (assistant_id) assistant_id, user_id, COALESCE(NULLIF(assistant_name, ''), 'Assistant'), now(), now()
    FROM dialdeck_before.campaigns ORDER BY assistant_id, created_at
    ON CONFLICT (id) DO NOTHING;

    INSERT INTO contact_lists (id, user_id, name, description, created_at, updated_at)
    SELECT id, user_id, name, COALESCE(description, ''), COALESCE(created_at, now()), COALESCE(updated_at, created_at, now()) FROM dialdeck_before.contact_lists;
    INSERT INTO csv_files (id, user_id, filename, original_filename, file_size, total_contacts, processed_contacts, status, created_at, updated_at)
    SELECT id, user_id, filename, original_filename, file_size, total_contacts, processed_contacts, status, COALESCE(created_at, now()),
           COALESCE(updated_at, created_at, now())
    FROM dialdeck_before.csv_files;

    -- A number stands once in a list, and is called only where it can be read: the other rows are kept, not called.
    CREATE VIEW dialdeck_before.people AS
        SELECT t.*, row_number() OVER (PARTITION BY source_id ORDER BY created_at, id) AS position,
               row_number() OVER (PARTITION BY source_id, number ORDER BY created_at, id) AS again,
               bool_or(refused) OVER (PARTITION BY source_id, number) AS said_no
        FROM (SELECT contact_list_id AS source_id, id, name, email, company, notes, COALESCE(created_at, now()) AS created_at, COALESCE(do_not_call, FALSE) AS refused,
                     COALESCE(dialdeck_before.number_of(phone_number), btrim(phone_number)) AS number, dialdeck_before.number_of(phone_number) IS NOT NULL AS readable,
                     FALSE AS of_file
              FROM dialdeck_before.contacts
              UNION ALL
              SELECT csv_file_id, id, name, email, company, '', COALESCE(created_at, now()), COALESCE(do_not_call, FALSE),
                     COALESCE(dialdeck_before.number_of(phone_number), btrim(phone_number)), dialdeck_before.number_of(phone_number) IS NOT NULL, TRUE
              FROM dialdeck_before.csv_contacts) AS t;
    CREATE TABLE dialdeck_before.taken AS
        SELECT id, source_id, of_file, position, COALESCE(name, '') AS name, number || CASE WHEN again > 1 THEN '#' || again ELSE '' END AS number,
               COALESCE(email, '') AS email, COALESCE(company, '') AS company,
               concat_ws('; ', NULLIF(notes, ''), CASE WHEN NOT readable THEN 'no international number: not called' END,
                         CASE WHEN again > 1 THEN 'the same number is in the list before: not called' END) AS notes,
               said_no OR again > 1 OR NOT readable AS do_not_call, created_at
        FROM dialdeck_before.people;
    INSERT INTO contacts (id, contact_list_id, position, name, phone_number, country, zones, email, company, notes, do_not_call, created_at)
    SELECT id, source_id, position, name, number, '', '', email, company, notes, do_not_call, created_at FROM dialdeck_before.taken WHERE NOT of_file;
    INSERT INTO csv_contacts (id, csv_file_id, position, name, phone_number, country, zones, email, company, notes, do_not_call, created_at)
    SELECT id, source_id, position, name, number, '', '', email, company, notes, do_not_call, created_at FROM dialdeck_before.taken WHERE of_file;
    UPDATE contact_lists l SET contact_count = n.contacts, do_not_call_count = n.refused
    FROM (SELECT contact_list_id, count(*) AS contacts, count(*) FILTER (WHERE do_not_call) AS refused FROM contacts GROUP BY 1) AS n WHERE n.contact_list_id = l.id;
    UPDATE csv_files f SET contact_count = n.contacts, do_not_call_count = n.refused
    FROM (SELECT csv_file_id, count(*) AS contacts, count(*) FILTER (WHERE do_not_call) AS refused FROM csv_contacts GROUP BY 1) AS n WHERE n.csv_file_id = f.id;

    -- Hours of theirs were the server's, whose zone nobody wrote down. A campaign that was not over goes on behind
    -- whoever it reached, once somebody has looked at it and resumes it.
    INSERT INTO campaigns (id, user_id, name, assistant_id, contact_source, contact_list_id, csv_file_id, daily_cap, calling_days, start_hour, end_hour,
        timezone, campaign_prompt, max_concurrent, call_delay_ms, ring_timeout_s, max_call_duration_s, retry, execution_status, status_reason,
        status_actor, status_at, fill_position, created_at, updated_at)
    SELECT c.id, c.user_id, c.name, c.assistant_id, c.contact_source,
           (SELECT l.id FROM contact_lists l WHERE l.id = c.contact_list_id AND c.contact_source = 'contact_list'),
           (SELECT f.id FROM csv_files f WHERE f.id = c.csv_file_id AND c.contact_source = 'csv_file'),
           LEAST(GREATEST(c.daily_cap, 1), 1000000),
           (SELECT COALESCE(jsonb_agg(DISTINCT lower(day)), '[]') FROM unnest(c.calling_days) AS day
            WHERE lower(day) IN ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')),
           c.start_hour, c.end_hour, 'UTC', COALESCE(c.campaign_prompt, ''), 5, 2000, 30, 900,
           '{"maxAttempts": 3, "noAnswerMinutes": 120, "busyMinutes": 15, "trunkMinutes": 5}',
           CASE WHEN c.execution_status = 'running' THEN 'paused' ELSE c.execution_status END,
           CASE WHEN c.execution_status IN ('running', 'paused') THEN 'taken over from the system before: look at its hours (they are UTC now), then resume it' ELSE '' END,
           'migrate', now(), CASE WHEN c.execution_status IN ('running', 'paused') THEN 0 END, COALESCE(c.created_at, now()), COALESCE(c.updated_at, c.created_at, now())
    FROM dialdeck_before.campaigns c;
    INSERT INTO audit (at, user_id, actor, source, action, subject, details)
    SELECT now(), user_id, 'migrate', 'upgrade', 'campaign_moved', id, '{"from": "running", "to": "paused"}' FROM dialdeck_before.campaigns WHERE execution_status = 'running';

    -- Their calls are over, whatever was believed of them. Who was called is known by the number: theirs had lost the
    -- contact of a file.
    CREATE TABLE dialdeck_before.made AS
        SELECT k.id, c.user_id, k.campaign_id, COALESCE(dialdeck_before.number_of(k.phone_number), btrim(k.phone_number)) AS number,
               COALESCE(k.contact_id, f.id, w.id) AS contact_id, k.status, k.outcome,
               CASE WHEN k.status <> 'pending' THEN COALESCE(k.started_at, k.created_at, now()) END AS armed_at,
               COALESCE(k.completed_at, k.updated_at, k.created_at, now()) AS completed_at,
               CASE k.status WHEN 'pending' THEN 'canceled' WHEN 'calling' THEN 'unresolved' WHEN 'answered' THEN 'completed' ELSE k.status END AS state
        FROM dialdeck_before.campaign_calls k
        JOIN campaigns c ON c.id = k.campaign_id
        LEFT JOIN csv_contacts f ON f.csv_file_id = c.csv_file_id AND f.phone_number = dialdeck_before.number_of(k.phone_number)
        LEFT JOIN contacts w ON w.contact_list_id = c.contact_list_id AND w.phone_number = dialdeck_before.number_of(k.phone_number);
    INSERT INTO campaign_calls (id, user_id, campaign_id, contact_id, phone_number, contact_name, contact_email, country, zones, attempt, state, rank,
        dialable_at, armed_at, armed_day, room_name, call_sid, leg_seen, started_at, answered_at, completed_at, call_duration, basis, reason, charged,
        outcome, outcome_who, outcome_by, outcome_at, notes, created_at, updated_at, dialled)
    SELECT k.id, m.user_id, k.campaign_id, m.contact_id, m.number, COALESCE(k.contact_name, ''), COALESCE(k.contact_email, ''), '', '',
           row_number() OVER (PARTITION BY k.campaign_id, m.number ORDER BY m.armed_at NULLS LAST, k.id), m.state, 90,
           COALESCE(k.created_at, now()), m.armed_at, to_char(m.armed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), k.room_name, k.call_sid,
           m.state = 'completed', m.armed_at, CASE WHEN m.state = 'completed' THEN m.armed_at END, m.completed_at, GREATEST(COALESCE(k.call_duration, 0), 0),
           'inferred',
           CASE k.status WHEN 'pending' THEN 'waited in the system before: not called' WHEN 'calling' THEN 'the system before never learned how it ended'
                         WHEN 'answered' THEN 'the system before never learned how it ended' ELSE '' END,
           m.armed_at IS NOT NULL, k.outcome, CASE WHEN k.outcome IS NOT NULL THEN 'operator' END, CASE WHEN k.outcome IS NOT NULL THEN '' END,
           CASE WHEN k.outcome IS NOT NULL THEN m.completed_at END, COALESCE(k.notes, ''), COALESCE(k.created_at, now()), COALESCE(k.updated_at, k.created_at, now()),
           CASE WHEN m.armed_at IS NOT NULL THEN row_number() OVER (ORDER BY m.armed_at NULLS LAST, k.id) END
    FROM dialdeck_before.campaign_calls k JOIN dialdeck_before.made m ON m.id = k.id;

    -- A number that may still be on the line is left alone for a day.
    INSERT INTO numbers_live (number, held_until, last_armed_at)
    SELECT number, max(completed_at) + interval '1 day', max(armed_at) FROM dialdeck_before.made
    WHERE status IN ('calling', 'answered') AND completed_at > now() - interval '1 day' GROUP BY number;

    -- Who said no anywhere is called by no list.
    INSERT INTO do_not_call (user_id, number, reason, source, created_at)
    SELECT user_id, number, 'said so in the system before', 'upgrade', now() FROM (
        SELECT user_id, number FROM dialdeck_before.made WHERE outcome = 'do_not_call'
        UNION
        SELECT COALESCE(l.user_id, f.user_id), p.number FROM dialdeck_before.people p LEFT JOIN contact_lists l ON l.id = p.source_id LEFT JOIN csv_files f ON f.id = p.source_id
        WHERE p.refused) AS refused
    WHERE dialdeck_before.number_of(number) IS NOT NULL
    ON CONFLICT (user_id, number) DO NOTHING;

    -- The sums, as they are made of calls.
    INSERT INTO campaign_counts (campaign_id, total, completed, failed, no_answer, busy, canceled, dials, pickups, interested, not_interested,
        callback, do_not_call, voicemail, wrong_number, untagged, talk_seconds, last_execution_at)
    SELECT c.id, count(k.id), count(*) FILTER (WHERE k.status = 'completed'), count(*) FILTER (WHERE k.status = 'failed'),
           count(*) FILTER (WHERE k.status = 'no_answer'), count(*) FILTER (WHERE k.status = 'busy'), count(*) FILTER (WHERE k.status = 'canceled'),
           count(k.armed_at), count(k.answered_at), count(*) FILTER (WHERE k.outcome = 'interested'), count(*) FILTER (WHERE k.outcome = 'not_interested'),
           count(*) FILTER (WHERE k.outcome = 'callback'), count(*) FILTER (WHERE k.outcome = 'do_not_call'), count(*) FILTER (WHERE k.outcome = 'voicemail'),
           count(*) FILTER (WHERE k.outcome = 'wrong_number'), count(*) FILTER (WHERE k.answered_at IS NOT NULL AND k.outcome IS NULL),
           COALESCE(sum(k.call_duration), 0), max(k.armed_at)
    FROM campaigns c LEFT JOIN campaign_calls k ON k.campaign_id = c.id GROUP BY c.id;
    INSERT INTO campaign_days (campaign_id, day, used, cap)
    SELECT k.campaign_id, k.armed_day, count(*), GREATEST(count(*), min(c.daily_cap)) FROM campaign_calls k JOIN campaigns c ON c.id = k.campaign_id
    WHERE k.armed_day IS NOT NULL GROUP BY 1, 2;
    INSERT INTO campaign_minutes (campaign_id, minute, armed, dials, answered, failed, talk_seconds)
    SELECT campaign_id, floor(extract(epoch FROM armed_at) / 60)::bigint, count(*), count(*), count(answered_at),
           count(*) FILTER (WHERE state IN ('failed', 'unresolved')), sum(call_duration)
    FROM campaign_calls WHERE armed_at IS NOT NULL GROUP BY 1, 2;

    -- Which country a number is of is written by the program, which knows the numbering plans.
    INSERT INTO settings (key, value) VALUES ('adopted', 'countries');

    DROP TABLE dialdeck_before.taken, dialdeck_before.made;
    DROP VIEW dialdeck_before.people;
    DROP FUNCTION dialdeck_before.number_of;
END $$;

-- Their table of numbers stays: it gets what is missing. What refers to tables of theirs is let go, since an
-- assistant made here is in none of them.
DO $$
DECLARE
    which RECORD;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 'phone_number' AND column_name = 'phone_sid') THEN
        RETURN;
    END IF;
    FOR which IN SELECT conname FROM pg_constraint WHERE conrelid = 'phone_number'::regclass AND contype = 'f' LOOP
        EXECUTE format('ALTER TABLE phone_number DROP CONSTRAINT %I', which.conname);
    END LOOP;
    FOR which IN SELECT polname FROM pg_policy WHERE polrelid = 'phone_number'::regclass LOOP
        EXECUTE format('DROP POLICY %I ON phone_number', which.polname);
    END LOOP;
    ALTER TABLE phone_number
        ADD COLUMN IF NOT EXISTS inbound_trunk_id TEXT, ADD COLUMN IF NOT EXISTS outbound_trunk_id TEXT, ADD COLUMN IF NOT EXISTS outbound_trunk_name TEXT,
        ALTER COLUMN phone_sid DROP NOT NULL,
        ALTER COLUMN number TYPE TEXT COLLATE "C", ALTER COLUMN outbound_trunk_id TYPE TEXT COLLATE "C";
    UPDATE phone_number SET label = COALESCE(label, ''), status = COALESCE(status, 'active'), created_at = COALESCE(created_at, now()),
        updated_at = COALESCE(updated_at, created_at, now());
    ALTER TABLE phone_number
        ALTER COLUMN label SET DEFAULT '', ALTER COLUMN label SET NOT NULL, ALTER COLUMN status SET NOT NULL,
        ALTER COLUMN created_at SET NOT NULL, ALTER COLUMN updated_at SET NOT NULL;
    -- An agent that is gone is no assistant.
    UPDATE phone_number SET inbound_assistant_id = NULL WHERE inbound_assistant_id NOT IN (SELECT id FROM assistants);
END $$;
