-- Who writes, and the last transaction of each that was kept: what a COMMIT without an answer is looked up by.
CREATE TABLE writers (
    incarnation UUID PRIMARY KEY,
    batch       BIGINT NOT NULL,
    at          TIMESTAMPTZ NOT NULL
);

-- Which engine dials, and until when nobody else may: by this server's clock.
CREATE TABLE dialling (
    one         BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    incarnation UUID NOT NULL,
    host        TEXT NOT NULL,
    until       TIMESTAMPTZ NOT NULL
);

-- The installation's own, as 0002 has it of the others.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['writers', 'dialling'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, authenticated', name);
        IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'anon') THEN
            EXECUTE format('REVOKE ALL ON %I FROM anon', name);
        END IF;
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO dialdeck_engine', name);
        EXECUTE format('CREATE POLICY engine_all ON %I TO dialdeck_engine USING (TRUE) WITH CHECK (TRUE)', name);
    END LOOP;
END $$;
CREATE POLICY owner_select ON dialling FOR SELECT TO authenticated USING (TRUE);
GRANT SELECT ON dialling TO authenticated;
