-- Contacts who were called as often as allowed and not reached: counted by "why".
CREATE INDEX calls_exhausted ON campaign_calls (campaign_id, attempt) WHERE rank = 90 AND charged = 1 AND state IN ('no_answer', 'busy');

-- Answered calls, of which those without an agent are a share.
CREATE INDEX calls_answered ON campaign_calls (campaign_id, answered_at, abandoned) WHERE answered_at IS NOT NULL;
