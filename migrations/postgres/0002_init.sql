-- The tables and views that the SQLite schema has at its newest migration, under the same names, with this
-- database's own types. What is compared or sorted as text is so by its bytes, as there: COLLATE "C".
--
-- Owners' rows are closed to each other in 0004_owners.sql. With FORCE ROW LEVEL SECURITY the owner of the tables
-- sees none of their rows: a migration that moves rows lifts it for the table first and puts it back.

CREATE TABLE settings (
    key   TEXT COLLATE "C" PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE assistants (
    id         UUID PRIMARY KEY,
    user_id    UUID NOT NULL,
    name       TEXT NOT NULL COLLATE "C",
    agent_name TEXT,
    prompt     TEXT NOT NULL DEFAULT '',
    language   TEXT NOT NULL DEFAULT 'en',
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX assistants_by_owner ON assistants (user_id, created_at);

-- An outbound trunk at LiveKit, with its lines in use and its calls-per-second bucket.
CREATE TABLE trunks (
    id          UUID PRIMARY KEY,
    user_id     UUID NOT NULL,
    livekit_id  TEXT NOT NULL COLLATE "C" UNIQUE,
    name        TEXT NOT NULL DEFAULT '',
    address     TEXT NOT NULL DEFAULT '',
    numbers     JSONB NOT NULL DEFAULT '[]',
    countries   JSONB NOT NULL DEFAULT '[]',
    live        BIGINT NOT NULL DEFAULT 0,
    max_live    BIGINT NOT NULL,
    tokens      DOUBLE PRECISION NOT NULL DEFAULT 1,
    refilled_at TIMESTAMPTZ NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    CHECK (live >= 0 AND live <= max_live)
);

CREATE TABLE IF NOT EXISTS phone_number (
    id                   UUID PRIMARY KEY,
    user_id              UUID NOT NULL,
    number               TEXT NOT NULL COLLATE "C" UNIQUE,
    label                TEXT NOT NULL DEFAULT '',
    status               TEXT NOT NULL DEFAULT 'active',
    inbound_assistant_id UUID REFERENCES assistants (id) ON DELETE SET NULL,
    inbound_trunk_id     TEXT,
    outbound_trunk_id    TEXT COLLATE "C",
    outbound_trunk_name  TEXT,
    created_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL
);
CREATE INDEX phone_number_by_assistant ON phone_number (inbound_assistant_id);

CREATE TABLE contact_lists (
    id                UUID PRIMARY KEY,
    user_id           UUID NOT NULL,
    name              TEXT NOT NULL COLLATE "C",
    description       TEXT NOT NULL DEFAULT '',
    report            JSONB,
    status            TEXT NOT NULL DEFAULT 'completed' CHECK (status IN ('uploading', 'processing', 'completed', 'failed')),
    created_at        TIMESTAMPTZ NOT NULL,
    updated_at        TIMESTAMPTZ NOT NULL,
    -- The names of a file's script columns: a contact holds their values in that order.
    columns           JSONB,
    contact_count     BIGINT NOT NULL DEFAULT 0,
    do_not_call_count BIGINT NOT NULL DEFAULT 0,
    -- A deleted list keeps its row while a deleted campaign names it; its contacts go.
    deleted_at        TIMESTAMPTZ
);
CREATE INDEX contact_lists_by_owner ON contact_lists (user_id, created_at);

CREATE TABLE contacts (
    id              UUID PRIMARY KEY,
    contact_list_id UUID NOT NULL REFERENCES contact_lists (id) ON DELETE CASCADE,
    position        BIGINT NOT NULL,
    name            TEXT NOT NULL COLLATE "C",
    phone_number    TEXT NOT NULL COLLATE "C",
    country         TEXT NOT NULL,
    zones           TEXT NOT NULL COLLATE "C",
    email           TEXT NOT NULL DEFAULT '',
    company         TEXT NOT NULL DEFAULT '',
    notes           TEXT NOT NULL DEFAULT '',
    extra           JSONB NOT NULL DEFAULT '{}',
    do_not_call     BOOLEAN NOT NULL DEFAULT FALSE,
    created_at      TIMESTAMPTZ NOT NULL,
    consent_at      TIMESTAMPTZ,
    consent_source  TEXT,
    -- What the file said of where a contact is, apart from the zones that were made of it.
    said            TEXT,
    -- Other numbers of the person, joined by commas: kept, not dialled.
    alternatives    TEXT NOT NULL DEFAULT '',
    -- NULL: as it was imported. What was changed since is looked at again before the next attempt.
    updated_at      TIMESTAMPTZ,
    UNIQUE (contact_list_id, phone_number)
);
CREATE INDEX contacts_in_order ON contacts (contact_list_id, position);

CREATE TABLE csv_files (
    id                 UUID PRIMARY KEY,
    user_id            UUID NOT NULL,
    filename           TEXT NOT NULL,
    original_filename  TEXT NOT NULL COLLATE "C",
    file_size          BIGINT NOT NULL DEFAULT 0,
    total_contacts     BIGINT NOT NULL DEFAULT 0,
    processed_contacts BIGINT NOT NULL DEFAULT 0,
    report             JSONB,
    status             TEXT NOT NULL DEFAULT 'uploading' CHECK (status IN ('uploading', 'processing', 'completed', 'failed')),
    created_at         TIMESTAMPTZ NOT NULL,
    updated_at         TIMESTAMPTZ NOT NULL,
    columns            JSONB,
    contact_count      BIGINT NOT NULL DEFAULT 0,
    do_not_call_count  BIGINT NOT NULL DEFAULT 0,
    deleted_at         TIMESTAMPTZ
);
CREATE INDEX csv_files_by_owner ON csv_files (user_id, created_at);

CREATE TABLE csv_contacts (
    id             UUID PRIMARY KEY,
    csv_file_id    UUID NOT NULL REFERENCES csv_files (id) ON DELETE CASCADE,
    position       BIGINT NOT NULL,
    name           TEXT NOT NULL COLLATE "C",
    phone_number   TEXT NOT NULL COLLATE "C",
    country        TEXT NOT NULL,
    zones          TEXT NOT NULL COLLATE "C",
    email          TEXT NOT NULL DEFAULT '',
    company        TEXT NOT NULL DEFAULT '',
    notes          TEXT NOT NULL DEFAULT '',
    extra          JSONB NOT NULL DEFAULT '{}',
    do_not_call    BOOLEAN NOT NULL DEFAULT FALSE,
    created_at     TIMESTAMPTZ NOT NULL,
    consent_at     TIMESTAMPTZ,
    consent_source TEXT,
    said           TEXT,
    alternatives   TEXT NOT NULL DEFAULT '',
    updated_at     TIMESTAMPTZ,
    UNIQUE (csv_file_id, phone_number)
);
CREATE INDEX csv_contacts_in_order ON csv_contacts (csv_file_id, position);

-- Either source of contacts, read the same way. A view looks at rows as whoever asks, never as its owner.
CREATE VIEW campaign_contacts WITH (security_invoker = true) AS
    SELECT contact_list_id AS source_id, id, position, name, phone_number, country, zones, said, email, company, extra, do_not_call, consent_at, updated_at FROM contacts
    UNION ALL
    SELECT csv_file_id AS source_id, id, position, name, phone_number, country, zones, said, email, company, extra, do_not_call, consent_at, updated_at FROM csv_contacts;

CREATE VIEW source_columns WITH (security_invoker = true) AS
    SELECT id AS source_id, columns FROM contact_lists WHERE columns IS NOT NULL
    UNION ALL
    SELECT id AS source_id, columns FROM csv_files WHERE columns IS NOT NULL;

CREATE TABLE campaigns (
    id                  UUID PRIMARY KEY,
    user_id             UUID NOT NULL,
    name                TEXT NOT NULL COLLATE "C",
    assistant_id        UUID NOT NULL REFERENCES assistants (id),
    contact_source      TEXT NOT NULL CHECK (contact_source IN ('contact_list', 'csv_file')),
    contact_list_id     UUID REFERENCES contact_lists (id),
    csv_file_id         UUID REFERENCES csv_files (id),
    daily_cap           BIGINT NOT NULL CHECK (daily_cap BETWEEN 1 AND 1000000),
    calling_days        JSONB NOT NULL,
    start_hour          BIGINT NOT NULL CHECK (start_hour BETWEEN 0 AND 23),
    end_hour            BIGINT NOT NULL CHECK (end_hour BETWEEN 0 AND 24),
    start_minute        BIGINT NOT NULL DEFAULT 0 CHECK (start_minute BETWEEN 0 AND 59),
    end_minute          BIGINT NOT NULL DEFAULT 0 CHECK (end_minute BETWEEN 0 AND 59),
    timezone            TEXT NOT NULL,
    campaign_prompt     TEXT NOT NULL DEFAULT '',
    agent_name          TEXT,
    max_concurrent      BIGINT NOT NULL,
    call_delay_ms       BIGINT NOT NULL,
    ring_timeout_s      BIGINT NOT NULL,
    max_call_duration_s BIGINT NOT NULL,
    retry               JSONB NOT NULL,
    contact_hours       BOOLEAN NOT NULL DEFAULT TRUE,
    execution_status    TEXT NOT NULL DEFAULT 'idle' COLLATE "C" CHECK (execution_status IN ('idle', 'running', 'paused', 'completed', 'error')),
    status_reason       TEXT NOT NULL DEFAULT '',
    status_actor        TEXT NOT NULL DEFAULT '',
    status_at           TIMESTAMPTZ NOT NULL,
    -- Grows with every edit and command: what was judged before is judged again.
    generation          BIGINT NOT NULL DEFAULT 1,
    -- The position up to which contacts have rows, while the campaign fills; NULL when it is full.
    fill_position       BIGINT,
    deleted_at          TIMESTAMPTZ,
    created_at          TIMESTAMPTZ NOT NULL,
    updated_at          TIMESTAMPTZ NOT NULL,
    -- The campaign of calls that belong to none.
    manual              BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX campaigns_by_owner ON campaigns (user_id, created_at) WHERE deleted_at IS NULL;
CREATE INDEX campaigns_running ON campaigns (id) WHERE execution_status = 'running' AND deleted_at IS NULL;
CREATE INDEX campaigns_manual ON campaigns (user_id, assistant_id) WHERE manual AND deleted_at IS NULL;
CREATE INDEX campaigns_by_list ON campaigns (contact_list_id) WHERE contact_list_id IS NOT NULL;
CREATE INDEX campaigns_by_file ON campaigns (csv_file_id) WHERE csv_file_id IS NOT NULL;
CREATE INDEX campaigns_of_owner ON campaigns (user_id);

-- Sums over a campaign's calls, moved in the same transaction as the calls; and its pacing. These rows are written
-- all day: room in their pages keeps a move inside its page.
CREATE TABLE campaign_counts (
    campaign_id       UUID PRIMARY KEY REFERENCES campaigns (id),
    total             BIGINT NOT NULL DEFAULT 0,
    pending           BIGINT NOT NULL DEFAULT 0,
    processing        BIGINT NOT NULL DEFAULT 0,
    live              BIGINT NOT NULL DEFAULT 0,
    answered_now      BIGINT NOT NULL DEFAULT 0,
    completed         BIGINT NOT NULL DEFAULT 0,
    failed            BIGINT NOT NULL DEFAULT 0,
    no_answer         BIGINT NOT NULL DEFAULT 0,
    busy              BIGINT NOT NULL DEFAULT 0,
    canceled          BIGINT NOT NULL DEFAULT 0,
    dials             BIGINT NOT NULL DEFAULT 0,
    pickups           BIGINT NOT NULL DEFAULT 0,
    interested        BIGINT NOT NULL DEFAULT 0,
    not_interested    BIGINT NOT NULL DEFAULT 0,
    callback          BIGINT NOT NULL DEFAULT 0,
    do_not_call       BIGINT NOT NULL DEFAULT 0,
    voicemail         BIGINT NOT NULL DEFAULT 0,
    wrong_number      BIGINT NOT NULL DEFAULT 0,
    untagged          BIGINT NOT NULL DEFAULT 0,
    talk_seconds      BIGINT NOT NULL DEFAULT 0,
    next_call_at      TIMESTAMPTZ,
    last_execution_at TIMESTAMPTZ
) WITH (fillfactor = 50);

CREATE TABLE campaign_days (
    campaign_id UUID NOT NULL REFERENCES campaigns (id),
    day         TEXT NOT NULL COLLATE "C",
    used        BIGINT NOT NULL DEFAULT 0,
    cap         BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, day),
    CHECK (used >= 0 AND used <= cap)
) WITH (fillfactor = 50);

-- Sums over the calls of one campaign that were armed in the same minute.
CREATE TABLE campaign_minutes (
    campaign_id  UUID NOT NULL REFERENCES campaigns (id),
    -- Minutes since 1970.
    minute       BIGINT NOT NULL,
    armed        BIGINT NOT NULL DEFAULT 0,
    dials        BIGINT NOT NULL DEFAULT 0,
    answered     BIGINT NOT NULL DEFAULT 0,
    abandoned    BIGINT NOT NULL DEFAULT 0,
    failed       BIGINT NOT NULL DEFAULT 0,
    talk_seconds BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (campaign_id, minute)
);

-- The queue and the ledger: one row per attempt. A row is a call; `attempt` is only its number.
CREATE TABLE campaign_calls (
    id                  UUID PRIMARY KEY,
    user_id             UUID NOT NULL,
    campaign_id         UUID NOT NULL REFERENCES campaigns (id),
    contact_id          UUID,
    phone_number        TEXT NOT NULL COLLATE "C",
    contact_name        TEXT NOT NULL DEFAULT '' COLLATE "C",
    contact_email       TEXT NOT NULL DEFAULT '',
    country             TEXT NOT NULL,
    zones               TEXT NOT NULL COLLATE "C",
    position            BIGINT NOT NULL DEFAULT 0,
    attempt             BIGINT NOT NULL DEFAULT 1,
    state               TEXT NOT NULL DEFAULT 'pending' COLLATE "C",
    -- Where the row stands in the indexes: 0 in the queue, 5 claimed, 10 open, 90 ended.
    rank                BIGINT NOT NULL DEFAULT 0,
    status              TEXT COLLATE "C" GENERATED ALWAYS AS (CASE
                            WHEN state IN ('pending', 'claimed') THEN 'pending'
                            WHEN state IN ('armed', 'unknown', 'dialing', 'ringing') THEN 'calling'
                            WHEN state IN ('answered', 'completed', 'busy', 'no_answer', 'canceled') THEN state
                            ELSE 'failed' END) STORED,
    dialable_at         TIMESTAMPTZ NOT NULL,
    lease_until         TIMESTAMPTZ,
    incarnation         UUID,
    claim_number        BIGINT NOT NULL DEFAULT 0,
    -- Set by arm, in the one transaction after which a request may be sent.
    armed_at            TIMESTAMPTZ,
    deadline_at         TIMESTAMPTZ,
    armed_day           TEXT COLLATE "C",
    reply_pending       BOOLEAN NOT NULL DEFAULT FALSE,
    room_name           TEXT,
    trunk_id            UUID,
    caller_id           TEXT,
    script              TEXT,
    ring_timeout_s      BIGINT NOT NULL DEFAULT 30,
    max_call_duration_s BIGINT NOT NULL DEFAULT 900,
    participant_sid     TEXT,
    sip_call_id         TEXT,
    call_sid            TEXT COLLATE "C",
    leg_seen            BOOLEAN NOT NULL DEFAULT FALSE,
    ringing_seen        BOOLEAN NOT NULL DEFAULT FALSE,
    rejoined            BOOLEAN NOT NULL DEFAULT FALSE,
    left_at             TIMESTAMPTZ,
    left_reason         JSONB,
    left_status         JSONB,
    started_at          TIMESTAMPTZ,
    ringing_at          TIMESTAMPTZ,
    answered_at         TIMESTAMPTZ,
    completed_at        TIMESTAMPTZ,
    call_duration       BIGINT NOT NULL DEFAULT 0,
    basis               TEXT,
    sip_code            BIGINT,
    reason              TEXT NOT NULL DEFAULT '' COLLATE "C",
    charged             BOOLEAN NOT NULL DEFAULT TRUE,
    outcome             TEXT COLLATE "C" CHECK (outcome IN ('interested', 'not_interested', 'callback', 'do_not_call', 'voicemail', 'wrong_number')),
    outcome_who         TEXT COLLATE "C",
    outcome_by          TEXT COLLATE "C",
    outcome_at          TIMESTAMPTZ,
    suggestion          TEXT,
    suggestion_confidence DOUBLE PRECISION,
    notes               TEXT NOT NULL DEFAULT '',
    recording_url       TEXT,
    created_at          TIMESTAMPTZ NOT NULL,
    updated_at          TIMESTAMPTZ NOT NULL,
    -- 1: a moment promised to the contact; 2: asked for one at a time, claimed by no campaign.
    priority            BIGINT NOT NULL DEFAULT 0,
    -- Somebody answered and there was no agent.
    abandoned           BOOLEAN NOT NULL DEFAULT FALSE,
    -- Who left a call in doubt: the network, or our own death.
    doubt               TEXT CHECK (doubt IN ('network', 'own')),
    -- A promised call that a stop took off the queue.
    broken              BOOLEAN NOT NULL DEFAULT FALSE,
    asked_key           TEXT COLLATE "C",
    -- The number of a dial among all of this installation: the order in which phones were rung.
    dialled             BIGINT
);
-- Claims: the head of each zone's queue.
CREATE INDEX calls_queue ON campaign_calls (campaign_id, zones, priority, dialable_at, position, id) WHERE rank = 0;
CREATE INDEX calls_open ON campaign_calls (rank, campaign_id) WHERE rank >= 5 AND rank < 90;
CREATE UNIQUE INDEX calls_one_live_per_number ON campaign_calls (phone_number) WHERE rank >= 10 AND rank < 90;
CREATE UNIQUE INDEX calls_one_open_per_contact ON campaign_calls (campaign_id, contact_id) WHERE rank < 90 AND contact_id IS NOT NULL;
CREATE INDEX calls_by_contact ON campaign_calls (campaign_id, contact_id);
CREATE INDEX calls_by_campaign ON campaign_calls (campaign_id, id);
CREATE INDEX calls_by_number ON campaign_calls (phone_number, armed_at);
CREATE INDEX calls_by_call_sid ON campaign_calls (call_sid) WHERE call_sid IS NOT NULL;
CREATE INDEX calls_ended ON campaign_calls (user_id, completed_at) WHERE rank >= 90;
CREATE INDEX calls_to_tag ON campaign_calls (user_id, completed_at, id) WHERE rank >= 90 AND answered_at IS NOT NULL AND outcome IS NULL;
CREATE INDEX calls_abandoned ON campaign_calls (campaign_id) WHERE abandoned;
-- Contacts who were called as often as allowed and not reached: counted by "why".
CREATE INDEX calls_exhausted ON campaign_calls (campaign_id, attempt) WHERE rank = 90 AND charged AND state IN ('no_answer', 'busy');
-- Answered calls, of which those without an agent are a share.
CREATE INDEX calls_answered ON campaign_calls (campaign_id, answered_at, abandoned) WHERE answered_at IS NOT NULL;
CREATE INDEX calls_promised ON campaign_calls (campaign_id, id) WHERE priority = 1;
CREATE INDEX calls_asked ON campaign_calls (created_at) WHERE priority = 2 AND rank < 10;
CREATE INDEX calls_by_key ON campaign_calls (user_id, asked_key) WHERE asked_key IS NOT NULL;
CREATE UNIQUE INDEX calls_dialled ON campaign_calls (dialled) WHERE dialled IS NOT NULL;
CREATE INDEX calls_armed ON campaign_calls (user_id, armed_at, dialled) WHERE dialled IS NOT NULL;
-- Ends that are few: a list of them would look at all the others.
CREATE INDEX calls_uncommon ON campaign_calls (user_id, state, dialled)
    WHERE rank >= 90 AND dialled IS NOT NULL AND state NOT IN ('completed', 'no_answer');
CREATE INDEX calls_by_outcome ON campaign_calls (user_id, outcome, outcome_at, dialled, outcome_by, campaign_id)
    WHERE outcome IS NOT NULL AND dialled IS NOT NULL;
CREATE INDEX calls_by_tagger ON campaign_calls (user_id, outcome_by, outcome_at, dialled)
    WHERE outcome_who = 'operator' AND dialled IS NOT NULL;
CREATE INDEX calls_callbacks ON campaign_calls (user_id, state, dialable_at) WHERE priority = 1;

-- The inbox: every fact from outside, stored before it is believed.
CREATE TABLE call_events (
    id          BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    key         TEXT NOT NULL COLLATE "C" UNIQUE,
    call_id     UUID,
    source      TEXT NOT NULL,
    kind        JSONB NOT NULL,
    raw         TEXT NOT NULL,
    at          TIMESTAMPTZ NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    applied     TEXT
);
CREATE INDEX call_events_by_call ON call_events (call_id, id) WHERE call_id IS NOT NULL;

CREATE TABLE call_outcomes (
    id         BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    call_id    UUID NOT NULL REFERENCES campaign_calls (id),
    value      TEXT,
    previous   TEXT,
    note       TEXT NOT NULL DEFAULT '',
    who        TEXT NOT NULL,
    by         TEXT NOT NULL DEFAULT '',
    confidence DOUBLE PRECISION,
    at         TIMESTAMPTZ NOT NULL
);
CREATE INDEX call_outcomes_by_call ON call_outcomes (call_id, id);

-- A report is the agent's word or an operator's; a machine does not write over a person's.
CREATE TABLE call_reports (
    call_id     UUID PRIMARY KEY REFERENCES campaign_calls (id),
    summary     TEXT,
    answered_by TEXT,
    transcript  JSONB,
    at          TIMESTAMPTZ NOT NULL,
    who         TEXT NOT NULL DEFAULT 'agent' CHECK (who IN ('agent', 'operator')),
    by          TEXT NOT NULL DEFAULT ''
);

-- What is asked of a live call, by whoever: an engine acts on the row, the asker waits on it.
CREATE TABLE call_requests (
    id        UUID PRIMARY KEY,
    call_id   UUID NOT NULL REFERENCES campaign_calls (id),
    user_id   UUID NOT NULL,
    kind      TEXT NOT NULL COLLATE "C" CHECK (kind IN ('hangup', 'transfer', 'listen', 'dispatch')),
    arguments JSONB NOT NULL DEFAULT '{}',
    asked_by  TEXT NOT NULL,
    source    TEXT NOT NULL,
    at        TIMESTAMPTZ NOT NULL,
    -- The engine that acts on it, from before it does.
    taken_by  UUID,
    taken_at  TIMESTAMPTZ,
    result    JSONB,
    done_at   TIMESTAMPTZ
);
CREATE INDEX call_requests_by_call ON call_requests (call_id, kind, at);
CREATE INDEX call_requests_open ON call_requests (at) WHERE done_at IS NULL;

-- A call with what was asked of it that decides how its end is read. The system before may have a table of this name,
-- which its agents write: then the view stands in schema dialdeck, which is looked in first.
DO $$
DECLARE
    place TEXT := current_schema();
BEGIN
    IF to_regclass(format('%I.calls', place)) IS NOT NULL THEN
        place := 'dialdeck';
        CREATE SCHEMA IF NOT EXISTS dialdeck;
    END IF;
    EXECUTE format('CREATE VIEW %I.calls WITH (security_invoker = true) AS
        SELECT k.*, (SELECT min(r.at) FROM call_requests r WHERE r.call_id = k.id AND r.kind = ''hangup'') AS hangup_requested_at FROM campaign_calls k', place);
END $$;

CREATE TABLE do_not_call (
    user_id    UUID NOT NULL,
    number     TEXT NOT NULL COLLATE "C",
    reason     TEXT NOT NULL DEFAULT '',
    source     TEXT NOT NULL,
    created_by TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, number)
);
-- Owners of an installation may share one list: then a number is looked for whoever wrote it.
CREATE INDEX do_not_call_by_number ON do_not_call (number);

-- One live call per number over the whole installation; a number whose last call's end is unproven
-- is held for a while longer.
CREATE TABLE numbers_live (
    number        TEXT COLLATE "C" PRIMARY KEY,
    call_id       UUID,
    held_until    TIMESTAMPTZ,
    held_for      UUID,
    last_armed_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE engines (
    incarnation  UUID PRIMARY KEY,
    host         TEXT NOT NULL,
    pid          BIGINT NOT NULL,
    started_at   TIMESTAMPTZ NOT NULL,
    heartbeat_at TIMESTAMPTZ NOT NULL,
    stopped_at   TIMESTAMPTZ
);

CREATE TABLE idempotency_keys (
    user_id    UUID NOT NULL,
    key        TEXT NOT NULL COLLATE "C",
    request    TEXT NOT NULL,
    status     BIGINT NOT NULL,
    body       TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    location   TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE audit (
    id      BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    at      TIMESTAMPTZ NOT NULL,
    user_id UUID NOT NULL,
    actor   TEXT NOT NULL,
    source  TEXT NOT NULL,
    action  TEXT NOT NULL COLLATE "C",
    subject UUID,
    details JSONB NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_subject ON audit (subject, id);
-- What happened to campaigns, for who was away: few lines of an audit that has one for every dial.
CREATE INDEX audit_of_campaigns ON audit (user_id, at)
    WHERE action IN ('campaign_moved', 'campaign_error', 'campaign_finished', 'breaker_opened', 'kill_switch_on', 'kill_switch_off');

-- Recordings by the id of whoever made them. The call is linked when it is known.
CREATE TABLE recordings (
    sid        TEXT COLLATE "C" PRIMARY KEY,
    call_id    UUID,
    call_sid   TEXT COLLATE "C",
    source     TEXT NOT NULL CHECK (source IN ('twilio', 'egress')),
    status     TEXT NOT NULL COLLATE "C" CHECK (status IN ('in_progress', 'completed', 'absent', 'failed')),
    url        TEXT,
    duration   BIGINT,
    reason     TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX recordings_by_call ON recordings (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX recordings_unlinked ON recordings (call_sid) WHERE call_id IS NULL;
CREATE INDEX recordings_in_progress ON recordings (created_at) WHERE status = 'in_progress';

-- Calls whose recording is to be asked for: the row first, so that nobody asks twice. NULL: settled.
CREATE TABLE recording_tasks (
    call_id UUID PRIMARY KEY,
    due_at  TIMESTAMPTZ,
    reason  TEXT NOT NULL DEFAULT ''
);
CREATE INDEX recording_tasks_due ON recording_tasks (due_at) WHERE due_at IS NOT NULL;

-- A supervisor's phone in a call has a line of the call's trunk like the call itself.
CREATE TABLE listening_lines (
    request_id UUID PRIMARY KEY,
    call_id    UUID NOT NULL,
    trunk_id   UUID NOT NULL,
    taken_at   TIMESTAMPTZ NOT NULL,
    until      TIMESTAMPTZ NOT NULL
);

-- Who makes what a number needs at LiveKit, so that no other process makes it once more.
CREATE TABLE assigning (
    number   TEXT COLLATE "C" PRIMARY KEY,
    taken_by UUID NOT NULL,
    until    TIMESTAMPTZ NOT NULL
);

-- The index of words: one row a dial, by its number, filled behind the dials. `words` are the lexemes as they are
-- made by the program (no dictionary, no extension): `n` and a word of the name, `t` and the number's digits
-- backwards, `o` and the owner, `c` and the campaign; asked by their beginnings.
CREATE TABLE call_search (
    dialled BIGINT PRIMARY KEY,
    user_id UUID NOT NULL,
    words   TSVECTOR NOT NULL
);
CREATE INDEX call_search_words ON call_search USING GIN (words);
