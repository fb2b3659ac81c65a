-- A tag taken back names the line of the history that it takes back: what stands is known whoever looks, and a promise
-- goes and comes with the tag that made it. The moment of a promised callback stands with its tag.
ALTER TABLE call_outcomes ADD COLUMN undoes INTEGER;
ALTER TABLE call_outcomes ADD COLUMN callback_at TEXT;
