-- A report is the agent's word or an operator's; a machine does not write over a person's.
ALTER TABLE call_reports ADD COLUMN who TEXT NOT NULL DEFAULT 'agent' CHECK (who IN ('agent', 'operator'));
ALTER TABLE call_reports ADD COLUMN by TEXT NOT NULL DEFAULT '';

-- Recordings by the id of whoever made them: Twilio's RE..., LiveKit's EG_.... The call is linked when it is known.
CREATE TABLE recordings (
    sid        TEXT PRIMARY KEY,
    call_id    BLOB,
    call_sid   TEXT,
    source     TEXT NOT NULL CHECK (source IN ('twilio', 'egress')),
    status     TEXT NOT NULL CHECK (status IN ('in_progress', 'completed', 'absent', 'failed')),
    url        TEXT,
    duration   INTEGER,
    reason     TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX recordings_by_call ON recordings (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX recordings_unlinked ON recordings (call_sid) WHERE call_id IS NULL;
CREATE INDEX recordings_in_progress ON recordings (created_at) WHERE status = 'in_progress';

-- Calls whose recording is to be asked for: the row first, so that nobody asks twice. NULL: settled.
CREATE TABLE recording_tasks (
    call_id BLOB PRIMARY KEY,
    due_at  TEXT,
    reason  TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX recording_tasks_due ON recording_tasks (due_at) WHERE due_at IS NOT NULL;
