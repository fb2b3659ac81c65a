-- A reply that is told again tells its place too.
ALTER TABLE idempotency_keys ADD COLUMN location TEXT NOT NULL DEFAULT '';

-- Old replies are found without a look at all of them.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
