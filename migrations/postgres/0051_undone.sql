-- A tag taken back names the line of the history that it takes back; the moment of a promised callback stands with its tag.
ALTER TABLE call_outcomes ADD COLUMN undoes BIGINT;
ALTER TABLE call_outcomes ADD COLUMN callback_at TIMESTAMPTZ;
