-- The spec's six tables keep their names and columns; ours stand beside them.
-- Ids are UUIDs (16 bytes), times RFC 3339 text in UTC, enumerations lower-case words.

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE assistants (
    id         BLOB PRIMARY KEY,
    user_id    BLOB NOT NULL,
    name       TEXT NOT NULL,
    agent_name TEXT,
    prompt     TEXT NOT NULL DEFAULT '',
    language   TEXT NOT NULL DEFAULT 'en',
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX assistants_by_owner ON assistants (user_id, created_at);

-- An outbound trunk at LiveKit, with its lines in use and its calls-per-second bucket.
CREATE TABLE trunks (
    id          BLOB PRIMARY KEY,
    user_id     BLOB NOT NULL,
    livekit_id  TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL DEFAULT '',
    address     TEXT NOT NULL DEFAULT '',
    numbers     TEXT NOT NULL DEFAULT '[]',
    countries   TEXT NOT NULL DEFAULT '[]',
    live        INTEGER NOT NULL DEFAULT 0,
    max_live    INTEGER NOT NULL,
    tokens      REAL NOT NULL DEFAULT 1,
    refilled_at TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    CHECK (live >= 0 AND live <= max_live)
) STRICT, WITHOUT ROWID;

CREATE TABLE phone_number (
    id                   BLOB PRIMARY KEY,
    user_id              BLOB NOT NULL,
    number               TEXT NOT NULL UNIQUE,
    label                TEXT NOT NULL DEFAULT '',
    status               TEXT NOT NULL DEFAULT 'active',
    inbound_assistant_id BLOB REFERENCES assistants (id) ON DELETE SET NULL,
    inbound_trunk_id     TEXT,
    outbound_trunk_id    TEXT,
    outbound_trunk_name  TEXT,
    created_at           TEXT NOT NULL,
    updated_at           TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX phone_number_by_assistant ON phone_number (inbound_assistant_id);

CREATE TABLE contact_lists (
    id          BLOB PRIMARY KEY,
    user_id     BLOB NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    report      TEXT,
    status      TEXT NOT NULL DEFAULT 'completed' CHECK (status IN ('uploading', 'processing', 'completed', 'failed')),
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_lists_by_owner ON contact_lists (user_id, created_at);

CREATE TABLE contacts (
    id              BLOB PRIMARY KEY,
    contact_list_id BLOB NOT NULL REFERENCES contact_lists (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    name            TEXT NOT NULL,
    phone_number    TEXT NOT NULL,
    country         TEXT NOT NULL,
    zones           TEXT NOT NULL,
    email           TEXT NOT NULL DEFAULT '',
    company         TEXT NOT NULL DEFAULT '',
    notes           TEXT NOT NULL DEFAULT '',
    extra           TEXT NOT NULL DEFAULT '{}',
    do_not_call     INTEGER NOT NULL DEFAULT 0,
    created_at      TEXT NOT NULL,
    UNIQUE (contact_list_id, phone_number)
) STRICT;

CREATE TABLE csv_files (
    id                 BLOB PRIMARY KEY,
    user_id            BLOB NOT NULL,
    filename           TEXT NOT NULL,
    original_filename  TEXT NOT NULL,
    file_size          INTEGER NOT NULL DEFAULT 0,
    total_contacts     INTEGER NOT NULL DEFAULT 0,
    processed_contacts INTEGER NOT NULL DEFAULT 0,
    report             TEXT,
    status             TEXT NOT NULL DEFAULT 'uploading' CHECK (status IN ('uploading', 'processing', 'completed', 'failed')),
    created_at         TEXT NOT NULL,
    updated_at         TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX csv_files_by_owner ON csv_files (user_id, created_at);

CREATE TABLE csv_contacts (
    id           BLOB PRIMARY KEY,
    csv_file_id  BLOB NOT NULL REFERENCES csv_files (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    name         TEXT NOT NULL,
    phone_number TEXT NOT NULL,
    country      TEXT NOT NULL,
    zones        TEXT NOT NULL,
    email        TEXT NOT NULL DEFAULT '',
    company      TEXT NOT NULL DEFAULT '',
    notes        TEXT NOT NULL DEFAULT '',
    extra        TEXT NOT NULL DEFAULT '{}',
    do_not_call  INTEGER NOT NULL DEFAULT 0,
    created_at   TEXT NOT NULL,
    UNIQUE (csv_file_id, phone_number)
) STRICT;

CREATE INDEX contacts_in_order ON contacts (contact_list_id, position);
CREATE INDEX csv_contacts_in_order ON csv_contacts (csv_file_id, position);

-- Either source of contacts, read the same way.
CREATE VIEW campaign_contacts AS
    SELECT contact_list_id AS source_id, id, position, name, phone_number, country, zones, email, company, extra, do_not_call FROM contacts
    UNION ALL
    SELECT csv_file_id AS source_id, id, position, name, phone_number, country, zones, email, company, extra, do_not_call FROM csv_contacts;

CREATE TABLE campaigns (
    id                  BLOB PRIMARY KEY,
    user_id             BLOB NOT NULL,
    name                TEXT NOT NULL,
    assistant_id        BLOB NOT NULL REFERENCES assistants (id),
    contact_source      TEXT NOT NULL CHECK (contact_source IN ('contact_list', 'csv_file')),
    contact_list_id     BLOB REFERENCES contact_lists (id),
    csv_file_id         BLOB REFERENCES csv_files (id),
    daily_cap           INTEGER NOT NULL CHECK (daily_cap BETWEEN 1 AND 1000000),
    calling_days        TEXT NOT NULL,
    start_hour          INTEGER NOT NULL CHECK (start_hour BETWEEN 0 AND 23),
    end_hour            INTEGER NOT NULL CHECK (end_hour BETWEEN 0 AND 24),
    start_minute        INTEGER NOT NULL DEFAULT 0 CHECK (start_minute BETWEEN 0 AND 59),
    end_minute          INTEGER NOT NULL DEFAULT 0 CHECK (end_minute BETWEEN 0 AND 59),
    timezone            TEXT NOT NULL,
    campaign_prompt     TEXT NOT NULL DEFAULT '',
    agent_name          TEXT,
    max_concurrent      INTEGER NOT NULL,
    call_delay_ms       INTEGER NOT NULL,
    ring_timeout_s      INTEGER NOT NULL,
    max_call_duration_s INTEGER NOT NULL,
    retry               TEXT NOT NULL,
    contact_hours       INTEGER NOT NULL DEFAULT 1,
    execution_status    TEXT NOT NULL DEFAULT 'idle' CHECK (execution_status IN ('idle', 'running', 'paused', 'completed', 'error')),
    status_reason       TEXT NOT NULL DEFAULT '',
    status_actor        TEXT NOT NULL DEFAULT '',
    status_at           TEXT NOT NULL,
    -- Grows with every edit and command: what was judged before is judged again.
    generation          INTEGER NOT NULL DEFAULT 1,
    -- The position up to which contacts have rows, while the campaign fills; NULL when it is full.
    fill_position       INTEGER,
    deleted_at          TEXT,
    created_at          TEXT NOT NULL,
    updated_at          TEXT NOT NULL
) STRICT;
CREATE INDEX campaigns_by_owner ON campaigns (user_id, created_at) WHERE deleted_at IS NULL;
CREATE INDEX campaigns_running ON campaigns (id) WHERE execution_status = 'running' AND deleted_at IS NULL;

-- Sums over a campaign's calls, moved in the same transaction as the calls; and its pacing.
CREATE TABLE campaign_counts (
    campaign_id       BLOB PRIMARY KEY REFERENCES campaigns (id),
    total             INTEGER NOT NULL DEFAULT 0,
    pending           INTEGER NOT NULL DEFAULT 0,
    processing        INTEGER NOT NULL DEFAULT 0,
    live              INTEGER NOT NULL DEFAULT 0,
    answered_now      INTEGER NOT NULL DEFAULT 0,
    completed         INTEGER NOT NULL DEFAULT 0,
    failed            INTEGER NOT NULL DEFAULT 0,
    no_answer         INTEGER NOT NULL DEFAULT 0,
    busy              INTEGER NOT NULL DEFAULT 0,
    canceled          INTEGER NOT NULL DEFAULT 0,
    dials             INTEGER NOT NULL DEFAULT 0,
    pickups           INTEGER NOT NULL DEFAULT 0,
    interested        INTEGER NOT NULL DEFAULT 0,
    not_interested    INTEGER NOT NULL DEFAULT 0,
    callback          INTEGER NOT NULL DEFAULT 0,
    do_not_call       INTEGER NOT NULL DEFAULT 0,
    voicemail         INTEGER NOT NULL DEFAULT 0,
    wrong_number      INTEGER NOT NULL DEFAULT 0,
    untagged          INTEGER NOT NULL DEFAULT 0,
    talk_seconds      INTEGER NOT NULL DEFAULT 0,
    next_call_at      TEXT,
    last_execution_at TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE campaign_days (
    campaign_id BLOB NOT NULL REFERENCES campaigns (id),
    day         TEXT NOT NULL,
    used        INTEGER NOT NULL DEFAULT 0,
    cap         INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, day),
    CHECK (used >= 0 AND used <= cap)
) STRICT, WITHOUT ROWID;

-- The queue and the ledger: one row per attempt. A row is a call; `attempt` is only its number.
CREATE TABLE campaign_calls (
    id                  BLOB PRIMARY KEY,
    user_id             BLOB NOT NULL,
    campaign_id         BLOB NOT NULL REFERENCES campaigns (id),
    contact_id          BLOB,
    phone_number        TEXT NOT NULL,
    contact_name        TEXT NOT NULL DEFAULT '',
    contact_email       TEXT NOT NULL DEFAULT '',
    country             TEXT NOT NULL,
    zones               TEXT NOT NULL,
    position            INTEGER NOT NULL DEFAULT 0,
    attempt             INTEGER NOT NULL DEFAULT 1,
    state               TEXT NOT NULL DEFAULT 'pending',
    rank                INTEGER NOT NULL DEFAULT 0,
    status              TEXT GENERATED ALWAYS AS (CASE
                            WHEN state IN ('pending', 'claimed') THEN 'pending'
                            WHEN state IN ('armed', 'unknown', 'dialing', 'ringing') THEN 'calling'
                            WHEN state IN ('answered', 'completed', 'busy', 'no_answer', 'canceled') THEN state
                            ELSE 'failed' END) VIRTUAL,
    dialable_at         TEXT NOT NULL,
    lease_until         TEXT,
    incarnation         BLOB,
    claim_number        INTEGER NOT NULL DEFAULT 0,
    -- Set by arm, in the one transaction after which a request may be sent.
    armed_at            TEXT,
    deadline_at         TEXT,
    armed_day           TEXT,
    reply_pending       INTEGER NOT NULL DEFAULT 0,
    room_name           TEXT,
    trunk_id            BLOB,
    caller_id           TEXT,
    script              TEXT,
    ring_timeout_s      INTEGER NOT NULL DEFAULT 30,
    max_call_duration_s INTEGER NOT NULL DEFAULT 900,
    participant_sid     TEXT,
    sip_call_id         TEXT,
    call_sid            TEXT,
    leg_seen            INTEGER NOT NULL DEFAULT 0,
    ringing_seen        INTEGER NOT NULL DEFAULT 0,
    rejoined            INTEGER NOT NULL DEFAULT 0,
    left_at             TEXT,
    left_reason         TEXT,
    left_status         TEXT,
    started_at          TEXT,
    ringing_at          TEXT,
    answered_at         TEXT,
    completed_at        TEXT,
    call_duration       INTEGER NOT NULL DEFAULT 0,
    basis               TEXT,
    sip_code            INTEGER,
    reason              TEXT NOT NULL DEFAULT '',
    charged             INTEGER NOT NULL DEFAULT 1,
    outcome             TEXT CHECK (outcome IN ('interested', 'not_interested', 'callback', 'do_not_call', 'voicemail', 'wrong_number')),
    outcome_who         TEXT,
    outcome_by          TEXT,
    outcome_at          TEXT,
    suggestion          TEXT,
    suggestion_confidence REAL,
    notes               TEXT NOT NULL DEFAULT '',
    hangup_requested_at TEXT,
    recording_url       TEXT,
    created_at          TEXT NOT NULL,
    updated_at          TEXT NOT NULL
) STRICT;
-- Claims: the head of each zone's queue.
CREATE INDEX calls_queue ON campaign_calls (campaign_id, zones, dialable_at, position, id) WHERE rank = 0;
CREATE INDEX calls_open ON campaign_calls (rank, campaign_id) WHERE rank >= 5 AND rank < 90;
CREATE UNIQUE INDEX calls_one_live_per_number ON campaign_calls (phone_number) WHERE rank >= 10 AND rank < 90;
CREATE UNIQUE INDEX calls_one_open_per_contact ON campaign_calls (campaign_id, contact_id) WHERE rank < 90 AND contact_id IS NOT NULL;
CREATE INDEX calls_by_contact ON campaign_calls (campaign_id, contact_id);
CREATE INDEX calls_by_campaign ON campaign_calls (campaign_id, id);
CREATE INDEX calls_by_number ON campaign_calls (phone_number, armed_at);
CREATE INDEX calls_by_call_sid ON campaign_calls (call_sid) WHERE call_sid IS NOT NULL;
CREATE INDEX calls_ended ON campaign_calls (user_id, completed_at) WHERE rank >= 90;
CREATE INDEX calls_to_tag ON campaign_calls (user_id, completed_at, id) WHERE rank >= 90 AND answered_at IS NOT NULL AND outcome IS NULL;
CREATE INDEX calls_hangup ON campaign_calls (hangup_requested_at) WHERE hangup_requested_at IS NOT NULL AND rank < 90;

-- The inbox: every fact from outside, stored before it is believed.
CREATE TABLE call_events (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE,
    call_id     BLOB,
    source      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    raw         TEXT NOT NULL,
    at          TEXT NOT NULL,
    received_at TEXT NOT NULL,
    applied     TEXT
) STRICT;
CREATE INDEX call_events_by_call ON call_events (call_id, id) WHERE call_id IS NOT NULL;

CREATE TABLE call_outcomes (
    id         INTEGER PRIMARY KEY,
    call_id    BLOB NOT NULL REFERENCES campaign_calls (id),
    value      TEXT,
    previous   TEXT,
    note       TEXT NOT NULL DEFAULT '',
    who        TEXT NOT NULL,
    by         TEXT NOT NULL DEFAULT '',
    confidence REAL,
    at         TEXT NOT NULL
) STRICT;
CREATE INDEX call_outcomes_by_call ON call_outcomes (call_id, id);

CREATE TABLE call_reports (
    call_id     BLOB PRIMARY KEY REFERENCES campaign_calls (id),
    summary     TEXT,
    answered_by TEXT,
    transcript  TEXT,
    at          TEXT NOT NULL
) STRICT;

CREATE TABLE do_not_call (
    user_id    BLOB NOT NULL,
    number     TEXT NOT NULL,
    reason     TEXT NOT NULL DEFAULT '',
    source     TEXT NOT NULL,
    created_by TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    PRIMARY KEY (user_id, number)
) STRICT, WITHOUT ROWID;

-- One live call per number over the whole installation; a number whose last call's end is unproven
-- is held for a while longer.
CREATE TABLE numbers_live (
    number        TEXT PRIMARY KEY,
    call_id       BLOB,
    held_until    TEXT,
    held_for      BLOB,
    last_armed_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE engines (
    incarnation  BLOB PRIMARY KEY,
    host         TEXT NOT NULL,
    pid          INTEGER NOT NULL,
    started_at   TEXT NOT NULL,
    heartbeat_at TEXT NOT NULL,
    stopped_at   TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    user_id    BLOB NOT NULL,
    key        TEXT NOT NULL,
    request    TEXT NOT NULL,
    status     INTEGER NOT NULL,
    body       TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      TEXT NOT NULL,
    user_id BLOB NOT NULL,
    actor   TEXT NOT NULL,
    source  TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject BLOB,
    details TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX audit_by_subject ON audit (subject, id);
