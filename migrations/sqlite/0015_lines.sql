-- A supervisor's phone in a call has a line of the call's trunk like the call itself: until it is off, or cannot be
-- on any more.
CREATE TABLE listening_lines (
    request_id BLOB PRIMARY KEY,
    call_id    BLOB NOT NULL,
    trunk_id   BLOB NOT NULL,
    taken_at   TEXT NOT NULL,
    until      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Who makes what a number needs at LiveKit, so that no other process makes it once more.
CREATE TABLE assigning (
    number   TEXT PRIMARY KEY,
    taken_by BLOB NOT NULL,
    until    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
