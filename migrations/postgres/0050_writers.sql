-- Who writes, and the last transaction of each that was kept: what a COMMIT without an answer is looked up by.
CREATE TABLE writers (
    incarnation UUID PRIMARY KEY,
    batch       BIGINT NOT NULL,
    at          TIMESTAMPTZ NOT NULL
);
