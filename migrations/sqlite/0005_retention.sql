-- A reply that is told again tells its place too.
ALTER TABLE idempotency_keys ADD COLUMN location TEXT NOT NULL DEFAULT '';
