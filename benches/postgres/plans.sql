-- How each hot statement is answered: its first line says its name, then PostgreSQL its plan.
\set ON_ERROR_STOP on
\pset tuples_only on
\pset format unaligned
\timing off
\set explain 'EXPLAIN (ANALYZE, COSTS OFF, BUFFERS, SUMMARY ON)'
\set me '''00000001-0000-0000-0000-000000000001'''
\set campaign '''00000007-0000-0000-0000-000000000003'''
\set ended '''00000007-0000-0000-0000-000000000008'''
\set call '''00000008-0000-0000-0000-0000000aae68'''
\set contact '''00000006-0000-0000-0000-000000000064'''
\set number '''+12000700000'''
:begin

\echo '== claim: the head of a zone''s queue'
:explain UPDATE campaign_calls SET state = 'claimed', rank = 5, lease_until = now(), claim_number = claim_number + 1, updated_at = now()
WHERE id IN (SELECT id FROM (
    SELECT * FROM (SELECT id, priority, dialable_at, position FROM campaign_calls WHERE campaign_id = :campaign AND zones = 'zone 3' AND priority = 1 AND rank = 0 AND dialable_at <= now()
                   ORDER BY dialable_at, position, id LIMIT 10) AS promised
    UNION ALL
    SELECT * FROM (SELECT id, priority, dialable_at, position FROM campaign_calls WHERE campaign_id = :campaign AND zones = 'zone 3' AND priority = 0 AND rank = 0 AND dialable_at <= now()
                   ORDER BY dialable_at, position, id LIMIT 10) AS usual
    ORDER BY priority DESC, dialable_at, position, id LIMIT 10) AS head)
RETURNING *;

\echo '== zone heads: the next moment of every zone of a queue'
:explain WITH RECURSIVE z (zones) AS (
    SELECT min(zones) FROM campaign_calls WHERE campaign_id = :campaign AND rank = 0
    UNION ALL
    SELECT (SELECT min(q.zones) FROM campaign_calls q WHERE q.campaign_id = :campaign AND q.rank = 0 AND q.zones > z.zones) FROM z WHERE z.zones IS NOT NULL)
SELECT zones, (SELECT min(dialable_at) FROM campaign_calls q WHERE q.campaign_id = :campaign AND q.rank = 0 AND q.zones = z.zones AND q.priority = 0),
       (SELECT min(dialable_at) FROM campaign_calls q WHERE q.campaign_id = :campaign AND q.rank = 0 AND q.zones = z.zones AND q.priority = 1)
FROM z WHERE zones IS NOT NULL;

\echo '== arm: what the gates judge of one call'
:explain SELECT k.id, EXISTS (SELECT 1 FROM do_not_call d WHERE d.number = k.phone_number AND (d.user_id = k.user_id OR EXISTS (SELECT 1 FROM settings WHERE key = 'shared_do_not_call' AND value = 'on'))),
       (SELECT count(*) FROM campaign_calls o WHERE o.phone_number = k.phone_number AND o.armed_at > now() - interval '30 days'),
       (SELECT o.outcome FROM campaign_calls o WHERE o.phone_number = k.phone_number AND o.user_id = k.user_id AND o.outcome IS NOT NULL ORDER BY o.outcome_at DESC LIMIT 1),
       EXISTS (SELECT 1 FROM campaign_calls o WHERE o.campaign_id = k.campaign_id AND o.abandoned), l.call_id, y.used, t.live,
       (SELECT min(at) FROM call_requests WHERE call_id = k.id AND kind = 'hangup'), c.generation, n.live
FROM campaign_calls k JOIN campaigns c ON c.id = k.campaign_id JOIN campaign_counts n ON n.campaign_id = k.campaign_id
LEFT JOIN contacts w ON w.id = k.contact_id LEFT JOIN csv_contacts f ON f.id = k.contact_id LEFT JOIN numbers_live l ON l.number = k.phone_number
LEFT JOIN campaign_days y ON y.campaign_id = k.campaign_id AND y.day = '2026-11-27'
LEFT JOIN phone_number p ON p.number = '+15550009999' AND p.inbound_assistant_id = c.assistant_id LEFT JOIN trunks t ON t.livekit_id = p.outbound_trunk_id
WHERE k.id = :call;

\echo '== arm: the number of the next dial'
:explain SELECT max(dialled) FROM campaign_calls WHERE dialled IS NOT NULL;

\echo '== record: a call by its id, with what was asked of it'
:explain SELECT * FROM calls WHERE id = :call;

\echo '== record: a call by Twilio''s id'
:explain SELECT * FROM calls WHERE call_sid = 'CA700008';

\echo '== record: a state that moves'
:explain UPDATE campaign_calls SET state = 'answered', answered_at = now(), updated_at = now() FROM (SELECT (v ->> 0)::uuid AS id, v FROM jsonb_array_elements('[["00000008-0000-0000-0000-0000000f4234", "ringing"]]') AS j (v) OFFSET 0) AS j
WHERE campaign_calls.id = j.id AND state = v ->> 1;

\echo '== follower: every call on the line'
:explain SELECT * FROM calls WHERE rank >= 10 AND rank < 90;

\echo '== requests that wait'
:explain SELECT * FROM call_requests WHERE done_at IS NULL ORDER BY at LIMIT 100;

\echo '== board: campaigns of an owner'
:explain SELECT c.*, n.* FROM campaigns c JOIN assistants a ON a.id = c.assistant_id JOIN campaign_counts n ON n.campaign_id = c.id
LEFT JOIN csv_files f ON f.id = c.csv_file_id WHERE c.user_id = :me AND c.deleted_at IS NULL ORDER BY c.created_at DESC, c.id DESC LIMIT 100;

\echo '== desk: the calls to tag'
:explain SELECT id FROM campaign_calls WHERE user_id = :me AND rank >= 90 AND answered_at IS NOT NULL AND outcome IS NULL ORDER BY completed_at DESC, id DESC LIMIT 50;

\echo '== calls: the newest'
:explain SELECT armed_at, dialled FROM campaign_calls WHERE dialled IS NOT NULL AND user_id = :me AND (armed_at, dialled) < ('9999-12-31', 9223372036854775807) AND armed_at >= 'epoch'
ORDER BY armed_at DESC, dialled DESC LIMIT 51;

\echo '== calls: by outcome'
:explain SELECT outcome_at, dialled FROM campaign_calls WHERE dialled IS NOT NULL AND user_id = :me AND outcome IS NOT NULL AND outcome = 'interested'
AND (outcome_at, dialled) < ('9999-12-31', 9223372036854775807) ORDER BY outcome_at DESC, dialled DESC LIMIT 51;

\echo '== calls: by who tagged'
:explain SELECT outcome_at, dialled FROM campaign_calls WHERE dialled IS NOT NULL AND user_id = :me AND outcome_who = 'operator' AND outcome_by = 'bob'
AND (outcome_at, dialled) < ('9999-12-31', 9223372036854775807) ORDER BY outcome_at DESC, dialled DESC LIMIT 51;

\echo '== calls: ends that are few'
:explain SELECT armed_at, dialled FROM campaign_calls WHERE dialled IS NOT NULL AND rank >= 90 AND state NOT IN ('completed', 'no_answer') AND user_id = :me AND state = 'failed'
AND dialled < 9223372036854775807 ORDER BY dialled DESC LIMIT 51;

\echo '== calls: by a word that is rare'
:explain SELECT dialled FROM found_calls('''o00000001000000000000000000000001'' & ''n77777'':*', 0, 9223372036854775807, 51);

\echo '== calls: by a word that all have'
:explain SELECT dialled FROM found_calls('''o00000001000000000000000000000001'' & ''nco'':*', 0, 9223372036854775807, 51);

\echo '== calls: by a word of a note'
:explain SELECT dialled FROM found_calls('''o00000001000000000000000000000001'' & ''noffer77777'':*', 0, 9223372036854775807, 51);

\echo '== calls: by a word that nobody has'
:explain SELECT dialled FROM found_calls('''o00000001000000000000000000000001'' & ''nzebra'':*', 0, 9223372036854775807, 51);

\echo '== calls: by the end of a number'
:explain SELECT dialled FROM found_calls('''o00000001000000000000000000000001'' & ''t7777'':*', 0, 9223372036854775807, 51);

\echo '== who tagged'
:explain WITH RECURSIVE t (who) AS (
    SELECT min(outcome_by) FROM campaign_calls WHERE user_id = :me AND outcome_who = 'operator' AND dialled IS NOT NULL
    UNION ALL
    SELECT (SELECT min(k.outcome_by) FROM campaign_calls k WHERE k.user_id = :me AND k.outcome_who = 'operator' AND k.dialled IS NOT NULL AND k.outcome_by > t.who) FROM t WHERE t.who IS NOT NULL)
SELECT who FROM t WHERE who <> '';

\echo '== promised calls that are due'
:explain SELECT id FROM campaign_calls WHERE user_id = :me AND priority = 1 AND state = 'pending' ORDER BY dialable_at LIMIT 50;

\echo '== a call: its events'
:explain SELECT * FROM call_events WHERE call_id = :call ORDER BY id LIMIT 500;

\echo '== a call: who did what about it'
:explain SELECT * FROM (SELECT * FROM audit WHERE subject = :call AND user_id = :me ORDER BY id DESC LIMIT 500) AS newest ORDER BY id;

\echo '== what happened to campaigns'
:explain SELECT * FROM audit WHERE user_id = :me AND at > now() - interval '10 days'
    AND action IN ('campaign_moved', 'campaign_error', 'campaign_finished', 'breaker_opened', 'kill_switch_on', 'kill_switch_off') ORDER BY at DESC LIMIT 50;

\echo '== a campaign: its calls, newest first'
:explain SELECT * FROM calls WHERE campaign_id = :ended ORDER BY id DESC LIMIT 50;

\echo '== a campaign: who was called as often as allowed'
:explain SELECT count(*) FROM campaign_calls WHERE campaign_id = :ended AND attempt >= 3 AND rank = 90 AND charged AND state IN ('no_answer', 'busy');

\echo '== filling: the next contacts'
:explain SELECT c.id, (SELECT count(*) FROM campaign_calls k WHERE k.campaign_id = :campaign AND k.contact_id = c.id AND k.charged AND k.armed_at IS NOT NULL)
FROM campaign_contacts c WHERE c.source_id = '00000005-0000-0000-0000-000000000003' AND c.position > 5000 AND NOT c.do_not_call ORDER BY c.position LIMIT 500;

\echo '== a number: every call'
:explain SELECT * FROM calls WHERE phone_number = :number ORDER BY armed_at DESC NULLS LAST LIMIT 50;

\echo '== pace: the last hour of an owner'
:explain SELECT m.minute, sum(m.armed) FROM campaigns c JOIN campaign_minutes m ON m.campaign_id = c.id WHERE c.user_id = :me AND m.minute >= 29009940 AND m.minute < 29010000 GROUP BY 1 ORDER BY 1;

\echo '== a set of calls by their ids'
:explain SELECT * FROM campaign_calls WHERE id IN (SELECT (v #>> '{}')::uuid FROM jsonb_array_elements('["00000008-0000-0000-0000-0000000f4234", "00000008-0000-0000-0000-0000000aae68"]') AS j (v) OFFSET 0);
:end
