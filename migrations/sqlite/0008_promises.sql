-- Promised calls that a stop took off the queue: a start, or recycling them, brings them back.

ALTER TABLE campaign_calls ADD COLUMN broken INTEGER NOT NULL DEFAULT 0;
CREATE INDEX calls_promised ON campaign_calls (campaign_id, id) WHERE priority = 1;
