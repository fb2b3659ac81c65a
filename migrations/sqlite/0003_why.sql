-- Contacts who were called as often as allowed and not reached: counted by "why".
CREATE INDEX calls_exhausted ON campaign_calls (campaign_id, attempt) WHERE rank = 90 AND charged = 1 AND state IN ('no_answer', 'busy');
