-- Calls that somebody asks for one at a time go into the queue with priority 2: no campaign claims them, an engine
-- takes them at once or never. Until they are armed the number to call from and the script are what was asked for.
ALTER TABLE campaign_calls ADD COLUMN asked_key TEXT;
CREATE INDEX calls_asked ON campaign_calls (created_at) WHERE priority = 2 AND rank < 10;
CREATE INDEX calls_by_key ON campaign_calls (user_id, asked_key) WHERE asked_key IS NOT NULL;

-- The campaign of calls that belong to none: one for each owner and assistant, made when it is needed.
ALTER TABLE campaigns ADD COLUMN manual INTEGER NOT NULL DEFAULT 0;
CREATE INDEX campaigns_manual ON campaigns (user_id, assistant_id) WHERE manual = 1 AND deleted_at IS NULL;
