-- A reply that is told again tells its place too.
ALTER TABLE idempotency_keys ADD COLUMN location TEXT NOT NULL DEFAULT '';

-- Old replies are found without a look at all of them.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- A callback could be promised for any year, and a year of six digits sorts before this one: such a row
-- stood at the head of its zone's queue for good. The counters are brought after it by the check of the books.
UPDATE campaign_calls
SET state = 'canceled', rank = 90, completed_at = updated_at, charged = 0, reason = 'promised for a year that is too far'
WHERE rank = 0 AND (dialable_at < '1' OR dialable_at > '2200');
