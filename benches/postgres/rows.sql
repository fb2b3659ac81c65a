-- 1,000,000 calls of twenty campaigns of two owners, as an installation has them after some months: a queue of 300,000
-- in thirty sets of zones, forty on the line, the rest ended, one in five answered, half of those tagged.
\set ON_ERROR_STOP on
SET synchronous_commit = off;
SET client_min_messages = warning;

CREATE FUNCTION pg_temp.id(kind INT, n BIGINT) RETURNS UUID LANGUAGE sql IMMUTABLE AS
    $$ SELECT (lpad(to_hex(kind), 8, '0') || lpad(to_hex(n), 24, '0'))::uuid $$;
CREATE FUNCTION pg_temp.owner(n BIGINT) RETURNS UUID LANGUAGE sql IMMUTABLE AS $$ SELECT pg_temp.id(1, CASE WHEN n % 20 = 19 THEN 2 ELSE 1 END) $$;

INSERT INTO assistants (id, user_id, name, created_at, updated_at) SELECT pg_temp.id(2, n), pg_temp.owner(n * 19), 'Assistant ' || n, now(), now() FROM generate_series(0, 1) AS n;
INSERT INTO trunks (id, user_id, livekit_id, max_live, refilled_at, created_at) VALUES (pg_temp.id(3, 0), pg_temp.owner(0), 'ST_1', 100, now(), now());
INSERT INTO phone_number (id, user_id, number, inbound_assistant_id, outbound_trunk_id, created_at, updated_at)
VALUES (pg_temp.id(4, 0), pg_temp.owner(0), '+15550009999', pg_temp.id(2, 0), 'ST_1', now(), now());
INSERT INTO csv_files (id, user_id, filename, original_filename, contact_count, status, created_at, updated_at)
SELECT pg_temp.id(5, n), pg_temp.owner(n), 'file' || n, 'file' || n, 10000, 'completed', now(), now() FROM generate_series(0, 19) AS n;
INSERT INTO csv_contacts (id, csv_file_id, position, name, phone_number, country, zones, created_at)
SELECT pg_temp.id(6, n), pg_temp.id(5, n % 20), n / 20, 'Contact ' || n, '+1' || 2000000000 + n, 'US', 'America/New_York', now() FROM generate_series(0, 199999) AS n;
INSERT INTO campaigns (id, user_id, name, assistant_id, contact_source, csv_file_id, daily_cap, calling_days, start_hour, end_hour, timezone, max_concurrent,
    call_delay_ms, ring_timeout_s, max_call_duration_s, retry, execution_status, status_at, created_at, updated_at)
SELECT pg_temp.id(7, n), pg_temp.owner(n), 'Campaign ' || n, pg_temp.id(2, CASE WHEN n = 19 THEN 1 ELSE 0 END), 'csv_file', pg_temp.id(5, n), 1000, '["monday"]', 9, 17, 'UTC', 5, 2000, 30, 900,
       '{}', CASE WHEN n < 6 THEN 'running' ELSE 'completed' END, now(), now() - n * interval '1 day', now()
FROM generate_series(0, 19) AS n;
INSERT INTO campaign_counts (campaign_id, pending) SELECT id, CASE WHEN execution_status = 'running' THEN 50000 ELSE 0 END FROM campaigns;

INSERT INTO campaign_calls (id, user_id, campaign_id, contact_id, phone_number, contact_name, country, zones, position, state, rank, dialable_at, armed_at, started_at,
    answered_at, completed_at, call_duration, charged, outcome, outcome_who, outcome_by, outcome_at, abandoned, priority, dialled, call_sid, room_name, notes,
    created_at, updated_at)
SELECT pg_temp.id(8, n), pg_temp.owner(n % 20), pg_temp.id(7, n % 20), CASE WHEN rank = 90 OR n < 200000 THEN pg_temp.id(6, n % 200000) END,
       '+1' || 2000000000 + n % 400000, 'Contact ' || n % 100000 || ' of ' || n % 977, 'US',
       CASE WHEN n % 20 < 6 THEN 'zone ' || n % 31 ELSE 'America/New_York' END, n / 20, state, rank,
       at, CASE WHEN rank >= 10 THEN at END, CASE WHEN rank >= 10 THEN at END, CASE WHEN rank >= 10 AND n % 5 = 0 THEN at + interval '9 seconds' END,
       CASE WHEN rank = 90 THEN at + interval '60 seconds' END, CASE WHEN n % 5 = 0 AND rank = 90 THEN 50 ELSE 0 END, TRUE,
       CASE WHEN rank = 90 AND n % 10 = 0 THEN (ARRAY['interested', 'not_interested', 'callback', 'do_not_call'])[1 + n / 10 % 4] END,
       CASE WHEN rank = 90 AND n % 10 = 0 THEN 'operator' END, CASE WHEN rank = 90 AND n % 10 = 0 THEN (ARRAY['ana', 'bob', 'cy'])[1 + n / 10 % 3] END,
       CASE WHEN rank = 90 AND n % 10 = 0 THEN at + interval '2 minutes' END, rank = 90 AND n % 500 = 0,
       CASE WHEN n % 997 = 0 THEN 1 ELSE 0 END, CASE WHEN rank >= 10 THEN n + 1 END, CASE WHEN rank >= 10 THEN 'CA' || n END, CASE WHEN rank >= 10 THEN 'room' || n END,
       CASE WHEN rank = 90 AND n % 20 = 10 THEN 'calls back from office ' || n % 5000 || ' asks for offer' || n || ' in writing' ELSE '' END, at, at
FROM (SELECT n, now() - interval '90 days' + n * interval '7 seconds' AS at,
             CASE WHEN n % 20 < 6 AND n >= 3000 THEN 'pending' WHEN n >= 999900 AND n % 20 >= 6 THEN 'ringing'
                  WHEN n % 5 = 0 THEN 'completed' WHEN n % 97 = 0 THEN 'failed' WHEN n % 31 = 0 THEN 'busy' ELSE 'no_answer' END AS state,
             CASE WHEN n % 20 < 6 AND n >= 3000 THEN 0 WHEN n >= 999900 AND n % 20 >= 6 THEN 10 ELSE 90 END AS rank
      FROM generate_series(0, 999999) AS n) AS calls;

INSERT INTO call_events (key, call_id, source, kind, raw, at, received_at)
SELECT 'key' || n, pg_temp.id(8, n * 3), 'livekit', '{}', '', now(), now() FROM generate_series(0, 299999) AS n;
INSERT INTO call_requests (id, call_id, user_id, kind, asked_by, source, at, done_at)
SELECT pg_temp.id(9, n), pg_temp.id(8, n * 100), pg_temp.owner(n % 20), 'hangup', 'ana', 'console', now(), CASE WHEN n > 3 THEN now() END FROM generate_series(0, 9999) AS n;
INSERT INTO audit (at, user_id, actor, source, action, subject)
SELECT now() - (1000000 - n) * interval '7 seconds', pg_temp.owner(n % 20), 'engine', 'engine', CASE WHEN n % 10000 = 0 THEN 'campaign_moved' ELSE 'armed' END, pg_temp.id(8, n)
FROM generate_series(0, 999999) AS n;
INSERT INTO do_not_call (user_id, number, source, created_at) SELECT pg_temp.owner(n % 20), '+1' || 3000000000 + n, 'file', now() FROM generate_series(0, 199999) AS n;
INSERT INTO numbers_live (number, call_id, last_armed_at) SELECT phone_number, (array_agg(id))[1], max(armed_at) FROM campaign_calls WHERE rank BETWEEN 10 AND 89 GROUP BY 1;
INSERT INTO campaign_days (campaign_id, day, used, cap) SELECT pg_temp.id(7, n % 20), to_char(now() - n / 20 * interval '1 day', 'YYYY-MM-DD'), 10, 1000 FROM generate_series(0, 1799) AS n;
INSERT INTO campaign_minutes (campaign_id, minute, armed) SELECT pg_temp.id(7, n % 20), 29000000 + n / 20, 1 FROM generate_series(0, 199999) AS n;
INSERT INTO call_search (dialled, user_id, words)
SELECT dialled, user_id, array_to_tsvector(ARRAY(SELECT DISTINCT 'n' || w FROM unnest(string_to_array(trim(lower(contact_name) || ' ' || notes), ' ')) AS w)
           || ARRAY['t' || reverse(substr(phone_number, 2)), 'o' || replace(user_id::text, '-', ''), 'c' || replace(campaign_id::text, '-', '')])
FROM campaign_calls WHERE dialled IS NOT NULL;
VACUUM ANALYZE;
