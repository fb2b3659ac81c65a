-- What is asked of a live call, by whoever: an engine acts on the row, the asker waits on it. A hang-up was a
-- column of the call; it moves here, those that are over as well.
CREATE TABLE call_requests (
    id        BLOB PRIMARY KEY,
    call_id   BLOB NOT NULL REFERENCES campaign_calls (id),
    user_id   BLOB NOT NULL,
    kind      TEXT NOT NULL CHECK (kind IN ('hangup', 'transfer', 'listen', 'dispatch')),
    arguments TEXT NOT NULL DEFAULT '{}',
    asked_by  TEXT NOT NULL,
    source    TEXT NOT NULL,
    at        TEXT NOT NULL,
    -- The engine that acts on it, from before it does.
    taken_by  BLOB,
    taken_at  TEXT,
    result    TEXT,
    done_at   TEXT
) STRICT, WITHOUT ROWID;

INSERT INTO call_requests (id, call_id, user_id, kind, asked_by, source, at, result, done_at)
SELECT randomblob(16), id, user_id, 'hangup', '', 'upgrade', hangup_requested_at,
       CASE WHEN rank >= 90 THEN '{"fate":"done","words":"the call has ended"}' END, CASE WHEN rank >= 90 THEN COALESCE(completed_at, updated_at) END
FROM campaign_calls WHERE hangup_requested_at IS NOT NULL;

CREATE INDEX call_requests_by_call ON call_requests (call_id, kind, at);
CREATE INDEX call_requests_open ON call_requests (at) WHERE done_at IS NULL;

DROP INDEX calls_hangup;
ALTER TABLE campaign_calls DROP COLUMN hangup_requested_at;

-- A call with what was asked of it that decides how its end is read.
CREATE VIEW calls AS
    SELECT k.*, (SELECT min(r.at) FROM call_requests r WHERE r.call_id = k.id AND r.kind = 'hangup') AS hangup_requested_at FROM campaign_calls k;
