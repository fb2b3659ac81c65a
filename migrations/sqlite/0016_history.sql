-- What the console's rooms show of the past, read off indexes. They are partial, over what a dial has and a waiting
-- row has not, so that a queue of a million rows is in none of them.

-- The number of a dial among all of this installation: the order in which phones were rung, which no clock can turn.
ALTER TABLE campaign_calls ADD COLUMN dialled INTEGER;
UPDATE campaign_calls SET dialled = n.number
FROM (SELECT id, row_number() OVER (ORDER BY armed_at, id) AS number FROM campaign_calls WHERE armed_at IS NOT NULL) AS n
WHERE n.id = campaign_calls.id;
CREATE UNIQUE INDEX calls_dialled ON campaign_calls (dialled) WHERE dialled IS NOT NULL;
CREATE INDEX calls_armed ON campaign_calls (user_id, armed_at, dialled) WHERE dialled IS NOT NULL;

-- Ends that are few: a list of them would look at all the others. Most calls end otherwise and are not in here.
CREATE INDEX calls_uncommon ON campaign_calls (user_id, state, dialled)
    WHERE rank >= 90 AND dialled IS NOT NULL AND state NOT IN ('completed', 'no_answer');

-- What was tagged, by what, by whom and when: written when somebody tags.
CREATE INDEX calls_by_outcome ON campaign_calls (user_id, outcome, outcome_at, dialled, outcome_by, campaign_id)
    WHERE outcome IS NOT NULL AND dialled IS NOT NULL;
CREATE INDEX calls_by_tagger ON campaign_calls (user_id, outcome_by, outcome_at, dialled)
    WHERE outcome_who = 'operator' AND dialled IS NOT NULL;

-- Promised calls, by whether they still wait and when they are due.
CREATE INDEX calls_callbacks ON campaign_calls (user_id, state, dialable_at) WHERE priority = 1;

-- Sums over the calls of one campaign that were armed in the same minute, moved in the transactions that move them.
CREATE TABLE campaign_minutes (
    campaign_id  BLOB NOT NULL REFERENCES campaigns (id),
    -- Minutes since 1970.
    minute       INTEGER NOT NULL,
    armed        INTEGER NOT NULL DEFAULT 0,
    dials        INTEGER NOT NULL DEFAULT 0,
    answered     INTEGER NOT NULL DEFAULT 0,
    abandoned    INTEGER NOT NULL DEFAULT 0,
    failed       INTEGER NOT NULL DEFAULT 0,
    talk_seconds INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (campaign_id, minute)
) STRICT, WITHOUT ROWID;
INSERT INTO campaign_minutes (campaign_id, minute, armed, dials, answered, abandoned, failed, talk_seconds)
SELECT campaign_id, unixepoch(armed_at) / 60, count(*), count(*) FILTER (WHERE state NOT IN ('unsent', 'refused', 'not_placed')),
       count(*) FILTER (WHERE answered_at IS NOT NULL), count(*) FILTER (WHERE abandoned = 1),
       count(*) FILTER (WHERE state IN ('failed', 'unresolved', 'unsent', 'refused', 'not_placed')), sum(call_duration)
FROM campaign_calls WHERE dialled IS NOT NULL GROUP BY 1, 2;
CREATE INDEX campaigns_of_owner ON campaigns (user_id);

-- What happened to campaigns, for who was away: few lines of an audit that has one for every dial.
CREATE INDEX audit_of_campaigns ON audit (user_id, at)
    WHERE action IN ('campaign_moved', 'campaign_error', 'campaign_finished', 'breaker_opened', 'kill_switch_on', 'kill_switch_off');

-- Words of names, the digits of numbers backwards, owner and campaign; a row's number is the dial's. It is filled
-- behind the dials, from setting `searched_to` on, never in their transactions.
CREATE VIRTUAL TABLE call_search USING fts5 (name, tail, scope, content = '', contentless_delete = 1, detail = column,
    prefix = '1 2 3 4 5 6 7 8', tokenize = 'ascii');
